"""The task that takes messages from a feed: how it waits, and calls the user's functions."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import TypeVar

from poolse._follow.checkpoints import MemoryCheckpoint
from poolse._realtime.client import RealtimeClient
from poolse._support.argument_checks import is_async
from poolse._support.blocking import in_thread
from poolse._support.event_loop import in_this_loop
from poolse.cancel import CancelToken

__all__ = ["AsyncConsumer"]

T = TypeVar("T")


class AsyncConsumer:
    """Waits in the calling task, and calls blocking checkpoints in a thread."""

    def __init__(self, realtime: RealtimeClient) -> None:
        self.now = time.monotonic
        self._realtime = realtime
        self._event = asyncio.Event()
        self._saving: asyncio.Future[object] | None = None

    def wake(self) -> None:
        """End the wait. The lock of realtime is held."""
        self._event.set()

    def wake_on(self, cancel: CancelToken) -> Callable[[], None]:
        """End the wait when the token is cancelled. Return a function that takes this back."""
        return cancel.on_cancel(in_this_loop(self.wake))

    async def wait(self, until: float | None) -> None:
        """Wait for `wake`, or until this time."""
        timeout = None if until is None else max(0.0, until - self.now())
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()

    async def call_back(self, function: Callable[[T], object], argument: T) -> None:
        """Call a function of the user's."""
        result = function(argument)
        if inspect.isawaitable(result):
            await result

    async def call_checkpoint(self, checkpoint: object, method: str, *arguments: object) -> object:
        """Call a method of a checkpoint without stopping the loop, nor twice at a time."""
        if self._saving is not None:
            # What was cancelled is still being written, and must not be written last.
            await asyncio.wait([self._saving])
        function = getattr(checkpoint, method)
        if isinstance(checkpoint, MemoryCheckpoint):
            return function(*arguments)
        saving: asyncio.Future[object] = asyncio.ensure_future(_called(function, arguments))
        self._saving = saving
        return await asyncio.shield(saving)


async def _called(function: Callable[..., object], arguments: tuple[object, ...]) -> object:
    if is_async(function):
        result = function(*arguments)
    else:
        result = await in_thread(lambda: function(*arguments))
    return await result if inspect.isawaitable(result) else result
