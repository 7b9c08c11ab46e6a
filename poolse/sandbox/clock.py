"""The time of one sandbox: that of the machine, or ahead of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Clock"]


class Clock:
    """What every time and every age of a sandbox is read from; timers run on real time.

    It may be used from any thread, and keeps its lead when the sandbox is started again.
    """

    def __init__(self, check: Callable[[], None] | None = None) -> None:
        """Start at the time of the machine; `check` may refuse, by raising, to let it be moved."""
        # Reads need no lock, and one that is held at a fork would stay held in the child.
        self._lock = threading.RLock()
        self._ahead = 0.0
        self._check = check

    def now(self) -> float:
        """Seconds since 1970, as `time.time()` counts them."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Go ahead: tokens, signed URLs and kept responses are that much older at once.

        Args:
            seconds: How far. Time does not go back, so it must not be negative.
        """
        if seconds < 0:
            raise ValueError(f"time does not go back: advance({seconds:g})")
        if self._check is not None:
            self._check()
        with self._lock:
            self._ahead += seconds

    def reset(self) -> None:
        """Be the machine's again. `Sandbox.reset` does it, when nobody has seen the time before."""
        with self._lock:
            self._ahead = 0.0

    def timestamp(self) -> str:
        """Return the time as text, as timestamps are stored. It sorts by time."""
        now = datetime.fromtimestamp(self.now(), UTC)
        return now.isoformat(timespec="microseconds").replace("+00:00", "Z")
