"""A download: ask the API for a URL, then fetch the bytes, from where the last attempt ended."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final, Generic, Protocol, TypeVar

import attrs

from poolse._files.storage import Renew, Transfer, renewed, signed
from poolse._files.transfer_progress import ErrorLatch, ProgressReporter, Report
from poolse._rest.call import call
from poolse._rest.endpoint import Download
from poolse._rest.http_messages import Response
from poolse._rest.request_io import RequestIO
from poolse._rest.retry import Retry
from poolse._rest.settings import Settings
from poolse._support.argument_checks import checked_count
from poolse._support.secret import hidden
from poolse.errors import DownloadError, NetworkError

__all__ = ["DownloadState", "Sink", "download"]

Model = TypeVar("Model")
Reply = TypeVar("Reply")
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)

CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
LENGTH: Final = re.compile(r"\d{1,18}")
ETAG: Final = re.compile(r"(?!W/)[!-~]{1,1000}")
"""One that can be sent back. A weak one does not promise the same bytes."""


class Sink(Protocol[Result_co]):
    """Where the bytes of a download go."""

    repeatable: bool
    """Whether it can be emptied again."""

    async def start(self) -> None:
        """Open it, before anything is sent."""
        ...

    async def write(self, piece: bytes) -> None:
        """Keep some bytes."""
        ...

    async def empty(self) -> None:
        """Discard all bytes: they come again, from the first."""
        ...

    async def finish(self) -> Result_co:
        """Finish after all bytes are verified, and return the result of the call."""
        ...

    def close(self) -> None:
        """Close what was opened, and remove what is not finished. Does not wait."""
        ...


class DownloadState(ErrorLatch, Generic[Result]):
    """State of one download over its attempts: bytes, hash, and the ETag to resume by."""

    def __init__(
        self,
        plan: Download[Reply, Model],
        model: Model | None,
        sink: Sink[Result],
        report: Report | None,
        max_bytes: int | None,
    ) -> None:
        super().__init__()
        self.sink: Final = sink
        self._size = None if model is None else plan.size(model)
        self._sha256 = None if model is None else plan.sha256(model)
        self._max_bytes = None if max_bytes is None else checked_count("max_bytes", max_bytes)
        self._progress = ProgressReporter(self._size or 0, report)
        self._total: int | None = None
        self._etag = ""
        self._taking = False
        self._restart()
        self._check_limit(self._size)

    def _restart(self) -> None:
        self._loaded = 0
        self._hash = hashlib.sha256()

    @property
    def cannot_repeat(self) -> str:
        """Why there is no use in another attempt, or empty."""
        if self.sink.repeatable or not self._loaded or self._etag:
            return ""
        return "it was not retried, because bytes already written cannot be undone"

    def range_headers(self) -> dict[str, str]:
        """Return headers that ask for the rest only, provided that it is still the same file."""
        if not (self._loaded and self._etag):
            return {}
        return {"Range": f"bytes={self._loaded}-", "If-Range": self._etag}

    async def begins(self, status: int, headers: Mapping[str, str]) -> bool:
        """Return whether the body of this response is wanted."""
        with self.latching():
            self._taking = await self._begins(status, headers)
            return self._taking

    async def takes(self, piece: bytes) -> None:
        """Take the next piece."""
        with self.latching():
            self._loaded += len(piece)
            self._check_limit(self._loaded)
            if self._size is not None and self._loaded > self._size:
                raise DownloadError(f"the object storage sends more than {self._size} bytes")
            self._hash.update(piece)
            await self.sink.write(piece)
            await self._progress.update(self._loaded)

    def attempted(self, outcome: Response | NetworkError) -> Response | NetworkError | None:
        """Return what an attempt came to: None if all bytes are here."""
        if isinstance(outcome, Response) and self._taking and self._total is None:
            self._total = self._loaded
        if self._taking and self._loaded == self._total:
            return None
        if isinstance(outcome, NetworkError):
            return outcome
        if self._taking:
            return NetworkError(f"the object storage sent {self._loaded} of {self._total} bytes")
        if 200 <= outcome.status < 300 or outcome.status == 416:
            # It has another file by now, or counts otherwise: the next attempt asks for all of it.
            self._etag = ""
            return NetworkError(f"the object storage sent no file, but HTTP {outcome.status}")
        return outcome

    async def finish(self) -> Result:
        """Return what the caller gets, if the bytes are the declared ones."""
        sha256 = self._hash.hexdigest()
        if self._sha256 is not None and sha256 != self._sha256.lower():
            raise DownloadError(
                f"the file is not the expected one: its sha256 is {sha256}, not {self._sha256}"
            )
        result = await self.sink.finish()
        self._progress.total = self._loaded
        await self._progress.done()
        return result

    async def _begins(self, status: int, headers: Mapping[str, str]) -> bool:
        if status == 206:
            part = CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
            return part is not None and (int(part[1]), int(part[3])) == (self._loaded, self._total)
        if status != 200:
            return False
        if self._loaded:
            await self._empty()
        etag = headers.get("etag", "")
        self._etag = etag if ETAG.fullmatch(etag) else ""
        length = headers.get("content-length", "")
        self._total = int(length) if LENGTH.fullmatch(length) else self._size
        if self._size is not None and self._total != self._size:
            raise DownloadError(
                f"expected {self._size} bytes, but the object storage has {self._total}"
            )
        self._check_limit(self._total)
        self._progress.total = self._total or 0
        return True

    async def _empty(self) -> None:
        if not self.sink.repeatable:
            raise DownloadError(
                "the connection was lost, the object storage does not resume the download, "
                "and bytes already written cannot be undone"
            )
        await self.sink.empty()
        self._restart()

    def _check_limit(self, size: int | None) -> None:
        if self._max_bytes is not None and size is not None and size > self._max_bytes:
            raise DownloadError(f"the file has more than max_bytes={self._max_bytes} bytes")


async def download(
    io: RequestIO,
    settings: Settings,
    plan: Download[Reply, Model],
    path: Mapping[str, object],
    state: DownloadState[Result],
) -> Result:
    """Download a file. If that fails, nothing is left of it.

    Raises:
        ApiError: The API refused.
        DownloadError: Storage refused, or the bytes are wrong, too many, or cannot be written.
        NetworkError: One of the two did not respond.
        DecodeError: The API did not say where the bytes are.
        UsageError: The sink cannot be opened.
    """
    try:
        await state.sink.start()
        url = await _url(io, settings, plan, path)
        transfer = Transfer(io, settings, "GET", _refusal)
        async with transfer.observer:
            while retry := await _attempt(transfer, url, state):
                if await transfer.wait(retry):
                    url = await _url(io, renewed(settings), plan, path)
            return await state.finish()
    finally:
        state.sink.close()


def _refusal(status: int, message: str) -> DownloadError:
    return DownloadError(message, status)


async def _url(
    io: RequestIO, settings: Settings, plan: Download[Reply, Model], path: Mapping[str, object]
) -> str:
    # The URL alone grants access to the file.
    return hidden(plan.url(await call(io, settings, plan.endpoint, path)))


async def _attempt(
    transfer: Transfer, url: str, state: DownloadState[Result]
) -> Retry | Renew | None:
    request = attrs.evolve(signed("GET", url, state.range_headers()), sink=state)
    outcome = state.attempted(await transfer.send(request, state))
    return None if outcome is None else transfer.decide(outcome, state.cannot_repeat)
