"""Bounded queues in which a flood drops its own events, and never those of another consumer.

Every queue is an `OrderedQueue` with one `Backlog` for each party that shares it: each event name
of an iterator, each handler of a channel. When there is no room, `victim` names the backlog that
loses its oldest entry. This is the only place that decides what is dropped:

- events without lasting state (typing, presence changes) before all others,
- then those of the party that has most waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

from poolse.errors import SlowConsumer

__all__ = ["MAX_QUEUED", "Backlog", "EventQueue", "OrderedQueue", "QueueEnded", "victim"]

MAX_QUEUED: Final = 1000


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
        """How many of those nobody has been notified of."""


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
    """The backlog whose oldest entry makes room. At least one must have something waiting."""
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
        self._queue = OrderedQueue[_Kind, E]()
        self._kinds: dict[str | None, _Kind] = {}
        self._closed = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def dropped(self) -> int:
        """How many events were lost so far, reported or not."""
        return sum(kind.dropped for kind in self._kinds.values())

    def is_ready(self) -> bool:
        """Whether `get` returns or raises at once. What a consumer waits for."""
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
        kind, queue = self._kinds.get(name) or self._new_kind(name, transient), self._queue
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
            SlowConsumer: Events were lost; the next call goes on with what is left.
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
        """Forget what is queued, and what was lost, since nobody wants it any more."""
        self._queue.clear()
        self._forget_lost()

    def close(self, error: Exception | None = None, *, discard: bool = False) -> None:
        """Take no more events. Only the first close counts, except for `discard`.

        Args:
            error: What the consumer is told after the last event.
            discard: Forget what is still queued, since the consumer no longer wants it.
        """
        if discard:
            self.clear()
        if not self._closed:
            self._closed = True
            self._error = error

    def _new_kind(self, name: str | None, transient: bool) -> _Kind:
        kind = self._kinds[name] = _Kind(name, transient=transient)
        return kind

    def _report(self) -> SlowConsumer:
        total = self._unreported
        kinds = sorted(self._kinds.values(), key=lambda kind: -kind.unreported)
        counts = ", ".join(f"{k.unreported} {k.event or 'other'}" for k in kinds if k.unreported)
        text = (
            f"events() of {self._topic or 'a channel'} lost {total} events ({counts}): they "
            "arrived faster than they were taken"
        )
        self._forget_lost()
        return SlowConsumer(text, total, topic=self._topic)

    def _forget_lost(self) -> None:
        self._unreported = 0
        for kind in self._kinds.values():
            kind.unreported = 0


class _Kind(Backlog):
    """The events of one name in a queue."""

    __slots__ = ("event",)

    def __init__(self, event: str | None, *, transient: bool) -> None:
        super().__init__(transient=transient)
        self.event = event
