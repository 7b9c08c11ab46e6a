"""An upload: ask the API where the bytes go, then send them there."""

from __future__ import annotations

from typing import Final, Protocol, TypeVar

import attrs

from poolse._files.storage import Renew, Transfer, renewed, signed
from poolse._files.transfer_progress import ErrorLatch, ProgressReporter, Report
from poolse._json.parsing import needed
from poolse._rest.call import call
from poolse._rest.endpoint import Upload
from poolse._rest.http_messages import Request, Response
from poolse._rest.request_io import RequestIO
from poolse._rest.retry import Retry
from poolse._rest.settings import Settings
from poolse.errors import UploadError, UsageError
from poolse.types import Unset

__all__ = ["File", "SendingBody", "Source", "upload"]

Model = TypeVar("Model")
Reply = TypeVar("Reply")

ONCE: Final = "it was not retried, because the body can be read only once"


class Source(Protocol):
    """Where the bytes of an upload come from."""

    size: int
    """How many there are, or how many the caller says there are."""
    repeatable: bool
    """Whether they can be read a second time."""

    async def start(self) -> None:
        """Begin with the first byte, even if some were read before."""
        ...

    async def read(self) -> bytes:
        """Return some bytes; none at the end."""
        ...

    def close(self) -> None:
        """Close what was opened. Does not wait."""
        ...


@attrs.frozen
class File:
    """What to upload."""

    source: Source = attrs.field(repr=False)
    content_type: str
    name: str | Unset


class SendingBody(ErrorLatch):
    """The bytes of a source during one attempt: as many as were declared, and no others."""

    def __init__(self, source: Source, progress: ProgressReporter) -> None:
        super().__init__()
        self.size: Final = progress.total
        self.begun = False
        self.complete = False
        """Whether all of them were handed on."""
        self._source = source
        self._progress = progress
        self._read = 0
        self._ended = False

    async def next(self) -> bytes:
        """Return the next piece; none at the end."""
        with self.latching():
            self.begun = True
            # Reported only now: a request for more means that the previous piece was sent.
            await self._progress.update(self._read)
            piece = b"" if self._ended else await self._next()
            self.complete = not piece
            return piece

    async def _next(self) -> bytes:
        piece = await self._source.read()
        self._read += len(piece)
        if not piece or self._read >= self.size:
            self._ended = True
            # Before the last piece goes: after it, the other side has a whole file.
            self._read += len(await self._source.read()) if piece else 0
            if self._read != self.size:
                least = "at least " if self._read > self.size else ""
                raise UsageError(
                    f"{self.size} bytes were declared, but the body has {least}{self._read}: "
                    "byte_size is wrong, or the file changed while it was read"
                )
        return piece


async def upload(
    io: RequestIO,
    settings: Settings,
    plan: Upload[Reply, Model],
    file: File,
    report: Report | None = None,
) -> Model:
    """Upload a file. Its source is closed afterwards, however that ends.

    Raises:
        ApiError: The API refused.
        UploadError: Storage refused.
        NetworkError: One of the two did not respond.
        DecodeError: The API named no place.
        UsageError: The source has more or fewer bytes than declared, or cannot be read.
    """
    try:
        progress = ProgressReporter(file.source.size, report)
        # Before anything is sent: what cannot be read needs no place.
        await file.source.start()
        reply = await _ask(io, settings, plan, file)
        request = _request(plan, reply)
        transfer = Transfer(io, settings, request.method, UploadError)
        async with transfer.observer:
            while retry := await _attempt(transfer, request, file.source, progress):
                if await transfer.wait(retry):
                    reply = await _ask(io, renewed(settings), plan, file)
                    request = _request(plan, reply)
            await progress.done()
            return plan.result(reply)
    finally:
        file.source.close()


async def _ask(io: RequestIO, settings: Settings, plan: Upload[Reply, Model], file: File) -> Reply:
    fields = {
        plan.content_type: file.content_type,
        plan.size: file.source.size,
        plan.filename: file.name,
    }
    return await call(io, settings, plan.endpoint, {}, body=fields)


async def _attempt(
    transfer: Transfer, request: Request, source: Source, progress: ProgressReporter
) -> Retry | Renew | None:
    body = SendingBody(source, progress)
    outcome = await transfer.send(attrs.evolve(request, content=body), body)
    retry = transfer.decide(outcome, ONCE if body.begun and not source.repeatable else "")
    if retry is None and isinstance(outcome, Response) and not body.complete:
        raise UploadError(
            outcome.status, "the object storage responded before it received all bytes"
        )
    if retry is not None and body.begun:
        await source.start()
    return retry


def _request(plan: Upload[Reply, Model], reply: Reply) -> Request:
    # Checked before the bytes are sent: without the result they could not be found.
    plan.result(reply)
    target, path = plan.target(reply), plan.target_path
    url, method = needed(target.url, f"{path}.url"), needed(target.method, f"{path}.method")
    # The signature covers these headers and no others, least of all our Authorization.
    return signed(method, url, target.headers)
