"""User functions that are to be called: handlers of events and status, and error reports.

Each channel has a `ChannelQueue`, in which calls keep their order; the queues take turns, so that a
busy channel does not delay a quiet one. At most `limit` calls wait for each handler, and at most
`LIMITS_IN_TOTAL` times as many for all of them together: then the fullest queue gives way. A
handler that loses events is reported to `on_socket_error`.

Neither a slow nor a raising function can hold up a socket: a thread or task of its own takes the
calls out one by one, and makes them without holding any lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, Final, cast

from poolse._realtime.bounded_queue import OrderedQueue, QueueEnded, victim
from poolse._realtime.subscribers import Subscriber
from poolse.errors import PoolseError, RealtimeError, SlowConsumer

__all__ = [
    "LIMITS_IN_TOTAL",
    "Call",
    "CallbackQueue",
    "ChannelQueue",
    "Handler",
    "Listener",
    "Wake",
    "name_of",
]

Handler = Callable[[object], object]
Wake = Callable[[], object]


Call = tuple[Subscriber[Handler], object]
"""Whose function to call, and its argument. Once removed, it is not called any more."""

LIMITS_IN_TOTAL: Final = 20
"""So many times the limit of one handler may wait for all handlers together."""


class ChannelQueue(OrderedQueue[Subscriber[Handler], object]):
    """Calls that are made in their order: those of one channel."""

    __slots__ = ("has_turn", "topic")

    def __init__(self, topic: str | None = None) -> None:
        super().__init__()
        self.topic: str | None = topic
        """The channel's topic; None for handlers that belong to no channel."""
        self.has_turn: bool = False
        """Whether it is among those that take turns."""


class Listener(Subscriber[Handler]):
    """Whoever is notified of errors and news. If it fails itself, nobody is left to notify."""

    __slots__ = ()


class _Loss:
    """Stands in the queue for the report that a handler lost events, however many until then."""

    __slots__ = ("subscriber", "topic")

    def __init__(self, subscriber: Subscriber[Handler], topic: str | None) -> None:
        self.subscriber = subscriber
        self.topic = topic

    def error(self) -> SlowConsumer:
        subscriber = self.subscriber
        dropped, subscriber.unreported = subscriber.unreported, 0
        handler, event = name_of(subscriber), subscriber.event
        source = f" of {event} of {self.topic}" if self.topic else ""
        text = f"the callback {handler}{source} lost {dropped} calls: it is slower than its events"
        return SlowConsumer(text, dropped, topic=self.topic, event=event, handler=handler)


class CallbackQueue:
    """The calls that wait for the thread or task of the callbacks of a client."""

    def __init__(
        self,
        limit: int,
        wake: Wake,
        on_error: Callable[[PoolseError], object],
        context: Context | None = None,
    ) -> None:
        """Start empty.

        Args:
            limit: How many calls may wait for one handler.
            wake: Called when the first call waits.
            on_error: Called with errors that end nothing.
            context: The context to call it in.
        """
        self.dropped: int = 0
        """How many calls were not made, because handlers took longer than events took to come."""
        self._limit = limit
        self._total = limit * LIMITS_IN_TOTAL
        self._wake = wake
        self._closed = False
        self._waiting = 0
        self._turns = deque[ChannelQueue]()
        self._general = ChannelQueue()
        self._losses = ChannelQueue()
        self._errors = Listener("on_socket_error", cast(Handler, on_error), context=context)
        self._reporter = Listener("on_socket_error", cast(Handler, on_error), context=context)
        self._general.backlogs.add(self._errors)

    def __len__(self) -> int:
        return self._waiting

    def is_ready(self) -> bool:
        """Whether a call waits, or there will be none any more."""
        return self._closed or bool(self._turns)

    @property
    def general(self) -> ChannelQueue:
        """The queue of handlers that belong to no channel."""
        return self._general

    def put(self, queue: ChannelQueue, subscriber: Subscriber[Any], argument: object) -> None:
        """Let the handler of a subscriber be called with something. It belongs to the queue."""
        if self._closed:
            return
        if not queue.has_turn:
            queue.has_turn = True
            self._turns.append(queue)
        queue.entries.append((subscriber, argument))
        subscriber.waiting += 1
        self._waiting += 1
        if subscriber.waiting > self._limit:
            self._drop(queue, subscriber)
        elif self._waiting > self._total:
            fullest = max((queue for queue in self._turns if queue.backlogs), key=len)
            self._drop(fullest, victim(fullest.backlogs))
        elif self._waiting == 1:
            # A queue that holds something already is looked at again before anybody waits.
            self._wake()

    def report_error(self, error: PoolseError) -> None:
        """Let the user be notified of an error that ends nothing."""
        self.put(self._general, self._errors, error)

    def remove(self, queue: ChannelQueue, subscriber: Subscriber[Any]) -> None:
        """Make no more calls of a handler."""
        self._waiting -= subscriber.waiting
        queue.discard(subscriber)
        queue.backlogs.discard(subscriber)
        self._end_turn(queue)

    def clear(self, queue: ChannelQueue) -> None:
        """Make no more calls of a whole queue."""
        self._waiting -= len(queue)
        queue.clear()
        queue.backlogs.clear()
        self._end_turn(queue)

    def next(self) -> Call | None:
        """The next call; None when none waits.

        Raises:
            QueueEnded: There will be none any more.
        """
        turns = self._turns
        while turns:
            queue = turns[0]
            call = queue.pop()
            if queue.entries:
                turns.rotate(-1)
            else:
                turns.popleft()
                queue.has_turn = False
            if call is None:
                continue
            if queue is self._losses:
                return call[0], cast(_Loss, call[1]).error()
            self._waiting -= 1
            if call[0].active:
                return call
        if self._closed:
            raise QueueEnded
        return None

    def failed(self, call: Call, cause: BaseException) -> Call | None:
        """A call raised.

        Returns:
            The call that reports it, to be made at once; None when nobody is left to notify.
        """
        subscriber, _ = call
        if isinstance(subscriber, Listener):
            return None
        text = f"the callback {name_of(subscriber)} failed: {type(cause).__name__}"
        error = RealtimeError(text)
        error.__cause__ = cause
        return self._errors, error

    def close(self) -> None:
        """Take no more calls. Those that wait are still made."""
        self._closed = True
        self._wake()

    def _end_turn(self, queue: ChannelQueue) -> None:
        if queue.has_turn and not queue.entries:
            queue.has_turn = False
            self._turns.remove(queue)

    def _drop(self, queue: ChannelQueue, subscriber: Subscriber[Handler]) -> None:
        queue.drop(subscriber)
        self._waiting -= 1
        self.dropped += 1
        # One report is enough: it counts when it is read.
        if subscriber.unreported == 1:
            self._report_loss(_Loss(subscriber, queue.topic))

    def _report_loss(self, loss: _Loss) -> None:
        # Neither counted nor limited: there is at most one for each handler.
        self._losses.entries.append((self._reporter, loss))
        self._reporter.waiting += 1
        if not self._losses.has_turn:
            self._losses.has_turn = True
            self._turns.append(self._losses)


def name_of(subscriber: Subscriber[Handler]) -> str:
    """What a handler is called in reports."""
    if isinstance(subscriber, Listener):
        return str(subscriber.event)
    function = subscriber.target
    return getattr(function, "__qualname__", type(function).__name__)
