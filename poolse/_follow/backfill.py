"""How a list that is read backwards is read: in windows, in search of a start, after failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

import attrs

from poolse._follow.options import FeedSettings
from poolse._follow.positions import Last, Numbered, Position
from poolse._support.backoff import full_jitter

__all__ = ["Backfill", "PageWidth", "Retry", "StartSearch"]

M = TypeVar("M", bound=Numbered)

_NEARLY_ALL: Final = 0.9

_SLACK: Final = 1.25
"""The share of a page differs by chance from that of the next one."""


@attrs.define(eq=False)
class Backfill(Generic[M]):
    """A part of the list that is being read downwards, page by page."""

    requested_at: float
    """When its first page was requested."""
    join: int
    """The last join before that."""
    floor: int
    """The highest number that was decided before that."""
    upto: int
    """The highest number that it will show or miss."""
    before: int | None
    """Where its next page begins; None for the top of the list."""
    limit: int
    is_window: bool = False
    """Whether it began below the top of the list."""
    pages: int = 0
    messages: dict[int, M] = attrs.field(factory=dict[int, M])
    """What it has shown so far."""

    def keep(self, most: int) -> None:
        """Hold no more messages than this: let the part that is read end at a lower number."""
        if len(self.messages) > most:
            kept = sorted(self.messages)[:most]
            self.messages = {number: self.messages[number] for number in kept}
            self.upto = kept[-1]


class PageWidth:
    """How many numbers a window covers.

    As many as one page can show, as long as nearly all numbers are messages of the list and the
    server sends as many as it is asked for. Then a window is one request, and none of it is wasted.
    Else as many as a few pages show, because part of the last one is below the window.
    """

    def __init__(self, limit: int, pages: int, widest: int) -> None:
        self.most_messages = limit * pages
        """Messages that one window may hold in memory."""
        self._most = limit * widest
        # One less, so that the last number known is in the page too.
        self._narrow = max(1, limit - 1)
        self.numbers = self._narrow
        """Of the next window."""

    def learn(self, backfill: Backfill[M], messages: int) -> None:
        """Note that a window was read to its end, and its number of messages."""
        share = max(1, messages) / max(1, backfill.upto - backfill.floor)
        if share > _NEARLY_ALL and backfill.pages == 1:
            self.numbers = self._narrow
        else:
            self._span(share)

    def too_many(self, backfill: Backfill[M], lowest: int, decided: int) -> bool:
        """Return whether a backfill would likely show more messages than may be held.

        It is given up then, because all of it that is not held would be read twice, and the next
        window is narrower.

        Args:
            backfill: What was read, down to `lowest`.
            lowest: The lowest number that it showed.
            decided: The number where it would end.
        """
        share = len(backfill.messages) / max(1, backfill.upto - lowest + 1)
        total = len(backfill.messages) + share * (lowest - 1 - decided)
        if total <= self.most_messages * (_SLACK if backfill.is_window else 1):
            return False
        if backfill.is_window:
            # It was made as wide as the messages below it were sparse, and these here are not.
            self.numbers = max(self._narrow, (backfill.upto - decided) // 2)
        elif share <= _NEARLY_ALL:
            self._span(share)
        return True

    def _span(self, share: float) -> None:
        self.numbers = max(1, min(self._most, int((self.most_messages - 1) / share)))


class StartSearch:
    """Looks for the position that has the last so many messages of the list above it."""

    def __init__(self, last: Last) -> None:
        self.last = last
        self._counted = 0

    def found(self, messages: Sequence[Numbered]) -> Position | None:
        """Return where to start, if this page shows it; else pages below it must be read.

        Args:
            messages: A page, in ascending order.
        """
        self._counted += len(messages)
        extra = self._counted - self.last.count
        if messages and extra < 0:
            return None
        return Position(messages[max(0, extra)].sequence - 1 if messages else 0)


class Retry:
    """The backoff of one kind of request."""

    def __init__(self, settings: FeedSettings, random: Callable[[], float]) -> None:
        self.at = 0.0
        """No request is sent before this time."""
        self._settings = settings
        self._random = random
        self._attempt = 0
        self._since: float | None = None
        self._is_reported = False

    def worked(self) -> None:
        """Note a successful request."""
        self._attempt = 0
        self._since = None
        self._is_reported = False

    def failed(self, now: float, at_least: float) -> float | None:
        """A request failed. Return the time of the next one, if that is to be reported.

        Failures are reported once when they last for long, and whenever the next wait is long.

        Args:
            now: The time.
            at_least: Seconds that the server wants to be left alone. It cannot ask for more than
                `max_retry_after`.
        """
        settings = self._settings
        backoff = full_jitter(
            settings.base_backoff, settings.max_backoff, self._attempt, self._random()
        )
        wait = max(backoff, min(at_least, settings.max_retry_after))
        self.at = now + wait
        self._attempt += 1
        if self._since is None:
            self._since = now
        is_due = not self._is_reported and now - self._since >= settings.stalled_after
        if wait > settings.stalled_after or is_due:
            self._is_reported = True
            return self.at
        return None
