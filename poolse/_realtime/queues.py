"""Bounded queues in which a flood drops its own events, and never those of another consumer.

Every queue is an `OrderedQueue` with one `Backlog` for each party that shares it: each event name
of an iterator, each handler of a channel. When it is full, `victim` names the backlog that
loses its oldest entry. This is the only place that decides what is dropped:

- events without lasting state (typing, presence changes) before all others,
- then those of the party that has most waiting.

An `EventQueue` is for one iterator. The `CallbackQueue` has the user functions of a whole client
that are to be called: handlers of events and status, and error reports. Each channel has
a `ChannelQueue` in it, in which calls keep their order; the queues take turns, so that a busy
channel does not delay a quiet one. At most `limit` calls wait for each handler, and at most
`LIMITS_IN_TOTAL` times as many for all of them together: then the fullest queue gives way. A
handler that loses events is reported to `on_socket_error`.

Neither a slow nor a raising function can hold up a socket: a thread or task of its own takes the
calls out one by one, and makes them without holding any lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any, Final, Generic, TypeVar, cast

from poolse.errors import PoolseError, RealtimeError, SlowConsumer

__all__ = [
    "LIMITS_IN_TOTAL",
    "MAX_QUEUED",
    "Backlog",
    "Call",
    "CallbackQueue",
    "ChannelQueue",
    "EventQueue",
    "Handler",
    "Listener",
    "OrderedQueue",
    "QueueEnded",
    "Subscriber",
    "Wake",
    "name_of",
    "victim",
]

MAX_QUEUED: Final = 1000

LIMITS_IN_TOTAL: Final = 20
"""So many times the limit of one handler may wait for all handlers together."""

Handler = Callable[[object], object]
Wake = Callable[[], object]

T = TypeVar("T")


class Backlog:
    """What one party has waiting in a queue that it shares with others."""

    __slots__ = ("dropped", "stale", "transient", "unreported", "waiting")

    def __init__(self, *, transient: bool = False) -> None:
        """Start with nothing waiting.

        Args:
            transient: Whether its events carry no lasting state, so that they are dropped first.
        """
        self.transient: bool = transient
        self.waiting: int = 0
        self.stale: int = 0
        """How many of its oldest entries are dropped, and still in the queue."""
        self.dropped: int = 0
        """How many entries were dropped since the beginning."""
        self.unreported: int = 0
        """How many of those were not reported yet."""


B = TypeVar("B", bound=Backlog)
E = TypeVar("E")


class OrderedQueue(Generic[B, E]):
    """A FIFO from which each backlog can drop its own oldest entry, in amortized constant time.

    Dropping marks an entry instead of searching for it: the stale entries of a backlog are always
    its oldest. The queue is rebuilt once most of its entries are stale, so that its size stays
    below twice what is waiting.
    """

    __slots__ = ("backlogs", "entries", "stale")

    def __init__(self) -> None:
        self.backlogs: set[B] = set()
        """Those that may have entries here."""
        self.entries: deque[tuple[B, E]] = deque()
        """To append to it, also increment `waiting` of the backlog. Its size is not `len(self)`."""
        self.stale: int = 0

    def __len__(self) -> int:
        return len(self.entries) - self.stale

    def pop(self) -> tuple[B, E] | None:
        """Remove and return the oldest entry; None when nothing is waiting."""
        while self.entries:
            entry = self.entries.popleft()
            backlog = entry[0]
            if not backlog.stale:
                backlog.waiting -= 1
                return entry
            backlog.stale -= 1
            self.stale -= 1
        return None

    def drop(self, backlog: B) -> None:
        """Drop the oldest entry of a backlog, and count it."""
        backlog.dropped += 1
        backlog.unreported += 1
        self._mark(backlog, 1)

    def discard(self, backlog: B) -> None:
        """Forget all entries of a backlog that is no longer wanted, without counting them."""
        self._mark(backlog, backlog.waiting)

    def clear(self) -> None:
        """Forget all entries."""
        for backlog, _ in self.entries:
            backlog.waiting = backlog.stale = 0
        self.entries.clear()
        self.stale = 0

    def _mark(self, backlog: B, count: int) -> None:
        backlog.waiting -= count
        backlog.stale += count
        self.stale += count
        if self.stale * 2 > len(self.entries):
            self._rebuild()

    def _rebuild(self) -> None:
        entries, self.entries = self.entries, deque()
        for entry in entries:
            if entry[0].stale:
                entry[0].stale -= 1
            else:
                self.entries.append(entry)
        self.stale = 0


def victim(backlogs: Iterable[B]) -> B:
    """Return the backlog whose oldest entry is dropped. At least one must not be empty."""
    return max(backlogs, key=_worth_dropping)


def _worth_dropping(backlog: Backlog) -> tuple[bool, int]:
    return backlog.transient and backlog.waiting > 0, backlog.waiting


class QueueEnded(Exception):  # noqa: N818  (as StopIteration, it is no error)
    """The queue was closed, and nothing is left in it."""


class EventQueue(Generic[E]):
    """A bounded queue from the socket to one iterator.

    The socket must never wait for a consumer, or heartbeats would stop. So when the queue is full
    an event is dropped and counted. The next `get` then raises `SlowConsumer` with
    the number lost, once.
    """

    def __init__(self, limit: int = MAX_QUEUED, topic: str | None = None) -> None:
        """Start empty.

        Args:
            limit: How many events may wait.
            topic: The channel's topic, for `SlowConsumer`.
        """
        self._limit = limit
        self._topic = topic
        self._unreported = 0
        self._queue = OrderedQueue[Backlog, E]()
        self._kinds: dict[str | None, Backlog] = {}
        self._closed = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def dropped(self) -> int:
        """How many events were lost so far, reported or not."""
        return sum(kind.dropped for kind in self._kinds.values())

    def is_ready(self) -> bool:
        """Return whether `get` returns or raises immediately, which consumers wait for."""
        return self._closed or len(self._queue) > 0

    def put(self, event: E, name: str | None = None, *, transient: bool = False) -> bool:
        """Add an event. After `close` it is ignored.

        Args:
            event: The event.
            name: Its name on the wire. The names must be few; None stands for the others.
            transient: Whether it carries no lasting state.

        Returns:
            Whether `is_ready` has become true by it, so that a consumer may have to be woken.
        """
        if self._closed:
            return False
        kind, queue = self._kinds.get(name), self._queue
        if kind is None:
            kind = self._kinds[name] = Backlog(transient=transient)
        queue.entries.append((kind, event))
        kind.waiting += 1
        waiting = len(queue)
        if waiting > self._limit:
            queue.drop(victim(self._kinds.values()))
            self._unreported += 1
        return waiting == 1

    def get(self) -> E:
        """Take the oldest event. Call it when `is_ready`.

        Raises:
            SlowConsumer: Events were lost; the next call continues with what is left.
            QueueEnded: Closed and empty. Before that once the error of `close`, if it had one.
            IndexError: Not `is_ready`.
        """
        if self._unreported:
            raise self._report()
        entry = self._queue.pop()
        if entry is not None:
            return entry[1]
        if not self._closed:
            raise IndexError
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        raise QueueEnded

    def clear(self) -> None:
        """Forget what is queued, and what was lost, since it is no longer needed."""
        self._queue.clear()
        self._forget_lost()

    def close(self, error: Exception | None = None, *, discard: bool = False) -> None:
        """Take no more events. Only the first close counts, except for `discard`.

        Args:
            error: Raised to the consumer after the last event.
            discard: Forget what is still queued, since the consumer no longer wants it.
        """
        if discard:
            self.clear()
        if not self._closed:
            self._closed = True
            self._error = error

    def _report(self) -> SlowConsumer:
        total = self._unreported
        kinds = sorted(self._kinds.items(), key=lambda item: -item[1].unreported)
        counts = ", ".join(f"{k.unreported} {name or 'other'}" for name, k in kinds if k.unreported)
        text = (
            f"events() of {self._topic or 'a channel'} lost {total} events ({counts}): they "
            "arrived faster than they were consumed"
        )
        self._forget_lost()
        return SlowConsumer(text, total, topic=self._topic)

    def _forget_lost(self) -> None:
        self._unreported = 0
        for kind in self._kinds.values():
            kind.unreported = 0


class Subscriber(Backlog, Generic[T]):
    """A handler or an iterator that wants events, and how many wait for it."""

    __slots__ = ("active", "context", "event", "target")

    def __init__(
        self,
        event: str | None,
        target: T,
        *,
        transient: bool = False,
        context: Context | None = None,
    ) -> None:
        super().__init__(transient=transient)
        self.context: Context = Context() if context is None else context
        """The context variables that a handler is called with."""
        self.event: str | None = event
        """Its name on the wire; None for every event."""
        self.target: T = target
        """What the events are given to."""
        self.active: bool = True
        """False once removed. An event may still be on its way then: ask before calling."""


Call = tuple[Subscriber[Handler], object]
"""Whose function to call, and its argument. Once removed, it is not called any more."""


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
    """Recipient of errors and news. If it fails itself, the failure is only logged."""

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
        self.general: ChannelQueue = ChannelQueue()
        """The queue of handlers that belong to no channel."""
        self._losses = ChannelQueue()
        self._errors = Listener("on_socket_error", cast(Handler, on_error), context=context)
        self._reporter = Listener("on_socket_error", cast(Handler, on_error), context=context)
        self.general.backlogs.add(self._errors)

    def __len__(self) -> int:
        return self._waiting

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
        self.put(self.general, self._errors, error)

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
        """Return the next call; None when none waits.

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
            The call that reports it, to be made immediately; None if there is no recipient.
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
    """Return the name of a handler for reports."""
    if isinstance(subscriber, Listener):
        return str(subscriber.event)
    function = subscriber.target
    return getattr(function, "__qualname__", type(function).__name__)
