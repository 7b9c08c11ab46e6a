"""What blocks on a disk, done where it harms nobody: here, or in a thread beside an event loop."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar, cast

from poolse._support.argument_checks import is_async, not_awaitable

__all__ = ["ASYNC_FILE", "Aside", "Steps", "at_once"]

T = TypeVar("T")

ASYNC_FILE: Final = "use AsyncPoolse, or give a file that is opened with open()"
"""What to do instead of giving an async file to a sync client."""


class Aside(Protocol):
    """Does a blocking step: the sync client at once, the async client in a thread."""

    async def __call__(self, step: Callable[[], T], /) -> T:
        """What the step gives, or raises."""
        ...


async def at_once(step: Callable[[], T], /) -> T:
    """The step, in the calling thread."""
    return step()


class Steps:
    """The steps on one file: one at a time, and none after the last.

    A step in a thread goes on when the task that waits for it is cancelled. So the last one, which
    closes the file, is left to it then, and nobody waits.
    """

    def __init__(self, aside: Aside) -> None:
        self._aside = aside
        self._lock = threading.Lock()
        self._over = False
        self._last: Callable[[], object] | None = None

    async def __call__(self, step: Callable[[], T]) -> T:
        """Do a step."""
        return await self._aside(lambda: self._do(step))

    async def call(self, function: Callable[..., object], *arguments: object) -> Any:  # noqa: ANN401
        """Call a method of a file of the caller's, which may be async, and return its result.

        An async one is called in the event loop, any other as a step. Beside what `is_async` sees,
        a plain function may return an awaitable.

        Raises:
            UsageError: It is async, and the client is not.
        """
        if self._aside is at_once:
            result = await self(lambda: function(*arguments))
            return not_awaitable("the file", result, ASYNC_FILE)
        if is_async(function):
            result = self._do(lambda: function(*arguments))
        else:
            result = await self(lambda: function(*arguments))
        return await cast("Awaitable[object]", result) if inspect.isawaitable(result) else result

    def end(self, last: Callable[[], object]) -> None:
        """Do the last step: now, or after the one that is under way. Called again, do nothing."""
        if not self._over:
            self._last = last
            self._over = True
        self._finish()

    def _do(self, step: Callable[[], T]) -> T:
        try:
            with self._lock:
                if self._over:
                    raise ValueError("the transfer is over")
                return step()
        finally:
            if self._over:
                self._finish()

    def _finish(self) -> None:
        # Whoever has the lock looks here again when it lets go.
        if self._lock.acquire(blocking=False):
            try:
                last, self._last = self._last, None
                if last is not None:
                    last()
            finally:
                self._lock.release()
