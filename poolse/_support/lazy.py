"""What is made when it is first needed."""

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
    """Made when first asked for, once, whichever thread asks; again only when it is of no use."""

    def __init__(self, make: Callable[[], T], is_over: Callable[[T], bool] = _never) -> None:
        self._make = make
        self._is_over = is_over
        self._lock = threading.Lock()
        self.made: T | None = None
        renew_after_fork(self._renew)

    def get(self) -> T:
        """The one object."""
        with self._lock:
            if self.made is None or self._is_over(self.made):
                self.made = self._make()
            return self.made

    def _renew(self) -> None:
        """In a forked child: what is made stays."""
        self._lock = threading.Lock()
