"""The brain as one object: handles, claims, subscribers."""

from __future__ import annotations

import pytest

from poolse._realtime.effects import Send
from poolse._realtime.events import UnknownEvent
from poolse._realtime.frames import Frame, decode
from poolse.errors import (
    ChannelClosed,
    UsageError,
)
from tests.realtime.hub_world import World, stream_of, taken
from tests.realtime.kinds import LAST, NEWS, News
from tests.realtime.virtual import OK


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_happens_before_the_first_channel(world: World) -> None:
    assert world.hub.status == "idle"
    assert world.links == []
    world.room()
    assert world.hub.status == "connecting"
    assert len(world.links) == 1


def test_the_same_id_gives_the_same_handle(world: World) -> None:
    room = world.joined()
    assert world.room() is room
    assert world.room("2") is not room
    assert room.topic == "room:1"
    assert repr(room) == "<Room room:1 joined>"


def test_an_id_may_hold_anything_but_nothing(world: World) -> None:
    assert world.room("a{b}c").topic == "room:a{b}c"
    with pytest.raises(UsageError):
        world.room("")


def test_claims_are_counted(world: World) -> None:
    room = world.joined()
    world.room()
    world.hub.release(room.session)
    assert world.serve() == []
    world.hub.release(room.session)
    assert [frame.event for frame in world.serve()] == ["phx_leave"]
    assert room.session.has_left
    world.hub.release(room.session)
    assert world.serve() == []


def test_all_claims_of_an_id_go_at_once(world: World) -> None:
    room = world.joined()
    world.room()
    assert world.hub.release_all("1") == [room.session]
    assert [frame.event for frame in world.serve()] == ["phx_leave"]
    assert world.hub.release_all("1") == []


def test_a_handle_that_was_left_is_dead_and_the_next_one_is_another(world: World) -> None:
    room = world.joined()
    world.hub.release(room.session)
    with pytest.raises(ChannelClosed, match="left"):
        world.hub.subscribe(room.session, NEWS, print)
    with pytest.raises(ChannelClosed):
        world.hub.push(room.session, "typing", {})
    again = world.joined()
    assert again is not room
    assert again.session.joined


def test_handlers_get_typed_events_in_order(world: World) -> None:
    room = world.joined()
    got: list[News] = []
    off = world.hub.subscribe(room.session, NEWS, got.append)
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
    off = world.hub.subscribe(room.session, NEWS, got.append)
    world.hub.subscribe(room.session, NEWS, got.append)
    world.news()
    off()
    world.call()
    assert len(got) == 1
    world.news()
    world.hub.release(room.session)
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
    (link,) = world.links
    with world.hub.turn(link) as now:
        link.opened(link.connection.generation, now)
    (join,) = [decode(c.data) for c in link.take_commands() if isinstance(c, Send)]
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
    world.hub.subscribe(room.session, LAST, got.append)
    world.call()
    assert got == [News("b")]
