"""The client as one object: presence, errors, status, endings."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from poolse._realtime.client import RealtimeClient
from poolse._realtime.effects import Failure
from poolse._realtime.frames import Frame
from poolse._realtime.queues import QueueEnded
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import (
    AuthError,
    ChannelClosed,
    ConnectionFailed,
    DecodeError,
    JoinError,
    PoolseError,
    RealtimeError,
    SlowConsumer,
    UsageError,
)
from tests.realtime.channel_types import NEWS, WHO, News, Who
from tests.realtime.virtual_client import World, stream_of, taken
from tests.realtime.virtual_socket import fixed, refusal


@pytest.fixture
def world() -> World:
    return World()


def meta(ref: str) -> dict[str, object]:
    return {"metas": [{"phx_ref": ref}]}


def presence(world: World, event: str, payload: object) -> None:
    join_ref = None
    if event == "presence_state":
        join_ref = world.room().subscription.channel.join_ref
    world.say(Frame(join_ref, None, "room:1", event, payload))


def test_presence_is_kept_up_to_date(world: World) -> None:
    room = world.joined()
    got: list[Who] = []
    world.client.subscribe(room.reference, WHO, got.append)
    presence(world, "presence_diff", {"joins": {"u2": meta("B")}, "leaves": {}})
    assert room.who == {}
    presence(world, "presence_state", {"u1": meta("A")})
    assert isinstance(room.who, Who)
    assert set(room.who) == {"u1", "u2"}
    presence(world, "presence_diff", {"joins": {}, "leaves": {"u1": meta("A")}})
    assert set(room.who) == {"u2"}
    world.call()
    assert [set(who) for who in got] == [{"u1"}]


def test_a_late_handler_is_called_with_who_is_here_now(world: World) -> None:
    room = world.joined()
    early: list[Who] = []
    world.client.subscribe(room.reference, WHO, early.append)
    presence(world, "presence_state", {"u1": meta("A")})
    presence(world, "presence_diff", {"joins": {"u2": meta("B")}, "leaves": {}})
    late: list[Who] = []
    world.client.subscribe(room.reference, WHO, late.append)
    stream = stream_of(world, room)
    world.call()
    assert [set(who) for who in late] == [{"u1", "u2"}]
    assert taken(stream) == [late[0]]
    # After a crash nothing is known until the rejoin, and nothing is made up.
    ref = room.subscription.channel.join_ref
    world.say(Frame(ref, ref, "room:1", "phx_error", {}))
    later: list[Who] = []
    world.client.subscribe(room.reference, WHO, later.append)
    world.call()
    assert later == []


def test_a_bad_payload_is_reported_and_stops_nothing(world: World) -> None:
    room = world.joined()
    got: list[News] = []
    world.client.subscribe(room.reference, NEWS, got.append)
    world.news(7)
    world.news("good")
    world.call()
    assert got == [News("good")]
    (error,) = world.errors
    assert isinstance(error, DecodeError)
    assert "news of room:1" in str(error)


def test_what_nobody_wants_is_not_read(world: World) -> None:
    room = world.joined()
    world.news(7)
    off = world.client.subscribe(room.reference, NEWS, lambda _: None)
    off()
    world.news(7)
    world.call()
    assert world.errors == []


def test_a_raising_handler_is_reported_and_stops_no_other(world: World) -> None:
    room = world.joined()
    got: list[News] = []

    def fail(_: News) -> None:
        raise ZeroDivisionError

    world.client.subscribe(room.reference, NEWS, fail)
    world.client.subscribe(room.reference, NEWS, got.append)
    world.news()
    world.news()
    world.call()
    assert len(got) == 2
    assert [type(error) for error in world.errors] == [RealtimeError] * 2
    assert isinstance(world.errors[0].__cause__, ZeroDivisionError)
    assert "fail" in str(world.errors[0])


def test_an_error_handler_that_fails_is_not_called_with_its_own_error() -> None:
    world = World()
    calls: list[PoolseError] = []

    def fail(error: PoolseError) -> None:
        calls.append(error)
        raise ZeroDivisionError

    world.errors = calls
    world.client = RealtimeClient(
        world.settings,
        clock=lambda: world.now,
        random=fixed(),
        lock=nullcontext(),
        process=lambda: world.process,
        start=world.sockets.append,
        wake_callbacks=lambda: None,
        on_error=fail,
    )
    room = world.joined()
    world.client.subscribe(room.reference, NEWS, lambda _: None)
    world.news(7)
    world.call()
    assert len(calls) == 1


def test_a_slow_dispatcher_loses_the_oldest_and_says_so() -> None:
    world = World(RealtimeSettings(url="ws://h", queue_limit=10))
    room = world.joined()
    world.call()
    got: list[News] = []
    world.client.subscribe(room.reference, NEWS, got.append)
    for number in range(25):
        world.news(str(number))
    world.call()
    assert [news.text for news in got] == [str(n) for n in range(15, 25)]
    (error,) = world.errors
    assert isinstance(error, SlowConsumer)
    assert error.dropped == 15


def test_status_is_reported_when_it_changes(world: World) -> None:
    told: list[str] = []
    off = world.client.on_status(told.append)
    world.joined()
    socket = world.sockets[0]
    with world.client.step(socket) as now:
        socket.connection.closed(1, 1006, now)
    world.advance(2)
    world.serve()
    world.client.disconnect()
    world.call()
    assert told == ["connecting", "connected", "reconnecting", "connected", "closed"]
    off()
    world.client.connect()
    world.call()
    assert len(told) == 5
    assert [type(error) for error in world.errors] == [ConnectionFailed]


def test_a_refused_channel_ends_its_handle(world: World) -> None:
    room = world.room()
    stream = stream_of(world, room)
    woken: list[None] = []
    room.subscription.wakes.append(lambda: woken.append(None))
    world.serve(refusal("unauthorized"))
    assert not room.subscription.joined
    world.advance(1)
    world.serve(refusal("unauthorized"))
    with pytest.raises(JoinError, match="unauthorized"):
        _ = room.subscription.joined
    with pytest.raises(JoinError):
        taken(stream)
    assert woken
    assert world.room() is not room


def test_a_channel_closed_by_the_server_ends_its_handle(world: World) -> None:
    room = world.joined()
    stream = stream_of(world, room)
    ref = room.subscription.channel.join_ref
    world.say(Frame(ref, ref, "room:1", "phx_close", {}))
    with pytest.raises(ChannelClosed, match="server closed"):
        _ = room.subscription.joined
    with pytest.raises(ChannelClosed):
        taken(stream)
    world.call()
    assert [type(error) for error in world.errors] == [ChannelClosed]


def test_a_refused_token_fails_whoever_waits_until_connect(world: World) -> None:
    room = world.room()
    stream = stream_of(world, room)
    socket = world.sockets[0]
    for _ in range(2):
        with world.client.step(socket) as now:
            failure = Failure(reason="no", status=403)
            socket.connection.failed(socket.connection.generation, failure, now)
        world.advance(3)
    with pytest.raises(AuthError):
        _ = room.subscription.joined
    with pytest.raises(AuthError):
        taken(stream)
    assert world.client.status == "closed"
    socket.take_commands()
    world.advance(10)
    world.client.connect()
    world.serve()
    assert room.subscription.joined


def test_disconnected_channels_cannot_be_waited_for(world: World) -> None:
    room = world.joined()
    world.client.disconnect()
    with pytest.raises(ChannelClosed, match="disconnected"):
        _ = room.subscription.joined
    # A new channel does not undo what was asked for.
    other = world.room("2")
    with pytest.raises(ChannelClosed, match="disconnected"):
        _ = other.subscription.joined
    world.client.connect()
    world.serve()
    assert room.subscription.joined
    assert other.subscription.joined


def test_a_closed_hub_says_so(world: World) -> None:
    room = world.joined()
    told: list[str] = []
    world.client.on_status(told.append)
    stream = stream_of(world, room)
    world.client.close()
    world.client.close()
    world.call()
    assert told == ["closed"]
    assert world.client.status == "closed"
    assert taken(stream) == []
    with pytest.raises(ChannelClosed):
        _ = room.subscription.joined
    for use in (world.room, world.client.connect, lambda: world.client.on_status(print)):
        with pytest.raises(UsageError, match="closed"):
            use()
    with pytest.raises(QueueEnded):
        world.client.callbacks.next()


def test_channels_take_as_many_sockets_as_they_need() -> None:
    world = World(RealtimeSettings(url="ws://h", channels_per_socket=2))
    rooms = [world.joined(str(number)) for number in range(5)]
    assert len(world.sockets) == 3
    assert all(room.subscription.joined for room in rooms)
    assert world.client.status == "connected"


def test_a_payload_that_json_cannot_say_is_the_callers_mistake(world: World) -> None:
    room = world.joined()
    with pytest.raises(UsageError, match="NaN"):
        world.client.send(room.reference, "typing", {"x": float("nan")})
