"""Blocking work on a file: in the calling thread, or in a worker thread beside an event loop."""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar, cast

from poolse._support.argument_checks import is_async, not_awaitable
from poolse.errors import UsageError

__all__ = ["ASYNC_FILE", "FileSteps", "RunStep", "run_inline"]

T = TypeVar("T")

ASYNC_FILE: Final = "use AsyncPoolse, or pass a file opened with open()"
"""What to do instead of giving an async file to a sync client."""


class RunStep(Protocol):
    """Runs a blocking step: the sync client at once, the async client in a thread."""

    async def __call__(self, step: Callable[[], T], /) -> T:
        """Return what the step returns, or raise what it raises."""
        ...


async def run_inline(step: Callable[[], T], /) -> T:
    """Run the step in the calling thread."""
    return step()


class FileSteps:
    """The steps on one file: one at a time, and none after the last.

    A step in a thread continues when the task that waits for it is cancelled. The last step, which
    closes the file, is then left to that thread, without waiting for it.
    """

    def __init__(self, run_step: RunStep) -> None:
        self._run_step = run_step
        self._lock = threading.Lock()
        self._ended = False
        self._last: Callable[[], object] | None = None

    async def __call__(self, step: Callable[[], T]) -> T:
        """Run a step."""
        return await self._run_step(lambda: self._locked(step))

    async def call(self, method: Callable[..., object], *arguments: object) -> Any:  # noqa: ANN401
        """Call a method of a caller's file, which may be async, and return its result.

        An async one is called in the event loop, any other as a step. Apart from what `is_async`
        sees, a plain function may return an awaitable.

        Raises:
            UsageError: It is async, and the client is not.
        """
        if self._run_step is run_inline:
            result = await self(lambda: method(*arguments))
            return not_awaitable("the file", result, ASYNC_FILE)
        if is_async(method):
            result = self._locked(lambda: method(*arguments))
        else:
            result = await self(lambda: method(*arguments))
        return await cast("Awaitable[object]", result) if inspect.isawaitable(result) else result

    async def position(self, file: Any) -> tuple[int, int] | None:  # noqa: ANN401
        """Return the position of a caller's file and that of its end; None if it cannot seek."""
        tell, seek = getattr(file, "tell", None), getattr(file, "seek", None)
        if not (callable(tell) and callable(seek)):
            return None
        try:
            start: object = await self.call(tell)
            await self.call(seek, 0, os.SEEK_END)
            # What `seek` returns is None for some: an mmap, or a file of tempfile's.
            end: object = await self.call(tell)
            await self.call(seek, start)
        except UsageError:
            raise
        except (OSError, TypeError, ValueError):
            return None
        return (start, end) if isinstance(start, int) and isinstance(end, int) else None

    def end(self, last: Callable[[], object] = lambda: None) -> None:
        """Run the last step: now, or after the one that is running. Called again, do nothing."""
        if not self._ended:
            self._last = last
            self._ended = True
        self._finish()

    def _locked(self, step: Callable[[], T]) -> T:
        try:
            with self._lock:
                if self._ended:
                    raise ValueError("the transfer is over")
                return step()
        finally:
            if self._ended:
                self._finish()

    def _finish(self) -> None:
        # A thread that holds the lock calls this again after releasing it.
        if self._lock.acquire(blocking=False):
            try:
                last, self._last = self._last, None
                if last is not None:
                    last()
            finally:
                self._lock.release()
