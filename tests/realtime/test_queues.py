"""Bounded queues: a flood drops its own events, and never those of another consumer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolse._realtime.queues import (
    LIMITS_IN_TOTAL,
    Backlog,
    CallbackQueue,
    ChannelQueue,
    EventQueue,
    Handler,
    OrderedQueue,
    QueueEnded,
    Subscriber,
    victim,
)
from poolse.errors import PoolseError, SlowConsumer


def backlog(waiting: int, *, transient: bool = False) -> Backlog:
    made = Backlog(transient=transient)
    made.waiting = waiting
    return made


def test_what_carries_no_state_goes_first_then_what_is_most_frequent() -> None:
    typing, messages, edits = backlog(1, transient=True), backlog(9), backlog(3)
    assert victim([messages, typing, edits]) is typing
    assert victim([messages, edits]) is messages
    typing.waiting = 0
    assert victim([messages, typing, edits]) is messages


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["put", "drop", "discard", "pop"]))))
def test_dropping_keeps_the_order_and_the_size(steps: list[tuple[int, str]]) -> None:
    """Against a plain list, from which entries are really removed."""
    queue: OrderedQueue[Backlog, int] = OrderedQueue()
    backlogs = [Backlog() for _ in range(3)]
    model: list[tuple[Backlog, int]] = []
    for number, (which, step) in enumerate(steps):
        one = backlogs[which]
        own = [entry for entry in model if entry[0] is one]
        if step == "put":
            queue.entries.append((one, number))
            one.waiting += 1
            model.append((one, number))
        elif step == "pop":
            assert queue.pop() == (model.pop(0) if model else None)
        elif step == "drop" and own:
            queue.drop(one)
            model.remove(own[0])
        elif step == "discard":
            queue.discard(one)
            model = [entry for entry in model if entry[0] is not one]
        assert len(queue) == len(model)
        assert len(queue.entries) <= 2 * len(model) + 1
        assert [b.waiting for b in backlogs] == [sum(e[0] is b for e in model) for b in backlogs]
    assert [queue.pop() for _ in model] == model


def test_an_iterator_loses_typing_before_messages() -> None:
    queue: EventQueue[str] = EventQueue(limit=3, topic="room:1")
    queue.put("a", "message:new")
    for number in range(1000):
        queue.put(f"typing {number}", "typing:start", transient=True)
    queue.put("b", "message:new")
    with pytest.raises(SlowConsumer) as caught:
        queue.get()
    assert caught.value.dropped == queue.dropped == 999
    assert caught.value.topic == "room:1"
    assert "999 typing:start" in str(caught.value)
    assert "message:new" not in str(caught.value)
    assert [queue.get(), queue.get(), queue.get()] == ["a", "typing 999", "b"]


def test_typing_finds_no_room_among_messages() -> None:
    queue: EventQueue[str] = EventQueue(limit=2)
    queue.put("a", "message:new")
    queue.put("b", "message:new")
    queue.put("typing", "typing:start", transient=True)
    with pytest.raises(SlowConsumer, match="1 typing:start"):
        queue.get()
    assert [queue.get(), queue.get()] == ["a", "b"]
    assert not queue.is_ready()


class Calls:
    """A queue of callbacks, and what was called."""

    def __init__(self, limit: int) -> None:
        self.errors: list[PoolseError] = []
        self.wakes = 0
        self.queue = CallbackQueue(limit, self._wake, self.errors.append)
        self.called: list[tuple[str, object]] = []

    def _wake(self) -> None:
        self.wakes += 1

    def handler(
        self, queue: ChannelQueue, name: str, *, transient: bool = False
    ) -> Subscriber[Handler]:
        def called(value: object) -> None:
            self.called.append((name, value))

        called.__qualname__ = name
        made: Subscriber[Handler] = Subscriber(name, called, transient=transient)
        queue.backlogs.add(made)
        return made

    def call(self, most: int = 10**9) -> None:
        for _ in range(most):
            call = self.queue.next()
            if call is None:
                return
            call[0].target(call[1])


def test_a_flooded_handler_loses_its_own_events_only() -> None:
    calls = Calls(limit=10)
    busy, quiet = ChannelQueue("room:busy"), ChannelQueue("room:quiet")
    typing, message = calls.handler(busy, "typing"), calls.handler(busy, "message")
    other = calls.handler(quiet, "other")
    calls.queue.put(busy, message, "m")
    calls.queue.put(quiet, other, "o")
    for number in range(1000):
        calls.queue.put(busy, typing, number)
    calls.call()
    assert ("message", "m") in calls.called
    assert ("other", "o") in calls.called
    assert [value for name, value in calls.called if name == "typing"] == list(range(990, 1000))
    (error,) = calls.errors
    assert isinstance(error, SlowConsumer)
    assert (error.topic, error.event, error.handler) == ("room:busy", "typing", "typing")
    assert error.dropped == calls.queue.dropped == typing.dropped == 990
    assert (message.dropped, other.dropped) == (0, 0)
    assert "typing" in str(error)
    assert "room:busy" in str(error)
    assert "990" in str(error)


def test_channels_take_turns_and_keep_their_own_order() -> None:
    calls = Calls(limit=100)
    lanes = [ChannelQueue(name) for name in "ab"]
    handlers = [[calls.handler(queue, f"{queue.topic}{n}") for n in range(2)] for queue in lanes]
    for number in range(3):
        for handler in handlers[0]:
            calls.queue.put(lanes[0], handler, number)
    calls.queue.put(lanes[1], handlers[1][0], "late")
    calls.call(2)
    assert calls.called == [("a0", 0), ("b0", "late")]
    calls.call()
    own = [call for call in calls.called if call[0] != "b0"]
    assert own == [(f"a{n}", number) for number in range(3) for n in range(2)]


def test_all_together_have_a_limit_and_the_fullest_channel_gives_way() -> None:
    calls = Calls(limit=10)
    total = 10 * LIMITS_IN_TOTAL
    quiet = ChannelQueue("quiet")
    one = calls.handler(quiet, "one")
    calls.queue.put(quiet, one, "kept")
    flooded = ChannelQueue("flooded")
    handlers = [calls.handler(flooded, f"h{n}", transient=n == 0) for n in range(40)]
    for number in range(10):
        for handler in handlers:
            calls.queue.put(flooded, handler, number)
    assert len(flooded) + len(quiet) <= total
    assert len(flooded.entries) <= 2 * total
    assert handlers[0].waiting == 0, "what carries no state goes first"
    assert one.dropped == 0
    calls.call()
    assert ("one", "kept") in calls.called
    assert calls.queue.dropped == sum(handler.dropped for handler in handlers) > 0


def test_reports_do_not_keep_calls_from_being_made() -> None:
    """A slow error handler under a flood that does not end."""
    calls = Calls(limit=2)
    queue = ChannelQueue("room:1")
    handler = calls.handler(queue, "handler")
    for number in range(100):
        calls.queue.put(queue, handler, number)
        if number % 5 == 4:
            calls.call(1)
    assert len(calls.called) >= 8
    assert len(calls.errors) >= 8


def test_nothing_is_left_of_a_handler_that_is_removed() -> None:
    calls = Calls(limit=10)
    queue = ChannelQueue("room:1")
    for _ in range(100):
        handler = calls.handler(queue, "gone")
        calls.queue.put(queue, handler, "x")
        handler.active = False
        calls.queue.remove(queue, handler)
        assert len(calls.queue) == 0
        assert not queue.entries
        assert not queue.backlogs
    kept = calls.handler(queue, "kept")
    calls.queue.put(queue, kept, "y")
    calls.queue.clear(queue)
    assert len(calls.queue) == 0
    assert calls.queue.next() is None
    calls.call()
    assert calls.called == []
    calls.queue.close()
    with pytest.raises(QueueEnded):
        calls.queue.next()


def test_the_first_call_wakes_and_no_other() -> None:
    calls = Calls(limit=3)
    queue = ChannelQueue("room:1")
    handler = calls.handler(queue, "handler")
    for _ in range(10):
        calls.queue.put(queue, handler, "x")
    assert calls.wakes == 1
    calls.call()
    calls.queue.put(queue, handler, "x")
    assert calls.wakes == 2
