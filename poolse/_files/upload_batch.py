"""Several uploads as one: the result of each, and their progress together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Generic, TypeVar, cast

from poolse._files.transfer_progress import ErrorLatch, ProgressReporter, Report
from poolse._files.upload import File, upload
from poolse._rest.endpoint import Upload
from poolse._rest.request_io import RequestIO
from poolse._rest.settings import Settings
from poolse._support.argument_checks import checked_count
from poolse.errors import Cancelled, UsageError

__all__ = ["Batch", "CombinedProgress"]

Model = TypeVar("Model")
Reply = TypeVar("Reply")


class CombinedProgress(ErrorLatch):
    """The progress of several transfers as that of one."""

    def __init__(self, totals: Sequence[int], report: Report | None) -> None:
        super().__init__()
        self._progress = ProgressReporter(sum(totals), report)
        self._totals = totals
        self._loaded = [0] * len(totals)
        self._sum = 0

    async def update(self, number: int, loaded: int) -> None:
        """Report how many bytes one of them has transferred."""
        with self.latching():
            self._sum += loaded - self._loaded[number]
            self._loaded[number] = loaded
            await self._progress.update(self._sum)

    async def end(self, number: int) -> None:
        """Count one of them as done: even if it failed, it delays the others no longer."""
        await self.update(number, self._totals[number])

    async def done(self) -> None:
        """Report that all of them have ended."""
        with self.latching():
            await self._progress.done()


class Batch(Generic[Reply, Model]):
    """The files, and the result of each. Any number of workers may share it."""

    def __init__(
        self,
        plan: Upload[Reply, Model],
        files: Sequence[File | UsageError],
        concurrency: int,
        report: Report | None,
        settings: Settings,
        lock: AbstractAsyncContextManager[object],
    ) -> None:
        checked_count("concurrency", concurrency, least=1)
        if settings.idempotency_key:
            raise UsageError("idempotency_key cannot be used for several uploads: leave it out")
        self.workers: Final = min(concurrency, len(files))
        """How many files are uploaded at the same time."""
        self._plan = plan
        self._results: list[Model | Exception | None] = [
            file if isinstance(file, UsageError) else None for file in files
        ]
        # The iterator of a list: threads may share it.
        self._todo = iter([(n, file) for n, file in enumerate(files) if isinstance(file, File)])
        sizes = [file.source.size if isinstance(file, File) else 0 for file in files]
        self._progress = CombinedProgress(sizes, report)
        self._lock = lock

    async def work(self, io: RequestIO, settings: Settings) -> None:
        """Upload one file after the other, as long as there are any.

        Raises:
            Cancelled: By the token.
            Exception: What `on_progress` raised. The error of a single file is its result.
        """
        for number, file in self._todo:
            self._results[number] = await self._upload(io, settings, number, file)
            async with self._lock:
                await self._progress.end(number)

    async def results(self) -> list[Model | Exception]:
        """Return the results, in the order of the files."""
        await self._progress.done()
        return cast("list[Model | Exception]", self._results)

    async def _upload(
        self, io: RequestIO, settings: Settings, number: int, file: File
    ) -> Model | Exception:
        async def report(loaded: int, _total: int) -> None:
            async with self._lock:
                await self._progress.update(number, loaded)

        try:
            return await upload(io, settings, self._plan, file, report)
        except Cancelled:
            raise
        except Exception as error:
            self._progress.check()
            return error
