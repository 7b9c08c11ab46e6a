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
from typing import Generic, TypeVar

__all__ = ["Backlog", "OrderedQueue", "victim"]


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
