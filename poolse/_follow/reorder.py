"""The rows of one log on their way out: what is decided, and what waits for lower numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Final, Generic, TypeVar

from poolse._follow.positions import Begin, Deliver, Hole, Numbered, Position
from poolse._follow.recent_history import RECENT, RecentHistory
from poolse._observe.feed_counters import FeedCount

__all__ = ["Ready", "ReorderBuffer", "action_of", "nothing_at_hand", "rows_at_hand"]

R = TypeVar("R", bound=Numbered)

Ready = deque[R | Deliver[R] | Hole | Begin]
"""Rows, bare because there are many of them, and what else is to be handed out."""

_NO_ROWS: Final = frozenset({Deliver, Hole, Begin})


class ReorderBuffer(Generic[R]):
    """Where rows are put in order. Both of its buffers are bounded."""

    def __init__(self, key: str, most: Callable[[], int], *, gaps: bool) -> None:
        self.decided = 0
        """Every number up to this one is delivered, about to be, or given up."""
        self.ready: Ready[R] = deque()
        """What can be handed out, in order."""
        self.waiting: dict[int, R] = {}
        """Rows that were heard of, above a number that was not."""
        self.behind = RecentHistory()
        self._key = key
        self._most = most
        self._gaps = gaps

    def __len__(self) -> int:
        return len(self.ready) + len(self.waiting)

    def begin(self, position: Position) -> None:
        """Start after a position."""
        self.decided = position.sequence
        if position.id is not None:
            self.behind.delivered(position.sequence, [position.id])
        self._forget_below()
        self.ready.append(Begin(position))

    def keep(self, rows: Iterable[R]) -> None:
        """Rows above a number that is missing. Of too many the highest are dropped."""
        self.waiting.update((row.sequence, row) for row in rows)
        most = self._most()
        if len(self.waiting) == most + 1:
            del self.waiting[max(self.waiting)]
        elif len(self.waiting) > most:
            for number in sorted(self.waiting)[most:]:
                del self.waiting[number]

    def drain(self) -> None:
        """Hand out what follows without a hole."""
        run, room = list[R](), self._most() - len(self.ready)
        following = self.decided + 1
        while len(run) < room and following + len(run) in self.waiting:
            run.append(self.waiting[following + len(run)])
        self.deliver(run)

    def hand_out(self, known: Mapping[int, R], settled: int) -> int | None:
        """Hand out what is known, up to the first hole that is not final: the last number of it."""
        numbers = sorted(known)
        del numbers[: bisect_right(numbers, self.decided)]
        while numbers:
            hole = numbers[0] - 1
            if hole > settled and hole > self.decided:
                return hole
            self.give_up(hole)
            count = _unbroken(numbers)
            self.deliver([known[number] for number in numbers[:count]])
            del numbers[:count]
        return None

    def deliver(self, run: list[R]) -> None:
        """These are next, and no number is missing among them."""
        if not run:
            return
        if self.waiting:
            for row in run:
                self.waiting.pop(row.sequence, None)
        self.decided = run[-1].sequence
        last = run[-RECENT:]
        # They follow one after the other.
        self.behind.delivered(last[0].sequence, [row.id for row in last])
        self.ready.extend(run)

    def late(self, row: R) -> bool:
        """Hand out a row whose number had been given up; False if it had not been."""
        if not self.behind.is_late(row.sequence):
            return False
        self.behind.delivered(row.sequence, [row.id])
        self.ready.append(Deliver(self._key, row, late=True))
        return True

    def give_up(self, last: int) -> None:
        """The log has no rows from the next number to this one."""
        if last > self.decided:
            self.behind.gave_up(self.decided + 1, last)
            if self._gaps:
                self.ready.append(Hole(self.decided + 1, last))
            self.decided = last

    def skip(self, last: int) -> None:
        """Nobody looks for rows from the next number to this one. That is always told."""
        if last > self.decided:
            self.ready.append(Hole(self.decided + 1, last, skipped=True))
            self.decided = last
            self._forget_below()

    def _forget_below(self) -> None:
        self.waiting = {n: row for n, row in self.waiting.items() if n > self.decided}


def _unbroken(numbers: list[int]) -> int:
    """How many of these follow one after the other, from the first one on."""
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return len(numbers)
    return next(i for i, number in enumerate(numbers) if number - i != numbers[0])


def rows_at_hand(
    ready: Ready[R], skip: Callable[[R], bool] | None, count: FeedCount
) -> Generator[R | None]:
    """Takes and counts rows, without those to be skipped; None while something else comes first.

    A generator, which takes half the time of a function, a hundred thousand times.
    """
    while True:
        first: Any = ready[0] if ready else None
        if first is None or type(first) in _NO_ROWS:
            yield None
            continue
        ready.popleft()
        if skip is None or not skip(first):
            count.delivered += 1
            yield first


def nothing_at_hand() -> None:
    """Stands for the above where there is something to be done before each row."""


def action_of(key: str, first: R | Deliver[R] | Hole | Begin) -> Deliver[R] | Hole | Begin:
    """What was ready, as a feed says it."""
    return first if isinstance(first, Deliver | Hole | Begin) else Deliver(key, first)
