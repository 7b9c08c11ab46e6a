"""Bytes on their way: counted, compared with what was declared, and told to the caller."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from poolse._support.argument_checks import checked_callback, not_awaitable
from poolse.errors import UsageError
from poolse.types import OnProgress

__all__ = [
    "CombinedProgress",
    "ErrorLatch",
    "ProgressReporter",
    "Report",
    "SendingBody",
    "Source",
    "report_to",
]

Report = Callable[[int, int], Awaitable[None]]
"""Calls the user's `on_progress`, and awaits it where that is done."""

CALLS: Final = 100
"""How often progress is told, about. Counted in bytes, so that it needs no clock."""


class Source(Protocol):
    """Where the bytes of an upload come from."""

    @property
    def size(self) -> int:
        """How many there are, or how many the caller says there are."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether they can be read a second time."""
        ...

    async def start(self) -> None:
        """Begin with the first one, also when some were read before."""
        ...

    async def read(self) -> bytes:
        """Some of them; none at the end."""
        ...

    def close(self) -> None:
        """Let go of what was opened. Does not wait."""
        ...


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
    """Tells progress: now and then, never backwards, and the end only when it is reached."""

    def __init__(self, total: int, report: Report | None) -> None:
        self.total = total
        self._report = report
        self._told = 0

    async def passed(self, loaded: int) -> None:
        """So many are through in the attempt that runs."""
        step = max(1, self.total // CALLS)
        if self._report is not None and self._told + step <= loaded < self.total:
            self._told = loaded
            await self._report(loaded, self.total)

    async def done(self) -> None:
        """All are through, and the other side has said so."""
        if self._report is not None:
            await self._report(self.total, self.total)


class ErrorLatch:
    """Remembers what went wrong on our side of a transfer.

    HTTP libraries wrap what is raised while they send or receive, or take it for their own.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None

    @contextmanager
    def noting(self) -> Generator[None]:
        """Keep what is raised in the block."""
        try:
            yield
        except Exception as error:
            self.failure = error
            raise

    def check(self) -> None:
        """Raise what was kept, as it was."""
        if self.failure is not None:
            raise self.failure


class SendingBody(ErrorLatch):
    """The bytes of a source during one attempt: as many as were declared, and no others."""

    def __init__(self, source: Source, meter: ProgressReporter) -> None:
        super().__init__()
        self.size: Final = meter.total
        self.begun = False
        self.complete = False
        """Whether all of them were handed on."""
        self._source = source
        self._meter = meter
        self._passed = 0
        self._over = False

    async def next(self) -> bytes:
        """The next piece; none at the end."""
        with self.noting():
            self.begun = True
            # Told only now: whoever asks for more has sent what it got.
            await self._meter.passed(self._passed)
            piece = b"" if self._over else await self._read()
            self.complete = not piece
            return piece

    async def _read(self) -> bytes:
        piece = await self._source.read()
        self._passed += len(piece)
        if not piece or self._passed >= self.size:
            self._over = True
            # Before the last piece goes: after it, the other side has a whole file.
            self._passed += len(await self._source.read()) if piece else 0
            if self._passed != self.size:
                least = "at least " if self._passed > self.size else ""
                raise UsageError(
                    f"{self.size} bytes were declared, but the body has {least}{self._passed}: "
                    "byte_size is wrong, or the file changed while it was read"
                )
        return piece


class CombinedProgress(ErrorLatch):
    """The progress of several transfers as that of one."""

    def __init__(self, totals: Sequence[int], report: Report | None) -> None:
        super().__init__()
        self._meter = ProgressReporter(sum(totals), report)
        self._totals = totals
        self._loaded = [0] * len(totals)
        self._sum = 0

    async def part(self, number: int, loaded: int) -> None:
        """One of them has come so far."""
        with self.noting():
            self._sum += loaded - self._loaded[number]
            self._loaded[number] = loaded
            await self._meter.passed(self._sum)

    async def over(self, number: int) -> None:
        """One of them has ended, or failed: either way it holds up the whole no longer."""
        await self.part(number, self._totals[number])

    async def done(self) -> None:
        """All of them have ended."""
        with self.noting():
            await self._meter.done()
