"""Who is given which event, and queues that never grow without bound or lose in silence."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolse._realtime.channel_types import UnknownEvent
from poolse._realtime.queues import EventQueue, QueueEnded
from poolse.errors import SlowConsumer
from tests.realtime.channel_types import LAST, NEWS, News
from tests.realtime.virtual_client import World, stream_of, taken


def note(got: list[str], name: str, _: object) -> None:
    got.append(name)


def without_event(call: Callable[[], object], _: object) -> None:
    call()


@pytest.fixture
def world() -> World:
    return World()


def test_an_event_goes_to_those_who_want_it_in_their_order(world: World) -> None:
    room, got = world.joined(), list[str]()
    for name in ("first", "second"):
        world.client.subscribe(room.reference, NEWS, partial(note, got, name))
    world.client.subscribe(room.reference, LAST, lambda _: got.append("other"))
    everything = stream_of(world, room)
    world.news()
    world.news(event="unknown")
    world.call()
    assert got == ["first", "second"]
    assert taken(everything) == [News("hi"), UnknownEvent("unknown", {"text": "hi"})]


def test_the_same_handler_twice_is_called_twice_and_each_is_removed_alone(world: World) -> None:
    room, got = world.joined(), list[object]()
    once = world.client.subscribe(room.reference, NEWS, got.append)
    world.client.subscribe(room.reference, NEWS, got.append)
    world.news()
    world.call()
    once()
    once()
    world.news("again")
    world.call()
    assert got == [News("hi"), News("hi"), News("again")]


def test_handlers_that_are_removed_by_others_are_not_called(world: World) -> None:
    room, got = world.joined(), list[str]()
    removals: list[Callable[[], None]] = []

    def handler(name: str) -> None:
        got.append(name)
        for remove in removals:
            remove()

    for name in "abc":
        call = partial(handler, name)
        removals.append(world.client.subscribe(room.reference, NEWS, partial(without_event, call)))
    world.news()
    world.call()
    assert got == ["a"]
    world.news()
    assert world.client.callbacks.next() is None


def test_an_iterator_that_is_gone_takes_no_event_from_the_others(world: World) -> None:
    room = world.joined()
    streams = [stream_of(world, room) for _ in range(3)]
    kept = [streams[0], streams[2]]
    del streams
    gc.collect()
    world.news()
    assert [taken(stream) for stream in kept] == [[News("hi")]] * 2


def test_late_subscribers_are_given_the_latest_of_replayed_events(world: World) -> None:
    room, got = world.joined(), list[object]()
    for text in ("1", "2"):
        world.news(text, "last")
        world.news(text)
    world.client.subscribe(room.reference, NEWS, got.append)
    world.client.subscribe(room.reference, LAST, got.append)
    world.call()
    assert got == [News("2")]
    assert taken(stream_of(world, room)) == [News("2")]


def test_a_channel_that_is_left_forgets_its_subscribers_and_events(world: World) -> None:
    room, got = world.joined(), list[object]()
    world.news(event="last")
    world.client.subscribe(room.reference, LAST, got.append)
    world.client.release_all("1")
    world.serve()
    again = world.joined()
    world.client.subscribe(again.reference, LAST, got.append)
    world.call()
    assert got == []


def test_a_full_queue_drops_the_oldest_and_says_so_once() -> None:
    queue: EventQueue[int] = EventQueue(limit=3)
    for number in range(5):
        queue.put(number)
    assert len(queue) == 3
    with pytest.raises(SlowConsumer) as caught:
        queue.get()
    assert caught.value.dropped == 2
    assert [queue.get(), queue.get(), queue.get()] == [2, 3, 4]
    assert not queue.is_ready()
    queue.put(5)
    assert queue.get() == 5
    assert queue.dropped == 2


def test_a_later_overflow_is_reported_where_it_happened() -> None:
    queue: EventQueue[int] = EventQueue(limit=2)
    queue.put(0)
    assert queue.get() == 0
    for number in range(1, 4):
        queue.put(number)
    with pytest.raises(SlowConsumer):
        queue.get()
    assert queue.get() == 2
    for number in range(4, 6):
        queue.put(number)
    with pytest.raises(SlowConsumer) as caught:
        queue.get()
    assert caught.value.dropped == 1
    assert [queue.get(), queue.get()] == [4, 5]


def test_nothing_ready_is_an_index_error() -> None:
    queue: EventQueue[int] = EventQueue()
    assert not queue.is_ready()
    with pytest.raises(IndexError):
        queue.get()


def test_a_closed_queue_gives_what_it_has_then_ends_for_good() -> None:
    queue: EventQueue[int] = EventQueue()
    queue.put(1)
    queue.close()
    queue.put(2)
    assert queue.get() == 1
    for _ in range(2):
        assert queue.is_ready()
        with pytest.raises(QueueEnded):
            queue.get()


def test_an_error_comes_after_the_last_event_and_once() -> None:
    queue: EventQueue[int] = EventQueue(limit=1)
    queue.put(1)
    queue.put(2)
    queue.close(ValueError("why"))
    queue.close(ValueError("too late"))
    with pytest.raises(SlowConsumer):
        queue.get()
    assert queue.get() == 2
    with pytest.raises(ValueError, match="why"):
        queue.get()
    with pytest.raises(QueueEnded):
        queue.get()


def test_discarding_ends_at_once() -> None:
    queue: EventQueue[int] = EventQueue(limit=1)
    queue.put(1)
    queue.put(2)
    queue.close()
    queue.close(discard=True)
    with pytest.raises(QueueEnded):
        queue.get()
    assert queue.dropped == 1


@given(st.integers(1, 5), st.lists(st.booleans()))
@settings(deadline=None)
def test_nothing_is_lost_in_silence(limit: int, puts: list[bool]) -> None:
    """Whatever the order of puts and gets: bounded, in order, and every number accounted for."""
    queue: EventQueue[int] = EventQueue(limit)
    count, expected = 0, 0

    def take() -> None:
        nonlocal expected
        try:
            number = queue.get()
        except SlowConsumer as error:
            expected += error.dropped
            number = queue.get()
        assert number == expected
        expected += 1

    for is_put in puts:
        if is_put:
            queue.put(count)
            count += 1
        elif queue.is_ready():
            take()
        assert len(queue) <= limit
    while queue.is_ready():
        take()
    assert expected == count
