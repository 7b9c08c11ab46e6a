"""How a list that is read backwards is read: in windows, and in search of a start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

import attrs

from poolse._follow.actions import Newest, Numbered, Position

__all__ = ["Reading", "Search", "Width"]

R = TypeVar("R", bound=Numbered)

_NEARLY_ALL: Final = 0.9


@attrs.define(eq=False)
class Reading(Generic[R]):
    """A part of the list that is being read downwards, page by page."""

    asked_at: float
    """When its first page was asked for."""
    join: int
    """The last join before that."""
    floor: int
    """The highest number that was decided before that."""
    upto: int
    """The highest number that it will show or miss."""
    before: int | None
    """Where its next page begins; None for the top of the list."""
    limit: int
    pages: int = 0
    rows: dict[int, R] = attrs.field(factory=dict[int, R])
    """What it has shown so far."""

    def keep(self, most: int) -> None:
        """Hold no more rows than this: let the part that is read end at a lower number."""
        if len(self.rows) > most:
            kept = sorted(self.rows)[:most]
            self.rows = {number: self.rows[number] for number in kept}
            self.upto = kept[-1]


class Width:
    """How many numbers a window covers.

    As many as one page can show, as long as nearly all numbers are rows of the list and the server
    sends as many as it is asked for. Then a window is one request, and none of it is wasted. Else
    as many as a few pages show, because part of the last one is below the window.
    """

    def __init__(self, limit: int, pages: int, widest: int) -> None:
        self.most = limit * widest
        """The widest window."""
        self.most_rows = limit * pages
        """Rows that one window may hold in memory."""
        self._limit = limit
        # One less, so that the last number known is in the page too.
        self.numbers = max(1, limit - 1)
        """Of the next window."""

    def learn(self, reading: Reading[R], rows: int) -> None:
        """A window was read to its end, and had so many rows."""
        share = max(1, rows) / max(1, reading.upto - reading.floor)
        if share > _NEARLY_ALL and reading.pages == 1:
            self.numbers = max(1, self._limit - 1)
        else:
            self.numbers = max(1, min(self.most, int((self.most_rows - 1) / share)))


class Search:
    """Looks for the position that has the last so many rows of the list above it."""

    def __init__(self, last: Newest) -> None:
        self._last = last
        self._counted = 0

    def limit(self, most: int) -> int:
        """How many rows to ask for."""
        return min(most, self._last.count)

    def found(self, rows: Sequence[Numbered]) -> Position | None:
        """Where to start, if this page tells; else it has to be read on below it.

        Args:
            rows: A page, in ascending order.
        """
        self._counted += len(rows)
        if rows and self._counted < self._last.count:
            return None
        return Position(rows[max(0, self._counted - self._last.count)].sequence - 1 if rows else 0)
