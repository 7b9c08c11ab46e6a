"""How a thread waits until something holds, so that Ctrl-C can end it at any point.

`threading.Condition` enters and leaves its lock in Python code. A KeyboardInterrupt that is raised
there leaves the lock taken for ever, and with it every other thread. So the lock is taken by its
own `with` only, which nothing interrupts, and never while waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from poolse.cancel import CancelToken, told

__all__ = ["Wakeup"]

# Seconds. A Ctrl-C in the very moment in which a lock begins to wait is looked at when it is done
# waiting, and on Windows any is.
_LONGEST_WAIT: Final = 1.0


class Wakeup:
    """Wakes one thread. Set before it waits, it ends the next wait."""

    def __init__(self) -> None:
        self._is_clear = threading.Lock()
        self._is_clear.acquire()

    def set(self) -> None:
        """Wake the thread. A signal handler may do it, and any number of threads at a time."""
        try:
            self._is_clear.release()
        except RuntimeError:  # it is set, and nobody has waited since
            pass

    def until(
        self,
        lock: AbstractContextManager[object],
        ready: Callable[[], bool],
        timeout: float | None,
        cancel: CancelToken | None = None,
    ) -> bool:
        """Wait until something holds; False when it did not in time.

        Args:
            lock: Held while asking.
            ready: Asked at first, and after each `set`.
            timeout: Seconds; None for no end.
            cancel: Ends the wait.

        Raises:
            Cancelled: By the token.
        """
        end = None if timeout is None else time.monotonic() + timeout
        with nullcontext() if cancel is None else told(cancel, self.set):
            while True:
                if cancel is not None:
                    cancel.raise_if_cancelled()
                with lock:
                    if ready():
                        return True
                left = _LONGEST_WAIT if end is None else end - time.monotonic()
                if left <= 0:
                    return False
                self._is_clear.acquire(timeout=min(left, _LONGEST_WAIT))
