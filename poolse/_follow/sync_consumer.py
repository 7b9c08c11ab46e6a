"""The thread that takes messages from a feed: how it waits, and calls the user's functions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from poolse._realtime.client import RealtimeClient
from poolse._realtime.public import wait_until
from poolse._realtime.sync_workers import Wakeup
from poolse._support.argument_checks import not_awaitable
from poolse.cancel import CancelToken

__all__ = ["Consumer"]

T = TypeVar("T")


class Consumer:
    """Waits in the calling thread."""

    def __init__(self, realtime: RealtimeClient) -> None:
        self.now = time.monotonic
        self._realtime = realtime
        self._wakeup = Wakeup()
        self._is_awake = False

    def wake(self) -> None:
        """End the wait."""
        with self._realtime.lock:
            self._is_awake = True
            self._wakeup.set()

    def wake_on(self, cancel: CancelToken) -> Callable[[], None]:
        """End the wait when the token is cancelled. Return a function that takes this back."""
        return cancel.on_cancel(self.wake)

    def wait(self, until: float | None) -> None:
        """Wait for `wake`, or until this time."""
        timeout = None if until is None else max(0.0, until - self.now())
        wait_until(self._realtime, self._wakeup, lambda: self._is_awake, timeout)
        with self._realtime.lock:
            self._is_awake = False

    def call_back(self, function: Callable[[T], object], argument: T) -> None:
        """Call a function of the user's."""
        not_awaitable("on_gap", function(argument))

    def call_checkpoint(self, checkpoint: object, method: str, *arguments: object) -> object:
        """Call a method of a checkpoint."""
        result: object = getattr(checkpoint, method)(*arguments)
        return not_awaitable(method, result)
