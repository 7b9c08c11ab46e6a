"""The rows of one log on their way out: what is decided, and what waits for lower numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from poolse._follow.actions import Begin, Deliver, Hole, Numbered, Position
from poolse._follow.memory import RECENT, Behind

__all__ = ["Outlet"]

R = TypeVar("R", bound=Numbered)


class Outlet(Generic[R]):
    """Where rows are put in order. Both of its buffers are bounded."""

    def __init__(self, key: str, most: Callable[[], int], *, gaps: bool) -> None:
        self.decided = 0
        """Every number up to this one is delivered, about to be, or given up."""
        self.ready: deque[Deliver[R] | Hole | Begin] = deque()
        """What can be handed out, in order."""
        self.waiting: dict[int, R] = {}
        """Rows that were heard of, above a number that was not."""
        self.behind = Behind()
        self._key = key
        self._most = most
        self._gaps = gaps

    def __len__(self) -> int:
        return len(self.ready) + len(self.waiting)

    def begin(self, position: Position) -> None:
        """Start after a position."""
        self.decided = position.sequence
        if position.id is not None:
            self.behind.delivered({position.sequence: position.id})
        self._forget_below()
        self.ready.append(Begin(position))

    def keep(self, rows: Iterable[R]) -> None:
        """Rows above a number that is missing. Of too many the highest are dropped."""
        for row in rows:
            self.waiting[row.sequence] = row
            while len(self.waiting) > self._most():
                del self.waiting[max(self.waiting)]

    def drain(self) -> None:
        """Hand out what follows without a hole."""
        run, room = list[R](), self._most() - len(self.ready)
        following = self.decided + 1
        while len(run) < room and following + len(run) in self.waiting:
            run.append(self.waiting[following + len(run)])
        self.deliver(run)

    def deliver(self, run: list[R]) -> None:
        """These are next, in this order."""
        if not run:
            return
        if self.waiting:
            for row in run:
                self.waiting.pop(row.sequence, None)
        self.decided = run[-1].sequence
        self.behind.delivered({row.sequence: row.id for row in run[-RECENT:]})
        self.ready.extend([Deliver(self._key, row) for row in run])

    def late(self, row: R) -> bool:
        """Hand out a row whose number had been given up; False if it had not been."""
        if not self.behind.is_late(row.sequence):
            return False
        self.behind.delivered({row.sequence: row.id})
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
