"""That something ends although the other side does nothing, said without a stopwatch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["not_held_up"]

PATIENCE = 20.0
"""Seconds. Never reached when all is well, and below every limit of the library's own."""


@contextmanager
def not_held_up(let_go: Callable[[], object]) -> Generator[None]:
    """What is done inside ends by itself.

    Args:
        let_go: Ends the other side. Called only when it has not, so that a test fails and does not
            hang.
    """
    held_up = threading.Event()

    def give_in() -> None:
        held_up.set()
        let_go()

    timer = threading.Timer(PATIENCE, give_in)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
    assert not held_up.is_set(), f"it had not ended after {PATIENCE} s"
