"""What the feeds of a client count."""

from __future__ import annotations

from contextlib import AbstractContextManager

import attrs

from poolse.stats import FollowStats

__all__ = ["FeedCount", "FeedCounters"]


@attrs.define(eq=False)
class FeedCount:
    """What one feed did so far. Only its consumer counts, who needs no guard for that."""

    delivered: int = 0
    """Messages that were handed out."""
    gaps: int = 0
    """Times that numbers were passed over."""
    pages: int = 0
    """Pages that were asked for."""
    failures: int = 0
    """Those that did not come, and were asked for again."""


class FeedCounters:
    """All feeds together."""

    def __init__(self, guard: AbstractContextManager[object]) -> None:
        """Begin at nothing. The guard is held during every change."""
        self._guard = guard
        self._open = set[FeedCount]()
        self._over = FeedCount()

    def renew(self, guard: AbstractContextManager[object]) -> None:
        """Forget the feeds, which are the parent's, in a forked child."""
        self._guard = guard
        self._open.clear()

    def opened(self, count: FeedCount) -> None:
        """Count a feed that starts."""
        with self._guard:
            self._open.add(count)

    def closed(self, count: FeedCount) -> None:
        """Count a feed that has ended."""
        with self._guard:
            self._open.discard(count)
            self._over = _sum(self._over, count)

    def stats(self) -> FollowStats:
        """Return a consistent snapshot of all numbers."""
        with self._guard:
            total = _sum(self._over, *self._open)
            return FollowStats(feeds=len(self._open), **attrs.asdict(total))


def _sum(*counts: FeedCount) -> FeedCount:
    return FeedCount(*map(sum, zip(*map(attrs.astuple, counts), strict=True)))
