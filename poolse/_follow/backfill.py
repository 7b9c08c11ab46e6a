"""How a list that is read backwards is read: in windows, and in search of a start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

import attrs

from poolse._follow.positions import Newest, Numbered, Position

__all__ = ["Backfill", "PageWidth", "StartSearch"]

R = TypeVar("R", bound=Numbered)

_NEARLY_ALL: Final = 0.9

_SLACK: Final = 1.25
"""The share of a page differs by chance from that of the next one."""


@attrs.define(eq=False)
class Backfill(Generic[R]):
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
    window: bool = False
    """Whether it began below the top of the list."""
    pages: int = 0
    rows: dict[int, R] = attrs.field(factory=dict[int, R])
    """What it has shown so far."""

    def keep(self, most: int) -> None:
        """Hold no more rows than this: let the part that is read end at a lower number."""
        if len(self.rows) > most:
            kept = sorted(self.rows)[:most]
            self.rows = {number: self.rows[number] for number in kept}
            self.upto = kept[-1]


class PageWidth:
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

    def learn(self, reading: Backfill[R], rows: int) -> None:
        """A window was read to its end, and had so many rows."""
        share = max(1, rows) / max(1, reading.upto - reading.floor)
        if share > _NEARLY_ALL and reading.pages == 1:
            self.numbers = max(1, self._limit - 1)
        else:
            self.numbers = max(1, min(self.most, int((self.most_rows - 1) / share)))

    def too_many(self, reading: Backfill[R], lowest: int, decided: int) -> bool:
        """Whether a reading would show more rows than may be held, by what it showed so far.

        It is given up then, because all of it that is not held would be read twice, and the next
        window is narrower.

        Args:
            reading: What was read, down to `lowest`.
            lowest: The lowest number that it showed.
            decided: The number where it would end.
        """
        share = len(reading.rows) / max(1, reading.upto - lowest + 1)
        more = share * (lowest - 1 - decided)
        if reading.window:
            # It was made as wide as the rows below it were sparse, and these here are not.
            if len(reading.rows) + more <= self.most_rows * _SLACK:
                return False
            self.numbers = max(1, self._limit - 1, (reading.upto - decided) // 2)
            return True
        if len(reading.rows) + more <= self.most_rows:
            return False
        if share <= _NEARLY_ALL:
            self.numbers = max(1, min(self.most, int((self.most_rows - 1) / share)))
        return True


class StartSearch:
    """Looks for the position that has the last so many rows of the list above it."""

    def __init__(self, last: Newest) -> None:
        self.last = last
        self._counted = 0

    def limit(self, most: int) -> int:
        """How many rows to ask for."""
        return min(most, self.last.count)

    def found(self, rows: Sequence[Numbered]) -> Position | None:
        """Where to start, if this page tells; else it has to be read on below it.

        Args:
            rows: A page, in ascending order.
        """
        self._counted += len(rows)
        if rows and self._counted < self.last.count:
            return None
        return Position(rows[max(0, self._counted - self.last.count)].sequence - 1 if rows else 0)
