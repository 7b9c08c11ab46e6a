"""An event that a signal handler may set."""

from __future__ import annotations

import threading
import time
from typing import Final

__all__ = ["InterruptibleEvent"]

# Seconds. A Ctrl-C in the very moment in which a lock begins to wait is noticed only when the wait
# is over; on Windows that holds for the whole wait.
_LONGEST_WAIT: Final = 1.0


class InterruptibleEvent:
    """Wake one thread. Set before it waits, it ends the next wait; a wait that it ends resets it.

    `threading.Event` and `threading.Condition` hold a lock in Python code. A signal handler runs
    in the thread that it interrupts, so that one which sets them can wait for its own thread, or
    set them between the check and the wait, unnoticed. A bare lock has neither
    problem: it is one step of the interpreter, and remembers a release.
    """

    def __init__(self) -> None:
        self._unset = threading.Lock()
        self._unset.acquire()

    def set(self) -> None:
        """Wake the thread that waits, or the next one. Setting it again does nothing."""
        try:
            self._unset.release()
        except RuntimeError:  # it is set
            pass

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it is set.

        Args:
            timeout: Seconds; None waits as long as it takes.

        Returns:
            False when it was not set in time.
        """
        if timeout is None:
            while not self._unset.acquire(timeout=_LONGEST_WAIT):
                pass
            return True
        end = time.monotonic() + timeout
        left = timeout
        while not self._unset.acquire(timeout=max(0.0, min(left, _LONGEST_WAIT))):
            left = end - time.monotonic()
            if left <= 0:
                return False
        return True
