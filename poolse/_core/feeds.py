"""What the feeds of a client count."""

from __future__ import annotations

from contextlib import AbstractContextManager

from poolse.stats import FollowStats

__all__ = ["FeedTally", "Handed"]


class Handed:
    """What one feed handed out. Only its consumer counts, who needs no guard for that."""

    def __init__(self) -> None:
        self.number = 0


class FeedTally:
    """All feeds together."""

    def __init__(self, guard: AbstractContextManager[object]) -> None:
        """Begin at nothing. The guard is held during every change."""
        self._guard = guard
        self._delivered = 0
        self._open = set[Handed]()
        self._gaps = 0
        self._pages = 0
        self._failures = 0

    def renew(self, guard: AbstractContextManager[object]) -> None:
        """This is a forked child: the feeds are the parent's."""
        self._guard = guard
        self._open.clear()

    def opened(self, handed: Handed) -> None:
        """A feed begins."""
        with self._guard:
            self._open.add(handed)

    def closed(self, handed: Handed) -> None:
        """A feed is over."""
        with self._guard:
            self._open.discard(handed)
            self._delivered += handed.number

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
                feeds=len(self._open),
                delivered=self._delivered + sum(handed.number for handed in self._open),
                gaps=self._gaps,
                pages=self._pages,
                failures=self._failures,
            )
