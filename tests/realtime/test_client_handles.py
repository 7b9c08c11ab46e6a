"""The client as one object: handles, claims, subscribers."""

from __future__ import annotations

import pytest

from poolse._realtime.channel_types import UnknownEvent
from poolse._realtime.effects import Send
from poolse._realtime.frames import Frame, decode
from poolse._realtime.queues import QueueEnded
from poolse.errors import (
    ChannelClosed,
    UsageError,
)
from tests.realtime.channel_types import LAST, NEWS, ROOM, News
from tests.realtime.virtual_client import World, stream_of, taken
from tests.realtime.virtual_socket import OK


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_happens_before_the_first_channel(world: World) -> None:
    assert world.client.status == "idle"
    assert world.sockets == []
    world.room()
    assert world.client.status == "connecting"
    assert len(world.sockets) == 1


def test_handles_of_the_same_id_are_equal_and_share_one_channel(world: World) -> None:
    room = world.joined()
    same, other = world.room(), world.room("2")
    assert same == room
    assert hash(same) == hash(room)
    assert same.subscription is room.subscription
    assert other != room
    assert len({room, same, other}) == 2
    assert room.topic == "room:1"
    assert repr(room) == "<Room room:1 joined>"


def test_an_id_may_hold_anything_but_nothing(world: World) -> None:
    assert world.room("a{b}c").topic == "room:a{b}c"
    with pytest.raises(UsageError):
        world.room("")


def test_the_last_claim_leaves(world: World) -> None:
    first, second = world.joined(), world.room()
    world.client.release(first.reference)
    assert world.serve() == []
    world.client.release(second.reference)
    assert [frame.event for frame in world.serve()] == ["phx_leave"]
    assert first.subscription.is_left


def test_a_claim_is_released_once(world: World) -> None:
    first, second = world.joined(), world.room()
    for _ in range(3):
        world.client.release(first.reference)
    assert world.serve() == []
    assert second.reference.joined
    assert repr(first) == "<Room room:1 left>"
    assert repr(second) == "<Room room:1 joined>"
    with pytest.raises(ChannelClosed, match="left"):
        _ = first.reference.joined


def test_a_claim_takes_its_own_handlers_and_iterators_along(world: World) -> None:
    first, second = world.joined(), world.room()
    got: list[object] = []
    streams = [stream_of(world, room) for room in (first, second)]
    for room in (first, second):
        world.client.subscribe(room.reference, NEWS, got.append)
    world.news("both")
    world.client.release(first.reference)
    world.news("one")
    world.call()
    assert got == [News("both"), News("one")], "what waits for the first one is not called"
    assert [taken(stream) for stream in streams] == [[News("both")], [News("both"), News("one")]]
    with pytest.raises(QueueEnded):
        streams[0].queue.get()


def test_a_claim_of_the_library_is_released_once_and_by_nobody_else(world: World) -> None:
    room = world.joined()
    claims = [world.client.acquire(ROOM, "1", internal=True) for _ in range(2)]
    assert world.client.release_all("1") == []
    for _ in range(2):
        world.client.release(claims[0])
        world.client.release(room.reference)
    assert world.serve() == []
    # After `leave(id)` old handles are dead, whoever else keeps the channel.
    with pytest.raises(ChannelClosed, match="left"):
        world.client.subscribe(room.reference, NEWS, print)
    again = world.room()
    world.client.release(room.reference)
    assert again.reference.joined
    world.client.release(again.reference)
    world.client.release(claims[1])
    assert [frame.event for frame in world.serve()] == ["phx_leave"]


def test_all_claims_of_an_id_go_at_once(world: World) -> None:
    room = world.joined()
    world.room()
    assert world.client.release_all("1") == [room.subscription]
    assert [frame.event for frame in world.serve()] == ["phx_leave"]
    assert world.client.release_all("1") == []


def test_a_handle_that_was_left_is_dead_and_the_next_one_is_another(world: World) -> None:
    room = world.joined()
    world.client.release(room.reference)
    with pytest.raises(ChannelClosed, match="left"):
        world.client.subscribe(room.reference, NEWS, print)
    with pytest.raises(ChannelClosed):
        world.client.send(room.reference, "typing", {})
    again = world.joined()
    assert again.subscription is not room.subscription
    assert again.subscription.joined


def test_handlers_get_typed_events_in_order(world: World) -> None:
    room = world.joined()
    got: list[News] = []
    off = world.client.subscribe(room.reference, NEWS, got.append)
    for number in range(3):
        world.news(str(number))
    assert got == [], "only the body calls"
    world.call()
    assert got == [News("0"), News("1"), News("2")]
    off()
    off()
    world.news("3")
    world.call()
    assert len(got) == 3


def test_no_event_comes_after_leaving_or_unsubscribing(world: World) -> None:
    room = world.joined()
    got: list[News] = []
    off = world.client.subscribe(room.reference, NEWS, got.append)
    world.client.subscribe(room.reference, NEWS, got.append)
    world.news()
    off()
    world.call()
    assert len(got) == 1
    world.news()
    world.client.release(room.reference)
    world.call()
    assert len(got) == 1


def test_iterators_get_everything_unknown_events_too(world: World) -> None:
    room = world.joined()
    stream = stream_of(world, room)
    world.news()
    world.say(Frame(None, None, "room:1", "brand:new", [1]))
    assert taken(stream) == [News("hi"), UnknownEvent("brand:new", [1])]


def test_what_comes_together_is_heard_in_its_order(world: World) -> None:
    room = world.room()
    stream = stream_of(world, room)
    (socket,) = world.sockets
    with world.client.step(socket) as now:
        socket.connection.opened(socket.connection.generation, now)
    (join,) = [decode(c.data) for c in socket.take_commands() if isinstance(c, Send)]
    world.say(
        Frame(None, None, "room:1", "news", {"text": "early"}),
        Frame(join.join_ref, join.ref, "room:1", "phx_reply", OK),
        Frame(None, None, "room:1", "news", {"text": "after it"}),
    )
    assert taken(stream) == [News("early"), News("after it")]


def test_an_iterator_that_was_thrown_away_collects_nothing(world: World) -> None:
    room = world.joined()
    stream = stream_of(world, room)
    queue = stream.queue
    del stream
    world.news()
    assert len(queue) == 0


def test_a_late_subscriber_is_given_the_last_event(world: World) -> None:
    room = world.joined()
    world.news("a", "last")
    world.news("b", "last")
    got: list[News] = []
    world.client.subscribe(room.reference, LAST, got.append)
    world.call()
    assert got == [News("b")]
