"""Every message of a conversation once, in order, from a list that is read backwards and a channel.

It is called with what happened and when (joined, lost, a live message, a page, a failed request),
and returns what to do next: hand out a message, fetch a page, wait. It owns no clock and does
nothing itself.

- After each join the list is read again. So a message that was stored before the reading is in the
  page, and one stored after it comes live. While the channel is not joined, the list is read every
  few seconds instead.
- The list has no messages for some numbers, so a missing number proves nothing for a while: see
  `GapDeadlines`. A number that only came live counts as known, whether the list has it or not.
- The list is read backwards from any number, so a gap is filled upwards in small windows, and
  messages are handed out while most of it is still to be read.
- A page holds fewer messages than were asked for whenever the server likes. It is complete only
  down to its lowest number: the rest of its window is asked for again, until a page is empty or
  reaches down to what is known. A window begins at the last number known, whose message thereby
  shows that it is complete, and that the log is the same.
- All buffers are bounded. Of what is too much the highest number is dropped; the list has it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from math import inf
from operator import attrgetter
from typing import Final, Generic, TypeVar

from poolse._follow.backfill import Backfill, PageWidth, Retry, StartSearch
from poolse._follow.options import FeedSettings
from poolse._follow.positions import Gap, Last, Numbered, Position, Start
from poolse._follow.reorder import GapDeadlines, ReorderBuffer, ResetDetector
from poolse._follow.steps import Began, Fetch, Item, Wait
from poolse.errors import DecodeError, FeedReset, PoolseError

__all__ = ["FeedProtocol"]

M = TypeVar("M", bound=Numbered)

_number: Final[Callable[[Numbered], int]] = attrgetter("sequence")


class FeedProtocol(Generic[M]):
    """One conversation."""

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
        self.join = 0
        """Number of the last join."""
        self.is_joined = False
        """Whether the channel is joined."""
        self._key = key
        self._settings = settings
        self._random = random
        self._retry = Retry(settings, random)
        self._search = StartSearch(start) if isinstance(start, Last) else None
        self._buffer: ReorderBuffer[M] = ReorderBuffer(
            key, most or (lambda: settings.buffer), gaps=gaps
        )
        self.ready = self._buffer.ready
        """What `step` returns first."""
        self._deadlines = GapDeadlines(settings.grace)
        self._width = PageWidth(settings.limit, settings.pages, settings.widest)
        self._was_lost = True
        self._checked_join = -1
        self._resets = ResetDetector()
        self._backfill: Backfill[M] | None = None
        self._fetch: Fetch | None = None
        self._look_at = 0.0
        self._reconcile_at = inf
        if isinstance(start, Position):
            self._begin(start)

    @property
    def is_live(self) -> bool:
        """Whether all that the list had, when it was read after the last join, is decided."""
        return self.is_joined and self._search is None and self.has_looked and self._is_whole

    @property
    def has_looked(self) -> bool:
        """Whether the top of the list was seen since the last join."""
        return self._checked_join == self.join

    @property
    def start(self) -> Start:
        """Where to start to continue from here, once what is ready was handed out."""
        if self._search is not None:
            return self._search.last
        number = self._buffer.decided
        return Position(number, self._buffer.history.id_of(number))

    @property
    def waiting(self) -> int:
        """Messages that are held in memory."""
        return len(self._buffer) + (len(self._backfill.messages) if self._backfill else 0)

    @property
    def _is_whole(self) -> bool:
        """Whether every number that was seen is decided."""
        return self._buffer.decided >= self._deadlines.highest

    # What happened.

    def joined(self) -> None:
        """Note that the channel is joined: from now on messages arrive live."""
        self.is_joined = True
        self.join += 1

    def lost(self) -> None:
        """Note that the channel was lost: messages no longer arrive live."""
        self.is_joined = False
        self._was_lost = True

    def live(self, message: M, now: float) -> None:
        """Note a live message."""
        if self.error is not None:
            return
        number = message.sequence
        if number <= self._buffer.decided:
            self._again(message)
            if self._grew_below(number):
                self._reconcile_at = 0.0
            return
        was_whole = self._is_whole
        self._deadlines.seen(number, now)
        self._buffer.keep([message])
        self._drain()
        if was_whole and not self._is_whole:
            self._look_at = now + self._settings.reorder

    def page(self, fetch: Fetch, messages: Sequence[M], now: float) -> None:
        """Process the requested page, in any order."""
        backfill = self._backfill
        if fetch is not self._fetch or backfill is None:
            return
        self._fetch = None
        self._retry.worked()
        below = sorted(messages, key=_number)
        if fetch.before is not None:
            del below[bisect_left(below, fetch.before, key=_number) :]
        if messages and not below:
            self.error = DecodeError(
                f"the server returned the same page again: nothing below {fetch.before}"
            )
            return
        if fetch.before is None:
            self._saw_newest(backfill, below[-1].sequence if below else 0, now)
        backfill.pages += 1
        if self.error is not None:
            return
        if self._search is None:
            self._read(backfill, below)
        elif (position := self._search.found(below)) is None:
            backfill.before = below[0].sequence
        else:
            self._backfill = None
            self._begin(position)

    def confirms(self, head: int | None, join: int, now: float) -> bool:
        """Compare with the highest number in the list of all. Return whether nothing is missing.

        Args:
            head: The number.
            join: The number of the last join when that list was asked for.
            now: The time.
        """
        is_busy = self._search is not None or self.error is not None or self._backfill is not None
        if is_busy or join != self.join or not (head == self._buffer.decided and self._is_whole):
            return False
        self._looked(join, now)
        return True

    def failed(self, fetch: Fetch, now: float, retry_after: float = 0.0) -> float | None:
        """The page that was asked for did not come, and may later.

        Returns:
            The time of the next request, if the failure is to be reported.
        """
        if fetch is not self._fetch:
            return None
        self.abandoned(fetch)
        return self._retry.failed(now, retry_after)

    def abandoned(self, fetch: Fetch) -> None:
        """Note that the page is no longer needed, but the feed continues."""
        if fetch is self._fetch:
            self._fetch = None
            if self._backfill is not None and not self._backfill.pages:
                # Asked for again, it will show more.
                self._backfill = None

    # What to do.

    def step(self, now: float) -> Item[M] | Gap | Began | Fetch | Wait:
        """Return the next thing to do. When there is an `error`, only what came before it."""
        self._drain()
        if self.ready:
            return self._buffer.take()
        if self._fetch is not None or self.error is not None:
            return Wait()
        if now < self._retry.at:
            return Wait(self._retry.at)
        if self._backfill is None:
            until = self._idle_until(now)
            if until is not None:
                return Wait(until)
            self._backfill = self._next_backfill(now)
        self._fetch = Fetch(self._key, self._backfill.before, self._backfill.limit)
        return self._fetch

    def _idle_until(self, now: float) -> float | None:
        """Return the time of the next read; None for now."""
        if self.is_joined and not self.has_looked:
            return None
        if not self.is_joined and self._was_lost:
            self._was_lost = False
            pause = self._settings.poll_after * (0.5 + self._random())
            self._reconcile_at = min(self._reconcile_at, now + pause)
        until = self._reconcile_at if self._is_whole else min(self._look_at, self._reconcile_at)
        return until if now < until else None

    def _next_backfill(self, now: float) -> Backfill[M]:
        limit, highest = self._settings.limit, self._deadlines.highest
        join, decided = self.join, self._buffer.decided
        if self.has_looked and now < self._reconcile_at:
            upto = min(decided + self._width.numbers, highest)
            return Backfill(now, join, decided, upto, upto + 1, limit, is_window=True)
        if self._search is not None:
            limit = min(limit, self._search.last.count)
        elif self.is_joined and self.has_looked:
            limit = 1
        return Backfill(now, join, decided, highest, None, limit)

    # What a page shows.

    def _begin(self, position: Position) -> None:
        self._search = None
        self._deadlines.seen(position.sequence, -inf)
        self._buffer.begin(position)

    def _saw_newest(self, backfill: Backfill[M], top: int, now: float) -> None:
        """Note that only live messages are above the newest page."""
        self._deadlines.seen(top, now)
        most = self._settings.max_backfill
        if most is not None and self._search is None and self._checked_join != backfill.join:
            self._buffer.skip(top - most)
            backfill.floor = max(backfill.floor, top - most)
        self._looked(backfill.join, now)
        backfill.upto = max(top, backfill.upto)
        backfill.limit = self._settings.limit
        if self._grew_below(top):
            self.error = self._reset(top, "was reused")
        self._resets.saw(top, self._deadlines.settled(backfill.requested_at))

    def _looked(self, join: int, now: float) -> None:
        """Note that the top of the list was seen after this join."""
        self._checked_join = join
        self._reconcile_at = now + self._settings.pause(self._random, is_joined=self.is_joined)

    def _read(self, backfill: Backfill[M], messages: list[M]) -> None:
        """Take what a page shows, and read on below it unless its window is complete."""
        known = bisect_right(messages, self._buffer.decided, key=_number)
        for message in messages[:known]:
            self._again(message)
        if self.error is not None:
            return
        new = messages[known:]
        if self._is_next_window(backfill, new):
            # So is nearly every page of a long gap: there is nothing to be put in order.
            self._backfill, self._look_at = None, 0.0
            self._width.learn(backfill, len(new))
            self._buffer.deliver(new)
            return
        backfill.messages |= {message.sequence: message for message in new}
        backfill.keep(self._width.most_messages)
        if not messages or messages[0].sequence <= self._buffer.decided + 1:
            self._backfill = None
            self._width.learn(backfill, len(backfill.messages))
            self._decide(backfill)
        elif self._width.too_many(backfill, messages[0].sequence, self._buffer.decided):
            # So it is filled from below, in windows.
            self._backfill, self._look_at = None, 0.0
        else:
            backfill.before = messages[0].sequence

    def _is_next_window(self, backfill: Backfill[M], new: list[M]) -> bool:
        """Return whether these are the whole window, each number once, and no others are known."""
        if self._buffer.waiting or backfill.messages:
            return False
        count = backfill.upto - self._buffer.decided
        return count == len(new) == len({message.sequence for message in new}) > 0

    def _decide(self, backfill: Backfill[M]) -> None:
        """Hand out what is below the first gap that is not final; keep what is above it."""
        settled = self._deadlines.settled(backfill.requested_at)
        waiting = {n: m for n, m in self._buffer.waiting.items() if n <= backfill.upto}
        known = waiting | backfill.messages
        missing = self._buffer.hand_out(known, settled)
        if missing is None:
            self._buffer.give_up(min(backfill.upto, settled))
            missing = backfill.upto if self._buffer.decided < backfill.upto else None
        else:
            self._buffer.keep(message for number, message in known.items() if number > missing)
        self._drain()
        self._look_at = 0.0 if missing is None else self._deadlines.settles_at(missing)

    def _again(self, message: M) -> None:
        """Process a message with a lower number: old, late, or after a restart of the numbers."""
        number = message.sequence
        if not self._buffer.late(message) and self._buffer.history.contradicts(number, message.id):
            self.error = self._reset(number, "belongs to another message")

    def _grew_below(self, number: int) -> bool:
        """Return whether a number behind us was given out after higher ones."""
        new = number <= self._buffer.decided and self._resets.is_new_below(number)
        return new and not self._buffer.history.knows(number)

    def _drain(self) -> None:
        if self._search is None and self._buffer.waiting:
            self._buffer.drain()

    def _reset(self, number: int, what: str) -> FeedReset:
        text = f"the sequence of conversation {self._key} restarted: number {number} {what}"
        return FeedReset(text, number, self._key)
