"""Every row of one log once, in order: from a list that is read backwards, and a lossy channel.

Told what happened and when (joined, lost, a live row, a page, a failed request), it says what to do
next: hand out a row, fetch a page, wait. It owns no clock and does nothing itself.

- After each join the list is read anew. So a row that was stored before the reading is in the
  page, and one stored after it comes live. While the channel is not joined, the list is read every
  few seconds instead.
- The list has no rows for some numbers, so a missing number proves nothing for a while: see
  `GapDeadlines`. A number that only came live counts as known, whether the list has it or not.
- The list is read backwards from any number, so a gap is filled upwards in small windows, and rows
  are handed out while most of it is still to be read.
- A page holds fewer rows than were asked for whenever the server likes. It is complete only down
  to its lowest number: the rest of its window is asked for again, until a page is empty or
  reaches down to what is known. A window begins at the last number known, whose row thereby shows
  that it is complete, and that the log is the same.
- All buffers are bounded. Of what is too much the highest number is dropped; the list has it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from math import inf
from operator import attrgetter
from typing import Final, Generic, TypeVar

from poolse._follow.backfill import Backfill, PageWidth, StartSearch
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
from poolse._follow.recent_history import GapDeadlines, ResetDetector
from poolse._follow.reorder import ReorderBuffer, action_of
from poolse._follow.retry import Retry
from poolse._follow.settings import FeedSettings
from poolse.errors import DecodeError, FeedReset, PoolseError

__all__ = ["Action", "FeedProtocol"]

R = TypeVar("R", bound=Numbered)

_number: Final[Callable[[Numbered], int]] = attrgetter("sequence")

Action = Deliver[R] | Hole | Begin | Fetch | Wait


class FeedProtocol(Generic[R]):
    """One log."""

    def __init__(
        self,
        start: Start,
        settings: FeedSettings,
        random: Callable[[], float],
        *,
        gaps: bool,
        key: str = "",
        most: Callable[[], int] | None = None,
    ) -> None:
        self.error: PoolseError | None = None
        """What ended it."""
        self.retry = Retry(settings, random)
        """How the requests go."""
        self.join = 0
        """Number of the last join."""
        self.is_joined = False
        """Whether the channel is joined."""
        self._key = key
        self._settings = settings
        self._random = random
        self._search = None if isinstance(start, At) else StartSearch(start)
        self._out: ReorderBuffer[R] = ReorderBuffer(
            key, most or (lambda: settings.buffer), gaps=gaps
        )
        self.ready = self._out.ready
        """What `step` says first."""
        self._horizon = GapDeadlines(settings.grace)
        self._width = PageWidth(settings.limit, settings.pages, settings.widest)
        self._was_lost = True
        self._checked_join = -1
        self._top = ResetDetector()
        self._reading: Backfill[R] | None = None
        self._asked: Fetch | None = None
        self._look_at = 0.0
        self._reconcile_at = inf
        if isinstance(start, At):
            self._begin(start.position)

    @property
    def is_live(self) -> bool:
        """Whether all that the list had, when it was read after the last join, is decided."""
        checked = self.is_joined and self._search is None and self._checked_join == self.join
        return checked and self._out.decided >= self._horizon.highest

    @property
    def has_looked(self) -> bool:
        """Whether the top of the list was seen since the last join."""
        return self._checked_join == self.join

    @property
    def stands_at(self) -> Start:
        """Where to start to go on from here, once what is ready was handed out."""
        if self._search is not None:
            return self._search.last
        number = self._out.decided
        return At(Position(number, self._out.behind.id_of(number)))

    @property
    def waiting(self) -> int:
        """Rows that are held in memory."""
        read = len(self._reading.rows) if self._reading else 0
        return len(self._out) + read

    # What happened.

    def joined(self) -> None:
        """The server has let us in: from now on what is stored comes live."""
        self.is_joined = True
        self.join += 1

    def lost(self) -> None:
        """What is stored from now on does not come."""
        self.is_joined = False
        self._was_lost = True

    def live(self, row: R, now: float) -> None:
        """A row came by itself."""
        if self.error is not None:
            return
        if row.sequence <= self._out.decided:
            self._again(row)
            if self._grew_below(row.sequence):
                self._reconcile_at = 0.0
            return
        was_whole = self._out.decided >= self._horizon.highest
        self._horizon.seen(row.sequence, now)
        self._out.keep([row])
        self._drain()
        if was_whole and self._out.decided < self._horizon.highest:
            self._look_at = now + self._settings.reorder

    def page(self, fetch: Fetch, rows: Sequence[R], now: float) -> None:
        """The page that was asked for came, in whatever order."""
        reading = self._reading
        if fetch is not self._asked or reading is None:
            return
        self._asked = None
        self.retry.worked()
        below = sorted(rows, key=_number)
        if fetch.before is not None:
            del below[bisect_left(below, fetch.before, key=_number) :]
        if rows and not below:
            self.error = DecodeError(f"the server repeats itself: nothing below {fetch.before}")
            return
        if fetch.before is None:
            self._saw_newest(reading, below[-1].sequence if below else 0, now)
        reading.pages += 1
        if self.error is not None:
            return
        if self._search is None:
            self._read(reading, below)
        else:
            self._look_for_start(self._search, reading, below)

    def confirms(self, head: int | None, join: int, now: float) -> bool:
        """The list of all logs shows the highest number. Whether nothing is missing, by that.

        Args:
            head: The number.
            join: The number of the last join when that list was asked for.
            now: The time.
        """
        behind = self._search is not None or self.error is not None or self._reading is not None
        if behind or join != self.join or not head == self._out.decided >= self._horizon.highest:
            return False
        self._looked(join, now)
        return True

    def failed(self, fetch: Fetch, now: float, retry_after: float = 0.0) -> None:
        """The page that was asked for did not come, and may later."""
        if fetch is self._asked:
            self.retry.failed(now, retry_after)
            self.abandoned(fetch)

    def abandoned(self, fetch: Fetch) -> None:
        """Nobody waits for the page any more, but the feed goes on."""
        if fetch is self._asked:
            self._asked = None
            if self._reading is not None and not self._reading.pages:
                # Asked for again, it will show more.
                self._reading = None

    # What to do.

    def step(self, now: float) -> Action[R]:
        """The next thing to do. When there is an `error`, only what came before it."""
        self._drain()
        if self.ready:
            return action_of(self._key, self.ready.popleft())
        if self._asked is not None or self.error is not None:
            return Wait()
        if now < self.retry.at:
            return Wait(self.retry.at)
        if self._reading is None:
            until = self._idle_until(now)
            if until is not None:
                return Wait(until)
            self._reading = self._next_reading(now)
        self._asked = Fetch(self._reading.before, self._reading.limit)
        return self._asked

    def _idle_until(self, now: float) -> float | None:
        """When there will be something to read; None for now."""
        if self.is_joined and not self.has_looked:
            return None
        if not self.is_joined and self._was_lost:
            self._was_lost = False
            pause = self._settings.poll_after * (0.5 + self._random())
            self._reconcile_at = min(self._reconcile_at, now + pause)
        whole = self._out.decided >= self._horizon.highest
        until = self._reconcile_at if whole else min(self._look_at, self._reconcile_at)
        return until if now < until else None

    def _next_reading(self, now: float) -> Backfill[R]:
        limit, highest = self._settings.limit, self._horizon.highest
        join, decided = self.join, self._out.decided
        if self.has_looked and now < self._reconcile_at:
            upto = min(decided + self._width.numbers, highest)
            return Backfill(now, join, decided, upto, upto + 1, limit, window=True)
        if self._search is not None:
            limit = self._search.limit(limit)
        elif self.is_joined and self.has_looked:
            limit = 1
        return Backfill(now, join, decided, highest, None, limit)

    # What a page says.

    def _begin(self, position: Position) -> None:
        self._search = None
        self._horizon.seen(position.sequence, -inf)
        self._out.begin(position)

    def _look_for_start(self, search: StartSearch, reading: Backfill[R], rows: list[R]) -> None:
        position = search.found(rows)
        if position is None:
            reading.before = rows[0].sequence
        else:
            self._reading = None
            self._begin(position)

    def _saw_newest(self, reading: Backfill[R], top: int, now: float) -> None:
        """Nothing is above the newest page, except what came live."""
        self._horizon.seen(top, now)
        most = self._settings.max_backfill
        if most is not None and self._search is None and self._checked_join != reading.join:
            self._out.skip(top - most)
            reading.floor = max(reading.floor, top - most)
        self._looked(reading.join, now)
        reading.upto = max(top, reading.upto)
        reading.limit = self._settings.limit
        if self._grew_below(top):
            self.error = self._reset(top, "was given out again")
        self._top.saw(top, self._horizon.settled(reading.asked_at))

    def _looked(self, join: int, now: float) -> None:
        """The top of the list was seen, after this join."""
        self._checked_join = join
        pause = self._settings.reconcile if self.is_joined else self._settings.poll
        self._reconcile_at = now + pause * (0.8 + 0.4 * self._random())

    def _read(self, reading: Backfill[R], rows: list[R]) -> None:
        """Take what a page shows, and go on below it unless its window is complete."""
        known = bisect_right(rows, self._out.decided, key=_number)
        for row in rows[:known]:
            self._again(row)
        if self.error is not None:
            return
        new = rows[known:]
        if self._is_next_window(reading, new):
            # So is nearly every page of a long gap: there is nothing to be put in order.
            self._reading, self._look_at = None, 0.0
            self._width.learn(reading, len(new))
            self._out.deliver(new)
            return
        reading.rows |= {row.sequence: row for row in new}
        reading.keep(self._width.most_rows)
        if not rows or rows[0].sequence <= self._out.decided + 1:
            self._reading = None
            self._width.learn(reading, len(reading.rows))
            self._decide(reading)
        elif self._width.too_many(reading, rows[0].sequence, self._out.decided):
            # So it is filled from below, in windows.
            self._reading, self._look_at = None, 0.0
        else:
            reading.before = rows[0].sequence

    def _is_next_window(self, reading: Backfill[R], new: list[R]) -> bool:
        """Whether these rows are the whole window, each number once, and no others are known."""
        if self._out.waiting or reading.rows:
            return False
        count = reading.upto - self._out.decided
        return count == len(new) == len({row.sequence for row in new}) > 0

    def _decide(self, reading: Backfill[R]) -> None:
        """Hand out what is below the first hole that is not final; keep what is above it."""
        settled = self._horizon.settled(reading.asked_at)
        waiting = {n: row for n, row in self._out.waiting.items() if n <= reading.upto}
        known = waiting | reading.rows
        hole = self._out.hand_out(known, settled)
        if hole is None:
            self._out.give_up(min(reading.upto, settled))
            hole = reading.upto if self._out.decided < reading.upto else None
        else:
            self._out.keep(row for number, row in known.items() if number > hole)
        self._drain()
        self._look_at = 0.0 if hole is None else self._horizon.settles_at(hole)

    # Rows and numbers.

    def _again(self, row: R) -> None:
        """A row whose number is behind us: old, or late, or of another log."""
        if not self._out.late(row) and self._out.behind.contradicts(row.sequence, row.id):
            self.error = self._reset(row.sequence, "has another message now")

    def _grew_below(self, number: int) -> bool:
        """Whether a number behind us was given out after higher ones."""
        new = number <= self._out.decided and self._top.is_new_below(number)
        return new and not self._out.behind.knows(number)

    def _drain(self) -> None:
        if self._search is None and self._out.waiting:
            self._out.drain()

    def _reset(self, number: int, what: str) -> FeedReset:
        text = f"the log of conversation {self._key} began anew: number {number} {what}"
        return FeedReset(text, number, self._key)
