"""Clock of a sandbox: the time of the machine, or ahead of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Clock"]


class Clock:
    """Clock of a sandbox, for its timestamps and expiry times. Timers run on real time.

    Thread-safe. It keeps its lead if the sandbox is restarted.
    """

    def __init__(self, check: Callable[[], None] | None = None) -> None:
        """Start at the time of the machine. `check` may raise to refuse a change."""
        # Reads need no lock, and one that is held at a fork would stay held in the child.
        self._lock = threading.RLock()
        self._ahead = 0.0
        self._check = check

    def now(self) -> float:
        """Return seconds since 1970, like `time.time()`."""
        return time.time() + self._ahead

    @property
    def offset(self) -> float:
        """Seconds that it is ahead of the machine. New in 0.6."""
        return self._ahead

    def advance(self, seconds: float) -> None:
        """Advance the clock, which ages tokens, signed URLs and stored responses immediately.

        Args:
            seconds: Seconds to advance; must not be negative.
        """
        if seconds < 0:
            raise ValueError(f"time cannot go back: advance({seconds:g})")
        if self._check is not None:
            self._check()
        with self._lock:
            self._ahead += seconds

    def reset(self) -> None:
        """Reset the clock to the machine's. Called by `Sandbox.reset`, and over HTTP."""
        with self._lock:
            self._ahead = 0.0

    def timestamp(self) -> str:
        """Return the time as text, as timestamps are stored. It sorts by time."""
        now = datetime.fromtimestamp(self.now(), UTC)
        return now.isoformat(timespec="microseconds").replace("+00:00", "Z")
