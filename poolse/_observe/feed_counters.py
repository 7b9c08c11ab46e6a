"""What the feeds of a client count."""

from __future__ import annotations

from contextlib import AbstractContextManager

from poolse.stats import FollowStats

__all__ = ["FeedCount", "FeedCounters"]


class FeedCount:
    """What one feed did so far. Only its consumer counts, who needs no guard for that."""

    def __init__(self) -> None:
        self.delivered: int = 0
        """Messages that were handed out."""
        self.gaps: int = 0
        """Times that numbers were passed over."""
        self.pages: int = 0
        """Pages that were asked for."""
        self.failures: int = 0
        """Those that did not come, and were asked for again."""

    def add(self, other: FeedCount) -> None:
        """Count what another one did too."""
        self.delivered += other.delivered
        self.gaps += other.gaps
        self.pages += other.pages
        self.failures += other.failures


class FeedCounters:
    """All feeds together."""

    def __init__(self, guard: AbstractContextManager[object]) -> None:
        """Begin at nothing. The guard is held during every change."""
        self._guard = guard
        self._open = set[FeedCount]()
        self._over = FeedCount()

    def renew(self, guard: AbstractContextManager[object]) -> None:
        """This is a forked child: the feeds are the parent's."""
        self._guard = guard
        self._open.clear()

    def opened(self, count: FeedCount) -> None:
        """A feed begins."""
        with self._guard:
            self._open.add(count)

    def closed(self, count: FeedCount) -> None:
        """A feed is over."""
        with self._guard:
            self._open.discard(count)
            self._over.add(count)

    def stats(self) -> FollowStats:
        """All numbers, as of one moment."""
        with self._guard:
            total = FeedCount()
            for count in (self._over, *self._open):
                total.add(count)
            return FollowStats(
                feeds=len(self._open),
                delivered=total.delivered,
                gaps=total.gaps,
                pages=total.pages,
                failures=total.failures,
            )
