"""Several uploads as one: what became of each, and how far all of them are together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Generic, TypeVar, cast

from poolse._files.transfer_progress import CombinedProgress, Report
from poolse._files.upload import File, upload
from poolse._rest.endpoint import Upload
from poolse._rest.request_io import RequestIO
from poolse._rest.settings import Settings
from poolse._support.argument_checks import checked_count
from poolse.errors import Cancelled, UsageError

__all__ = ["Batch"]

Row = TypeVar("Row")
Answered = TypeVar("Answered")


class Batch(Generic[Answered, Row]):
    """The files, and what became of each. Any number of workers may share it."""

    def __init__(
        self,
        plan: Upload[Answered, Row],
        files: Sequence[File | UsageError],
        concurrency: int,
        report: Report | None,
        settings: Settings,
        lock: AbstractAsyncContextManager[object],
    ) -> None:
        checked_count("concurrency", concurrency, least=1)
        if settings.idempotency_key:
            raise UsageError("one idempotency_key cannot stand for several uploads: leave it out")
        self.workers: Final = min(concurrency, len(files))
        """How many files go on at the same time."""
        self._plan = plan
        self._results: list[Row | Exception | None] = [
            file if isinstance(file, UsageError) else None for file in files
        ]
        todo = [(number, file) for number, file in enumerate(files) if isinstance(file, File)]
        # The iterator of a list: threads may share it.
        self._todo = iter(todo)
        sizes = [0] * len(files)
        for number, file in todo:
            sizes[number] = file.source.size
        self._together = CombinedProgress(sizes, report)
        self._lock = lock

    async def work(self, hands: RequestIO, settings: Settings) -> None:
        """Upload one file after the other, as long as there are any.

        Raises:
            Cancelled: By the token.
            Exception: Whatever `on_progress` raised. What is wrong with one file is its result.
        """
        for number, file in self._todo:
            self._results[number] = await self._upload(hands, settings, number, file)
            async with self._lock:
                await self._together.over(number)

    async def results(self) -> list[Row | Exception]:
        """What became of them, in their order."""
        await self._together.done()
        return cast("list[Row | Exception]", self._results)

    async def _upload(
        self, hands: RequestIO, settings: Settings, number: int, file: File
    ) -> Row | Exception:
        async def told(loaded: int, _total: int) -> None:
            async with self._lock:
                await self._together.part(number, loaded)

        try:
            return await upload(hands, settings, self._plan, file, told)
        except Cancelled:
            raise
        except Exception as error:
            self._together.check()
            return error
