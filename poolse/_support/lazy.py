"""Values that are created when they are first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from poolse._support.fork_safety import renew_after_fork

__all__ = ["Lazy"]

T = TypeVar("T")


def _never(_: object) -> bool:
    return False


class Lazy(Generic[T]):
    """Created on first use, once for all threads; again only when it cannot be used any more."""

    def __init__(self, make: Callable[[], T], is_over: Callable[[T], bool] = _never) -> None:
        self._make = make
        self._is_over = is_over
        self._lock = threading.Lock()
        self.made: T | None = None
        renew_after_fork(self._renew)

    def get(self) -> T:
        """Return the object."""
        with self._lock:
            if self.made is None or self._is_over(self.made):
                self.made = self._make()
            return self.made

    def _renew(self) -> None:
        """Renew the lock in a forked child, which keeps the object."""
        self._lock = threading.Lock()
