"""Which of the caller's functions asks: known in the threads and tasks that it asks from."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from poolse._auth.single_flight import Flight

__all__ = ["WITHIN", "current_flight"]

# A context variable, and not the thread or the task, because a function may start tasks that ask.
WITHIN: Final = ContextVar[Flight[Any] | None]("poolse_within", default=None)
"""The call whose code is running; None outside of any."""


@contextmanager
def current_flight(flight: Flight[Any]) -> Generator[None]:
    """The code of a call runs."""
    mark = WITHIN.set(flight)
    try:
        yield
    finally:
        WITHIN.reset(mark)
