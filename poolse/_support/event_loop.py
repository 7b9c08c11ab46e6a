"""The event loop that an async client is bound to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from poolse._support.fork_safety import renew_after_fork
from poolse.errors import UsageError

__all__ = ["BoundLoop", "in_this_loop", "running_loop"]


class BoundLoop:
    """The first loop that uses it. Once that is closed, another one may replace it.

    As a context manager it refuses every other loop; outside of any loop it does nothing.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Forget the loop in a forked child, which has its own."""
        self._loop = None

    @property
    def is_over(self) -> bool:
        """Whether it was in use, and cannot be any more."""
        return self._loop is not None and self._loop.is_closed()

    def settle(self) -> None:
        """Bind to the running loop.

        Raises:
            UsageError: There is none, or another one is in use and not closed.
        """
        loop = running_loop()
        if loop is None:
            raise UsageError("this needs a running event loop: call it from async code")
        if not self.is_over:
            self._check(loop)
        self._loop = loop

    def __enter__(self) -> None:
        self._check(running_loop())

    def _check(self, running: asyncio.AbstractEventLoop | None) -> None:
        if self._loop is not None and running not in (None, self._loop):
            raise UsageError(
                "this belongs to an event loop that is over: ask the client for a new one"
                if self._loop.is_closed()
                else "this client belongs to another event loop; create one per loop"
            )

    def __exit__(self, *exc_info: object) -> None:
        pass


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop of this thread, None outside of one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def in_this_loop(callback: Callable[[], object]) -> Callable[[], None]:
    """Return a function that, from any thread, calls it in this loop unless that is closed."""
    loop = asyncio.get_running_loop()

    def call() -> None:
        try:
            loop.call_soon_threadsafe(callback)
        except RuntimeError:
            pass

    return call
