"""Who is given which event, and queues that never grow without bound or lose in silence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolse._realtime.bounded_queue import EventQueue, QueueEnded
from poolse._realtime.subscribers import Subscriber, Subscribers
from poolse.errors import SlowConsumer


def targets(subscriptions: list[Subscriber[str]]) -> list[str]:
    return [subscription.target for subscription in subscriptions]


def test_an_event_goes_to_those_who_want_it_in_their_order() -> None:
    fanout: Subscribers[str, int] = Subscribers()
    fanout.subscribe(None, "everything")
    for name in ("first", "second"):
        fanout.subscribe("message", name)
    fanout.subscribe("typing", "other")
    assert targets(fanout.matching("message")) == ["first", "second", "everything"]
    assert targets(fanout.matching("unknown")) == ["everything"]


def test_the_same_target_twice_is_given_it_twice_and_each_is_taken_back_alone() -> None:
    fanout: Subscribers[str, int] = Subscribers()
    once, _ = fanout.subscribe("message", "handler")
    again, _ = fanout.subscribe("message", "handler")
    fanout.unsubscribe(once)
    fanout.unsubscribe(once)
    assert fanout.matching("message") == [again]
    assert (once.active, again.active) == (False, True)


def test_taking_back_while_an_event_is_handed_out_changes_nothing_for_the_others() -> None:
    fanout: Subscribers[str, int] = Subscribers()
    made = [fanout.subscribe("message", name)[0] for name in "abc"]
    given_to: list[str] = []
    for subscription in fanout.matching("message"):
        given_to.append(subscription.target)
        fanout.unsubscribe(subscription)
    assert given_to == ["a", "b", "c"]
    assert not any(subscription.active for subscription in made)
    assert fanout.matching("message") == []


def test_late_subscribers_are_given_the_latest_of_replayed_events() -> None:
    fanout: Subscribers[str, int] = Subscribers({"state", "mode"})
    assert fanout.subscribe("state", "early")[1] == []
    for value in (1, 2):
        fanout.keep("state", value)
    fanout.keep("mode", 3)
    assert fanout.subscribe("state", "late")[1] == [("state", 2)]
    assert fanout.subscribe("message", "late")[1] == []
    assert fanout.subscribe(None, "late")[1] == [("state", 2), ("mode", 3)]


def test_clearing_ends_all_subscriptions_and_forgets() -> None:
    fanout: Subscribers[str, int] = Subscribers({"state"})
    made = [fanout.subscribe(event, "x")[0] for event in ("state", "message", None)]
    fanout.keep("state", 1)
    fanout.clear()
    assert not any(subscription.active for subscription in made)
    fanout.unsubscribe(made[0])
    assert fanout.matching("message") == []
    assert fanout.subscribe("state", "late")[1] == []


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


def test_a_later_overflow_is_told_where_it_happened() -> None:
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
