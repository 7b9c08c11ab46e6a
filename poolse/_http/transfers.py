"""Files up and down, in both clients: the flows of the brain, with this machine's disk beside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack, nullcontext
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar

import attrs

from poolse._checks import checked_count
from poolse._core.arrival import Arrival, Sink
from poolse._core.download import download
from poolse._core.endpoint import Download, Upload
from poolse._core.hands import run_flow
from poolse._core.many import Batch
from poolse._core.settings import Settings
from poolse._core.upload import upload
from poolse._files.describe import file_of, files_of
from poolse._files.sinks import sink_for
from poolse._files.steps import Aside, at_once
from poolse._http.calls import Calls
from poolse.cancel import CancelToken
from poolse.options import CallOptions
from poolse.types import (
    UNSET,
    AsyncUploadBody,
    DownloadTo,
    OnProgress,
    Unset,
    UploadBody,
    UploadPaths,
)

__all__ = ["AsyncTransfers", "SyncTransfers"]

T = TypeVar("T")
Row = TypeVar("Row")
Answered = TypeVar("Answered")

Kept = bytes | Path | int


class SyncTransfers(Calls):
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
        file = file_of(body, content_type, byte_size, filename, at_once)
        return run_flow(upload(self.hands, settings, plan, file, on_progress))

    def upload_many(
        self,
        plan: Upload[Answered, T],
        paths: UploadPaths,
        *,
        concurrency: int = 4,
        on_progress: OnProgress | None = None,
        options: CallOptions | None = None,
    ) -> list[T | Exception]:
        settings = self._settings_for(options)
        batch = Batch(
            plan, files_of(paths, at_once), concurrency, on_progress, settings, threading.Lock()
        )
        _in_threads(batch.workers, settings, lambda own: run_flow(batch.work(self.hands, own)))
        return batch.results()

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
        arrival = _arrival(plan, row, to, on_progress, max_bytes, at_once)
        return run_flow(download(self.hands, settings, plan, path, arrival))


class AsyncTransfers(Calls):
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
        file = file_of(body, content_type, byte_size, filename, _beside)
        return await upload(self.hands, settings, plan, file, on_progress)

    async def upload_many(
        self,
        plan: Upload[Answered, T],
        paths: UploadPaths,
        *,
        concurrency: int = 4,
        on_progress: OnProgress | None = None,
        options: CallOptions | None = None,
    ) -> list[T | Exception]:
        settings = self._settings_for(options)
        batch = Batch(
            plan,
            files_of(paths, _beside),
            concurrency,
            on_progress,
            settings,
            nullcontext(),
        )
        await _in_tasks(batch.workers, lambda: batch.work(self.hands, settings))
        return batch.results()

    async def download(
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
        arrival = _arrival(plan, row, to, on_progress, max_bytes, _beside)
        return await download(self.hands, settings, plan, path, arrival)


def _arrival(
    plan: Download[Answered, Row],
    row: Row | None,
    to: DownloadTo | None,
    on_progress: OnProgress | None,
    max_bytes: int | None,
    aside: Aside,
) -> Arrival[Kept]:
    if max_bytes is not None:
        checked_count("max_bytes", max_bytes)
    sink: Sink[Kept] = sink_for(to, aside)
    size, sha256 = (None, None) if row is None else (plan.size(row), plan.sha256(row))
    return Arrival(sink, size, sha256, max_bytes, on_progress)


def _in_threads(count: int, settings: Settings, work: Callable[[Settings], None]) -> None:
    """Work in so many threads; when one of them fails, or this one is interrupted, end all."""
    if not count:
        return
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    stop = CancelToken()
    own = attrs.evolve(settings, cancel=stop)
    with ExitStack() as stack:
        if settings.cancel is not None:
            stack.callback(settings.cancel.on_cancel(stop.cancel))
        # Left after what follows: it waits for the threads.
        pool = stack.enter_context(ThreadPoolExecutor(count, "poolse-upload"))
        try:
            working = [pool.submit(copy_context().run, work, own) for _ in range(count)]
            for done in wait(working, return_when=FIRST_EXCEPTION).done:
                done.result()
        except BaseException:
            stop.cancel()
            raise


async def _beside(step: Callable[[], T], /) -> T:
    # asyncio is imported in here only: the sync clients, which share this file, do without.
    from asyncio import to_thread

    return await to_thread(step)


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
