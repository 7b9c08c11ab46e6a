"""How many requests of a sync client are under way at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpcore

from poolse._http.deadline import Limit, current, moment
from poolse._support.interruptible_event import InterruptibleEvent

if TYPE_CHECKING:
    from poolse.stats import PoolStats

__all__ = ["ConnectionLimit"]


class _Turn(InterruptibleEvent):
    """One request that waits for another to end."""

    has_come = False


class ConnectionLimit:
    """As many requests as there are connections; httpcore's own queue could not be left at will.

    Those that wait get their turn in the order in which they came.
    """

    def __init__(self, count: int) -> None:
        self._count = self._free = count
        self._turns = deque[_Turn]()
        self._lock = threading.Lock()

    @contextmanager
    def held(self, timeout: float | None) -> Generator[None]:
        """Hold a connection. Waits at most `timeout` seconds for it, within the current attempt.

        Raises:
            httpcore.PoolTimeout: There was none in time.
            Cancelled: By the attempt's token.
            UsageError: The client was closed.
        """
        self._acquire(Limit(moment(timeout), httpcore.PoolTimeout))
        try:
            yield
        finally:
            self._release()

    @property
    def is_unused(self) -> bool:
        """Whether no request is under way."""
        return self._free == self._count

    def stats(self) -> PoolStats:
        """How many requests are under way, and how many wait."""
        from poolse.stats import PoolStats

        with self._lock:
            return PoolStats(
                size=self._count, in_use=self._count - self._free, waiting=len(self._turns)
            )

    def _acquire(self, until: Limit) -> None:
        turn = _Turn()
        with self._lock:
            if self._free:
                self._free -= 1
                return
            self._turns.append(turn)
        attempt = current.get()
        try:
            with attempt.telling(turn.set):
                while not turn.has_come:
                    attempt.wait_on(turn, until)
        except BaseException:
            with self._lock:
                if not turn.has_come:
                    self._turns.remove(turn)
                    raise
            self._release()
            raise

    def _release(self) -> None:
        with self._lock:
            if not self._turns:
                self._free += 1
                return
            turn = self._turns.popleft()
            turn.has_come = True
        turn.set()
