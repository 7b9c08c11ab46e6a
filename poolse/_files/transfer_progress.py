"""Progress of a transfer for the caller's `on_progress`, and errors of our own side of it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Final

from poolse._support.argument_checks import checked_callback, not_awaitable
from poolse.types import OnProgress

__all__ = ["ErrorLatch", "ProgressReporter", "Report", "report_to"]

Report = Callable[[int, int], Awaitable[None]]
"""Calls the user's `on_progress`, and awaits it in the async client."""

CALLS: Final = 100
"""About how often progress is reported. Counted in bytes, so that it needs no clock."""


def report_to(on_progress: OnProgress | None, *, awaits: bool) -> Report | None:
    """Return what calls the user's `on_progress`.

    Raises:
        UsageError: It cannot be called, or would have to be awaited and is not.
    """
    if on_progress is None:
        return None
    function = checked_callback("on_progress", on_progress, awaits=awaits)

    async def report(loaded: int, total: int) -> None:
        result = function(loaded, total)
        if not awaits:
            not_awaitable("on_progress", result)
        elif inspect.isawaitable(result):
            await result

    return report


class ProgressReporter:
    """Reports progress: at intervals, never backwards, and the end only when it is reached."""

    def __init__(self, total: int, report: Report | None) -> None:
        self.total = total
        self._report = report
        self._reported = 0

    async def update(self, loaded: int) -> None:
        """Report how many bytes the current attempt has transferred, if that is news."""
        step = max(1, self.total // CALLS)
        if self._report is not None and self._reported + step <= loaded < self.total:
            self._reported = loaded
            await self._report(loaded, self.total)

    async def done(self) -> None:
        """Report that all bytes are transferred, and the other side has confirmed it."""
        if self._report is not None:
            await self._report(self.total, self.total)


class ErrorLatch:
    """Remembers the error of our side of a transfer.

    HTTP libraries wrap what is raised while they send or receive, or take it for their own.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None

    @contextmanager
    def latching(self) -> Generator[None]:
        """Remember what is raised in the block."""
        try:
            yield
        except Exception as error:
            self.error = error
            raise

    def check(self) -> None:
        """Raise the error that was remembered, unchanged."""
        if self.error is not None:
            raise self.error
