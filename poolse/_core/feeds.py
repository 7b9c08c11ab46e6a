"""What the feeds of a client count."""

from __future__ import annotations

from contextlib import AbstractContextManager

from poolse.stats import FollowStats

__all__ = ["FeedTally"]


class FeedTally:
    """All feeds together."""

    def __init__(self, guard: AbstractContextManager[object]) -> None:
        """Begin at nothing. The guard is held during every change."""
        self._guard = guard
        self._opened = 0
        self._closed = 0
        self.delivered = 0
        """Messages that were handed out. Whoever counts one holds the guard already."""
        self._gaps = 0
        self._pages = 0
        self._failures = 0

    def renew(self, guard: AbstractContextManager[object]) -> None:
        """This is a forked child: the feeds are the parent's."""
        self._guard = guard
        self._closed = self._opened

    def opened(self) -> None:
        """A feed begins."""
        with self._guard:
            self._opened += 1

    def closed(self) -> None:
        """A feed is over."""
        with self._guard:
            self._closed += 1

    def passed(self) -> None:
        """Numbers were passed over."""
        with self._guard:
            self._gaps += 1

    def asked(self) -> None:
        """A page is asked for."""
        with self._guard:
            self._pages += 1

    def failed(self) -> None:
        """It did not come, and will be asked for again."""
        with self._guard:
            self._failures += 1

    def stats(self) -> FollowStats:
        """All numbers, as of one moment."""
        with self._guard:
            return FollowStats(
                feeds=self._opened - self._closed,
                delivered=self.delivered,
                gaps=self._gaps,
                pages=self._pages,
                failures=self._failures,
            )
