"""Many feeds as one: fair among them, one request at a time, and no more of them than agreed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from math import inf
from typing import Generic, TypeVar

import attrs

from poolse._core.feeds import FeedCount
from poolse._core.reading import needed
from poolse._follow.actions import Begin, Deliver, Fetch, Hole, Numbered, Position, Start, Wait
from poolse._follow.feed import FeedMachine
from poolse._follow.outlet import rows_at_hand
from poolse._follow.settings import FeedSettings
from poolse.errors import DecodeError, PoolseError

__all__ = ["Ask", "Began", "Follower", "Item", "Over", "Passed", "Step"]

R = TypeVar("R", bound=Numbered)


@attrs.frozen
class Began:
    """The start of a log was found."""

    key: str
    position: Position


@attrs.frozen
class Passed:
    """Numbers of a log were passed over."""

    key: str
    hole: Hole


@attrs.frozen
class Ask:
    """Ask the list of a log for a page."""

    key: str
    fetch: Fetch


@attrs.frozen
class Over:
    """A log is followed no more."""

    key: str
    error: PoolseError


Item = Deliver
"""Hand this row to the consumer."""

Step = Item[R] | Began | Passed | Ask | Over | Wait


class Follower(Generic[R]):
    """Feeds by their keys."""

    def __init__(
        self,
        settings: FeedSettings,
        random: Callable[[], float],
        *,
        skip: Callable[[R], bool] | None,
        gaps: bool,
        count: FeedCount,
    ) -> None:
        self.at_hand: dict[str, Generator[R | None]] = {}
        """Takes the rows of a log that nothing has to come before."""
        self._count = count
        self._settings = settings
        self._random = random
        self._skip = skip
        self._gaps = gaps
        self._feeds: dict[str, FeedMachine[R]] = {}
        # Those that may have something to do, in the order of their turns.
        self._awake: dict[str, None] = {}
        self._due: dict[str, float] = {}
        self._next_due = inf
        self._budget = float(settings.burst)
        self._budget_at = 0.0

    def __contains__(self, key: str) -> bool:
        return key in self._feeds

    def __len__(self) -> int:
        return len(self._feeds)

    @property
    def waiting(self) -> int:
        """Rows that are held in memory."""
        return sum(feed.waiting for feed in self._feeds.values())

    # What happened.

    def add(self, key: str, start: Start) -> None:
        """Follow one log more."""
        self._feeds[key] = FeedMachine[R](
            start, self._settings, self._random, gaps=self._gaps, key=key, most=self._share
        )
        self.at_hand[key] = rows_at_hand(self._feeds[key].ready, self._skip, self._count)
        self._awake[key] = None

    def joined(self, key: str) -> None:
        """See `FeedMachine.joined`; the other inputs likewise."""
        if (feed := self._told(key)) is not None:
            feed.joined()

    def lost(self, key: str) -> None:
        if (feed := self._told(key)) is not None:
            feed.lost()

    def live(self, key: str, row: R, now: float) -> None:
        try:
            needed(row.sequence, "$.sequence")
        except DecodeError as error:
            self.ended(key, error)
            return
        if (feed := self._told(key)) is not None:
            feed.live(row, now)

    def page(self, key: str, fetch: Fetch, rows: Sequence[R], now: float) -> None:
        if (feed := self._told(key)) is not None:
            feed.page(fetch, rows, now)

    def abandoned(self, key: str, fetch: Fetch) -> None:
        if (feed := self._told(key)) is not None:
            feed.abandoned(fetch)

    def failed(self, key: str, fetch: Fetch, now: float, retry_after: float) -> bool:
        """A page did not come. Whether it is time to tell somebody."""
        feed = self._told(key)
        if feed is None:
            return False
        feed.failed(fetch, now, retry_after)
        if retry_after > 0:
            # The server counts the requests of the user, whatever they ask for.
            self._budget, self._budget_at = 0.0, now + retry_after
        return feed.retry.has_stalled(now)

    def ended(self, key: str, error: PoolseError) -> None:
        """A log can be followed no more."""
        if (feed := self._told(key)) is not None:
            feed.error = feed.error or error

    def _told(self, key: str) -> FeedMachine[R] | None:
        feed = self._feeds.get(key)
        if feed is not None:
            self._awake[key] = None
        return feed

    # What to do.

    def at_once(self, now: float) -> tuple[str, R] | None:
        """The next row, if it is there already, and no other log waits for its turn."""
        if now >= self._next_due or len(self._awake) != 1:
            return None
        (key,) = self._awake
        row = next(self.at_hand[key])
        return None if row is None else (key, row)

    def step(self, now: float) -> Step[R]:
        """The next thing to do."""
        if now >= self._next_due:
            self._wake_due(now)
        while self._awake:
            key = next(iter(self._awake))
            step = self._step(key, self._feeds[key], now)
            if step is not None:
                return step
        return Wait(None if self._next_due == inf else self._next_due)

    def _step(self, key: str, feed: FeedMachine[R], now: float) -> Step[R] | None:
        """What one feed wants done; None when it is nothing that others have to do."""
        match action := feed.step(now):
            case Deliver():
                # Its next turn comes after those of all others.
                del self._awake[key]
                self._awake[key] = None
                return None if self._skip and self._skip(action.row) else action
            case Hole():
                return Passed(key, action)
            case Begin():
                return Began(key, action.position)
            case Fetch() if self._is_full():
                # Somebody has rows to hand out. Until then, no more are asked for.
                feed.abandoned(action)
                del self._awake[key]
                self._awake[key] = None
            case Fetch():
                until = self._spend(now)
                if until is None:
                    return Ask(key, action)
                feed.abandoned(action)
                self._sleep(key, until)
            case Wait():
                if feed.error is not None:
                    del self._feeds[key], self.at_hand[key]
                    self._sleep(key, None)
                    return Over(key, feed.error)
                self._sleep(key, action.until)
        return None

    def _share(self) -> int:
        """Rows that each log may hold."""
        return max(1, min(self._settings.buffer, self._settings.total // (len(self._feeds) or 1)))

    def _is_full(self) -> bool:
        return sum(len(feed.ready) for feed in self._feeds.values()) >= self._settings.total

    def _sleep(self, key: str, until: float | None) -> None:
        self._awake.pop(key, None)
        if until is None:
            self._due.pop(key, None)
        else:
            self._due[key] = until
            self._next_due = min(self._next_due, until)

    def _wake_due(self, now: float) -> None:
        for key in [key for key, until in self._due.items() if until <= now]:
            del self._due[key]
            self._awake[key] = None
        self._next_due = min(self._due.values(), default=inf)

    def _spend(self, now: float) -> float | None:
        """Take a request from the budget; when there is none left, the time of the next one."""
        rate = self._settings.requests_per_second
        earned = max(0.0, now - self._budget_at) * rate
        self._budget = min(float(self._settings.burst), self._budget + earned)
        self._budget_at = max(now, self._budget_at)
        if self._budget < 1:
            return self._budget_at + (1 - self._budget) / rate
        self._budget -= 1
        return None
