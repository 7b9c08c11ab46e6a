# Printed from poolse/_files/async_transfers.py by "make generate". Do not edit.
"""Uploads and downloads, as the generated resources call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import attrs

from poolse._files.download import DownloadState, download
from poolse._files.sinks import open_sink
from poolse._files.sync_workers import AWAITS, Lock, run_flow, run_step, run_workers
from poolse._files.transfer_progress import report_to
from poolse._files.upload import upload
from poolse._files.upload_arguments import file_of, files_of
from poolse._files.upload_batch import Batch
from poolse._rest.endpoint import Download, Upload
from poolse._rest.request_io import RequestIO
from poolse._rest.settings import Settings
from poolse.options import CallOptions
from poolse.types import UNSET, DownloadTo, OnProgress, Unset, UploadBody, UploadPaths

__all__ = ["Transfers"]

Reply = TypeVar("Reply")
Model = TypeVar("Model")


@attrs.frozen(eq=False, repr=False)
class Transfers:
    """Moves files of a client."""

    io: RequestIO
    settings: Settings

    def upload(
        self,
        plan: Upload[Reply, Model],
        body: UploadBody,
        *,
        content_type: str | Unset = UNSET,
        byte_size: int | Unset = UNSET,
        filename: str | Unset = UNSET,
        on_progress: OnProgress | None = None,
        options: CallOptions | None = None,
    ) -> Model:
        settings = self._settings_for(options)
        report = report_to(on_progress, awaits=AWAITS)
        file = run_flow(file_of(body, content_type, byte_size, filename, run_step))
        return run_flow(upload(self.io, settings, plan, file, report))

    def upload_many(
        self,
        plan: Upload[Reply, Model],
        paths: UploadPaths,
        *,
        concurrency: int = 4,
        filenames: Sequence[str | None] | None = None,
        on_progress: OnProgress | None = None,
        options: CallOptions | None = None,
    ) -> list[Model | Exception]:
        settings = self._settings_for(options)
        report = report_to(on_progress, awaits=AWAITS)
        files = run_flow(files_of(paths, filenames, run_step))
        batch = Batch(plan, files, concurrency, report, settings, Lock())
        run_workers(batch.workers, settings, partial(batch.work, self.io))
        return run_flow(batch.results())

    def download(
        self,
        plan: Download[Reply, Model],
        path: Mapping[str, object],
        row: Model | None,
        to: DownloadTo | None,
        *,
        on_progress: OnProgress | None = None,
        max_bytes: int | None = None,
        options: CallOptions | None = None,
    ) -> bytes | Path | int:
        settings = self._settings_for(options)
        report = report_to(on_progress, awaits=AWAITS)
        state = DownloadState(plan, row, open_sink(to, run_step), report, max_bytes)
        return run_flow(download(self.io, settings, plan, path, state))

    def _settings_for(self, options: CallOptions | None) -> Settings:
        self.io.lifetime.raise_if_cancelled()
        return self.settings.for_call(options)
