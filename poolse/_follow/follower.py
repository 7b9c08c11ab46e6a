"""Many feeds as one: fair among them, one request at a time, and no more of them than agreed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from heapq import heappop, heappush
from math import inf
from typing import Final, Generic, TypeVar

import attrs

from poolse._follow.feed_protocol import FeedProtocol
from poolse._follow.positions import (
    At,
    Begin,
    Deliver,
    Fetch,
    Hole,
    Numbered,
    Position,
    Start,
    Wait,
)
from poolse._follow.reorder import rows_at_hand
from poolse._follow.retry import Retry
from poolse._follow.settings import FeedSettings
from poolse._json.parsing import needed
from poolse._observe.feed_counters import FeedCount
from poolse.errors import DecodeError, FeedReset, PoolseError

__all__ = ["Ask", "Began", "Follower", "Item", "Look", "Over", "Passed", "Restarted", "Step"]

R = TypeVar("R", bound=Numbered)

TURNS: Final = 100
"""So many logs are looked at in one step, which takes well below a millisecond for each ten."""


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
    stands_at: Start
    """Where it would start again."""


@attrs.frozen
class Restarted:
    """A log began anew, and is followed from its first row."""

    key: str
    position: Position
    error: PoolseError


@attrs.frozen(eq=False)
class Look:
    """Ask for the list of all logs, which shows the highest number of each."""

    joins: Mapping[str, int]
    """What `heads` has to be given with that list."""


Item = Deliver
"""Hand this row to the consumer."""

Step = Item[R] | Began | Passed | Ask | Look | Over | Restarted | Wait


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
        many: bool = False,
    ) -> None:
        """Follow nothing yet.

        Args:
            settings: Times and sizes.
            random: In [0, 1).
            skip: Which rows are not handed out.
            gaps: Whether holes are reported.
            count: Where to count what was handed out.
            many: Whether one log that begins anew is followed on, and the list of all logs may be
                asked for.
        """
        self.at_hand: dict[str, Generator[R | None]] = {}
        """Takes the rows of a log that nothing has to come before."""
        self._count = count
        self._settings = settings
        self._random = random
        self._skip = skip
        self._gaps = gaps
        self._feeds: dict[str, FeedProtocol[R]] = {}
        self._many = many
        self.uses_list: bool = many
        """Whether `step` may say `Look`."""
        # Those that may have something to do, in the order of their turns.
        self._awake: OrderedDict[str, None] = OrderedDict()
        self._due: dict[str, float] = {}
        # The same, the first one first, among entries that are true no more.
        self._timers: list[tuple[float, str]] = []
        # Those that want to ask for a page when the budget has a request again, in turn.
        self._asking: OrderedDict[str, None] = OrderedDict()
        self._budget = float(settings.burst)
        self._budget_at = 0.0
        # Those that wait for the list of all logs, and those that it did not help.
        self._looking: dict[str, None] = {}
        self._looking_since = inf
        self._by_page: set[str] = set()
        self._apart: set[str] = set()
        # Rows that are ready, in each and in all.
        self._ready: dict[str, int] = {}
        self._ready_of_all = 0

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
        self._feeds[key] = FeedProtocol[R](
            start, self._settings, self._random, gaps=self._gaps, key=key, most=self._share
        )
        self.at_hand[key] = rows_at_hand(self._feeds[key].ready, self._skip, self._count)
        self._awake[key] = None
        self._apart.add(key)

    def joined(self, key: str) -> None:
        """See `FeedProtocol.joined`; the other inputs likewise."""
        if (feed := self._told(key)) is not None:
            feed.joined()
            self._apart.discard(key)

    def lost(self, key: str) -> None:
        if (feed := self._told(key)) is not None:
            feed.lost()
            self._apart.add(key)

    def live(self, key: str, row: R, now: float) -> None:
        try:
            needed(row.sequence, "$.sequence")
        except DecodeError as error:
            self.ended(key, error)
            return
        if (feed := self._told(key)) is not None:
            feed.live(row, now)
            self._count_ready(key, feed)

    def page(self, key: str, fetch: Fetch, rows: Sequence[R], now: float) -> None:
        if (feed := self._told(key)) is not None:
            feed.page(fetch, rows, now)
            if fetch.before is None:
                self._by_page.discard(key)
            self._count_ready(key, feed)

    def abandoned(self, key: str, fetch: Fetch) -> None:
        if (feed := self._told(key)) is not None:
            feed.abandoned(fetch)

    def failed(self, key: str, fetch: Fetch, now: float, retry_after: float) -> Retry | None:
        """A page did not come. How its requests go, if the log is still followed."""
        feed = self._told(key)
        if feed is None:
            return None
        feed.failed(fetch, now, retry_after)
        if retry_after > 0:
            # The server counts the requests of the user, whatever they ask for.
            pause = min(retry_after, self._settings.max_retry_after)
            self._budget, self._budget_at = 0.0, now + pause
        return feed.retry

    def ended(self, key: str, error: PoolseError) -> None:
        """A log can be followed no more."""
        if (feed := self._told(key)) is not None:
            feed.error = feed.error or error

    def joins(self) -> dict[str, int]:
        """The last join of each log: to be given to `heads` with a list that is asked for now."""
        return {key: feed.join for key, feed in self._feeds.items()}

    def heads(
        self, found: Sequence[tuple[str, int | None]], joins: Mapping[str, int], now: float
    ) -> None:
        """The list of all logs showed these highest numbers. Those that stand there are whole."""
        for key, head in found:
            feed = self._feeds.get(key)
            if feed is None:
                continue
            if feed.confirms(head, joins.get(key, -1), now) and key in self._looking:
                del self._looking[key]
                self._awake[key] = None

    def look_at(self, time: float) -> None:
        """The list of all logs cannot be had before this time."""
        self._looking_since = time

    def looked(self, joins: Mapping[str, int]) -> None:
        """All heads were given, or cannot be had: who still waits for them asks for a page."""
        for key in list(self._looking):
            # Whoever was joined after the list was asked for waits for the next one.
            if joins.get(key) == self._feeds[key].join:
                del self._looking[key]
                self._by_page.add(key)
                self._awake[key] = None

    def _told(self, key: str) -> FeedProtocol[R] | None:
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
        self._count_ready(key, self._feeds[key])
        return None if row is None else (key, row)

    def step(self, now: float) -> Step[R]:
        """The next thing to do."""
        self._wake_due(now)
        if self._asking and self._earned(now) >= 1:
            self._awake[self._asking.popitem(last=False)[0]] = None
        for _ in range(TURNS):
            if not self._awake:
                break
            key = next(iter(self._awake))
            step = self._step(key, self._feeds[key], now)
            if step is not None:
                return step
        else:
            # Whoever needs the guard meanwhile does not have to wait for the rest.
            return Wait(now)
        return self._rest(now)

    def _rest(self, now: float) -> Look | Wait:
        """No log has something to do by itself."""
        times = [self._next_due]
        if self._looking:
            times.append(self._looking_since + (self._settings.gather if self._apart else 0.0))
            if now >= times[-1]:
                if len(self._looking) <= self._settings.few and not self._apart:
                    self.looked(self.joins())
                    return Wait(now)
                times[-1] = self._spend(now) or now
                if times[-1] <= now:
                    self._looking_since = now
                    return Look(self.joins())
        if self._asking:
            times.append(self._budget_due())
        until = min(times)
        return Wait(None if until == inf else until)

    def _step(self, key: str, feed: FeedProtocol[R], now: float) -> Step[R] | None:
        """What one feed wants done; None when it is nothing that others have to do."""
        action = feed.step(now)
        self._count_ready(key, feed)
        match action:
            case Deliver():
                # Its next turn comes after those of all others.
                self._awake.move_to_end(key)
                return None if self._skip and self._skip(action.row) else action
            case Hole():
                return Passed(key, action)
            case Begin():
                return Began(key, action.position)
            case Fetch():
                return self._fetch(key, feed, action, now)
            case Wait():
                if feed.error is not None:
                    return self._end(key, feed, feed.error)
                self._sleep(key, action.until)
                return None

    def _fetch(self, key: str, feed: FeedProtocol[R], fetch: Fetch, now: float) -> Ask | None:
        """A feed wants a page: now, later, or not if the list of all logs shows enough."""
        if self._is_full():
            # Somebody has rows to hand out. Until then, no more are asked for.
            feed.abandoned(fetch)
            self._awake.move_to_end(key)
            return None
        if self._wants_list(key, feed, fetch):
            if not self._looking:
                self._looking_since = now
            self._looking[key] = None
        elif self._spend(now) is None:
            return Ask(key, fetch)
        else:
            self._asking[key] = None
        feed.abandoned(fetch)
        self._sleep(key, None)
        return None

    def _wants_list(self, key: str, feed: FeedProtocol[R], fetch: Fetch) -> bool:
        """Whether one look at the list of all logs may answer what many are about to ask."""
        if not self.uses_list or fetch.before is not None or key in self._by_page:
            return False
        is_usual = feed.is_joined and feed.has_looked
        return len(self._feeds) > self._settings.few and not is_usual

    def _end(self, key: str, feed: FeedProtocol[R], error: PoolseError) -> Over | Restarted:
        self._forget(key)
        if not (self._many and isinstance(error, FeedReset)):
            return Over(key, error, feed.stands_at)
        start = Position(0)
        self.add(key, At(start))
        if feed.is_joined:
            self.joined(key)
        return Restarted(key, start, error)

    def _forget(self, key: str) -> None:
        self._sleep(key, None)
        self._ready_of_all -= self._ready.pop(key, 0)
        del self._feeds[key], self.at_hand[key]
        self._looking.pop(key, None)
        self._asking.pop(key, None)
        self._by_page.discard(key)
        self._apart.discard(key)

    def _count_ready(self, key: str, feed: FeedProtocol[R]) -> None:
        count = len(feed.ready)
        self._ready_of_all += count - self._ready.get(key, 0)
        self._ready[key] = count

    def _share(self) -> int:
        """Rows that each log may hold."""
        return max(1, min(self._settings.buffer, self._settings.total // (len(self._feeds) or 1)))

    def _is_full(self) -> bool:
        return self._ready_of_all >= self._settings.total

    def _sleep(self, key: str, until: float | None) -> None:
        self._awake.pop(key, None)
        if until is None:
            self._due.pop(key, None)
        elif self._due.get(key) != until:
            self._due[key] = until
            heappush(self._timers, (until, key))

    @property
    def _next_due(self) -> float:
        return self._timers[0][0] if self._timers else inf

    def _wake_due(self, now: float) -> None:
        """Wake those whose time has come, some of them if they are many."""
        for _ in range(TURNS):
            if not self._timers or self._timers[0][0] > now:
                return
            until, key = heappop(self._timers)
            if self._due.get(key) == until:
                del self._due[key]
                self._awake[key] = None

    def _earned(self, now: float) -> float:
        """Requests that the budget has now."""
        earned = max(0.0, now - self._budget_at) * self._settings.requests_per_second
        self._budget = min(float(self._settings.burst), self._budget + earned)
        self._budget_at = max(now, self._budget_at)
        # Rounded, or else a request might be due now and not be there, again and again.
        return round(self._budget, 6) if now >= self._budget_at else 0.0

    def _budget_due(self) -> float:
        """When the budget has a request again."""
        return self._budget_at + max(0.0, 1 - self._budget) / self._settings.requests_per_second

    def _spend(self, now: float) -> float | None:
        """Take a request from the budget; when there is none left, the time of the next one."""
        if self._earned(now) < 1:
            return self._budget_due()
        self._budget -= 1
        return None
