"""How a task waits until something holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from poolse._support.event_loop import in_this_loop
from poolse.cancel import CancelToken, told

__all__ = ["AsyncWakeup"]


class AsyncWakeup(asyncio.Event):
    """Wakes one task. Set before it waits, it ends the next wait."""

    async def until(
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
        with lock:
            if cancel is None and ready():
                return True
        try:
            with nullcontext() if cancel is None else told(cancel, in_this_loop(self.set)):
                async with asyncio.timeout(timeout):
                    while True:
                        if cancel is not None:
                            cancel.raise_if_cancelled()
                        if ready():
                            return True
                        self.clear()
                        await self.wait()
        except TimeoutError:
            return False
