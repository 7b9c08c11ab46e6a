"""Files up and down, in both clients: the flows of the brain, with this machine's disk beside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack
from contextvars import copy_context
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from poolse._files.disk_threads import Aside, at_once
from poolse._files.download import download
from poolse._files.download_state import DownloadState, Sink
from poolse._files.sinks import sink_for
from poolse._files.transfer_progress import Report, report_to
from poolse._files.upload import upload
from poolse._files.upload_batch import Batch
from poolse._files.upload_files import file_of, files_of
from poolse._rest.endpoint import Download, Upload
from poolse._rest.request_io import RequestIO, run_sync
from poolse._rest.settings import Settings
from poolse._support.argument_checks import checked_count
from poolse._support.blocking import in_thread
from poolse.cancel import CancelToken
from poolse.options import CallOptions
from poolse.types import (
    UNSET,
    AsyncDownloadTo,
    AsyncUploadBody,
    DownloadTo,
    OnProgress,
    Unset,
    UploadBody,
    UploadPaths,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["AsyncTransfers", "Transfers"]

T = TypeVar("T")
Row = TypeVar("Row")
Answered = TypeVar("Answered")

Kept = bytes | Path | int


@attrs.frozen(eq=False, repr=False)
class _Base:
    io: RequestIO
    settings: Settings

    def _settings_for(self, options: CallOptions | None) -> Settings:
        self.io.lifetime.raise_if_cancelled()
        return self.settings.for_call(options)


class Transfers(_Base):
    """Blocks until a file is through."""

    def upload(
        self,
        plan: Upload[Answered, T],
        body: UploadBody,
        *,
        content_type: str | Unset = UNSET,
        byte_size: int | Unset = UNSET,
        filename: str | Unset = UNSET,
        on_progress: OnProgress | None = None,
        options: CallOptions | None = None,
    ) -> T:
        settings = self._settings_for(options)
        report = report_to(on_progress, awaits=False)
        file = run_sync(file_of(body, content_type, byte_size, filename, at_once))
        return run_sync(upload(self.io, settings, plan, file, report))

    def upload_many(
        self,
        plan: Upload[Answered, T],
        paths: UploadPaths,
        *,
        concurrency: int = 4,
        filenames: Sequence[str | None] | None = None,
        on_progress: OnProgress | None = None,
        options: CallOptions | None = None,
    ) -> list[T | Exception]:
        settings = self._settings_for(options)
        report = report_to(on_progress, awaits=False)
        files = run_sync(files_of(paths, filenames, at_once))
        batch = Batch(plan, files, concurrency, report, settings, _Lock())
        _in_threads(batch.workers, settings, lambda own: run_sync(batch.work(self.io, own)))
        return run_sync(batch.results())

    def download(
        self,
        plan: Download[Answered, Row],
        path: Mapping[str, object],
        row: Row | None,
        to: DownloadTo | None,
        *,
        on_progress: OnProgress | None = None,
        max_bytes: int | None = None,
        options: CallOptions | None = None,
    ) -> Kept:
        settings = self._settings_for(options)
        report = report_to(on_progress, awaits=False)
        arrival = _arrival(plan, row, to, report, max_bytes, at_once)
        return run_sync(download(self.io, settings, plan, path, arrival))


class AsyncTransfers(_Base):
    """Awaits until a file is through. Disks are left to threads."""

    async def upload(
        self,
        plan: Upload[Answered, T],
        body: AsyncUploadBody,
        *,
        content_type: str | Unset = UNSET,
        byte_size: int | Unset = UNSET,
        filename: str | Unset = UNSET,
        on_progress: OnProgress | None = None,
        options: CallOptions | None = None,
    ) -> T:
        settings = self._settings_for(options)
        report = report_to(on_progress, awaits=True)
        file = await file_of(body, content_type, byte_size, filename, in_thread)
        return await upload(self.io, settings, plan, file, report)

    async def upload_many(
        self,
        plan: Upload[Answered, T],
        paths: UploadPaths,
        *,
        concurrency: int = 4,
        filenames: Sequence[str | None] | None = None,
        on_progress: OnProgress | None = None,
        options: CallOptions | None = None,
    ) -> list[T | Exception]:
        settings = self._settings_for(options)
        # Imported in here only: the sync clients, which share this file, do without.
        from asyncio import Lock

        report = report_to(on_progress, awaits=True)
        files = await files_of(paths, filenames, in_thread)
        batch = Batch(plan, files, concurrency, report, settings, Lock())
        await _in_tasks(batch.workers, lambda: batch.work(self.io, settings))
        return await batch.results()

    async def download(
        self,
        plan: Download[Answered, Row],
        path: Mapping[str, object],
        row: Row | None,
        to: AsyncDownloadTo | None,
        *,
        on_progress: OnProgress | None = None,
        max_bytes: int | None = None,
        options: CallOptions | None = None,
    ) -> Kept:
        settings = self._settings_for(options)
        report = report_to(on_progress, awaits=True)
        arrival = _arrival(plan, row, to, report, max_bytes, in_thread)
        return await download(self.io, settings, plan, path, arrival)


def _arrival(
    plan: Download[Answered, Row],
    row: Row | None,
    to: AsyncDownloadTo | None,
    report: Report | None,
    max_bytes: int | None,
    aside: Aside,
) -> DownloadState[Kept]:
    if max_bytes is not None:
        checked_count("max_bytes", max_bytes)
    sink: Sink[Kept] = sink_for(to, aside)
    size, sha256 = (None, None) if row is None else (plan.size(row), plan.sha256(row))
    return DownloadState(sink, size, sha256, max_bytes, report)


class _Lock:
    """A lock of threads, in the form of an async one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    async def __aenter__(self) -> None:
        self._lock.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()


def _in_threads(count: int, settings: Settings, work: Callable[[Settings], None]) -> None:
    """Work in so many threads; when one of them fails, or this one is interrupted, end all."""
    if not count:
        return
    stop = CancelToken()
    own = attrs.evolve(settings, cancel=stop)
    with ExitStack() as stack:
        if settings.cancel is not None:
            stack.callback(settings.cancel.on_cancel(stop.cancel))
        working: list[Future[None]] = []
        try:
            # Imported in here only, like asyncio; at the end of a program that fails, too.
            from concurrent.futures import ThreadPoolExecutor

            # Left after what follows: it waits for the threads.
            pool = stack.enter_context(ThreadPoolExecutor(count, "poolse-upload"))
            for _ in range(count):
                working += [pool.submit(copy_context().run, work, own)]
        except RuntimeError:
            # No more threads can be started, as in an `atexit` function.
            pass
        if not working:
            work(own)
            return
        from concurrent.futures import FIRST_EXCEPTION, wait

        try:
            for done in wait(working, return_when=FIRST_EXCEPTION).done:
                done.result()
        except BaseException:
            stop.cancel()
            raise


async def _in_tasks(count: int, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Work in so many tasks; when one of them fails, or this one is cancelled, end all."""
    import asyncio

    tasks = [asyncio.create_task(work()) for _ in range(count)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
