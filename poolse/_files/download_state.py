"""The bytes of a download as they arrive: where they go on, and whether they are the right ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final, Generic, Protocol, TypeVar

from poolse._files.transfer_progress import ErrorLatch, ProgressReporter, Report
from poolse._rest.messages import Response
from poolse.errors import DownloadError, NetworkError

__all__ = ["DownloadState", "Sink"]

Kept = TypeVar("Kept")
Kept_co = TypeVar("Kept_co", covariant=True)

CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
LENGTH: Final = re.compile(r"\d{1,18}")
ETAG: Final = re.compile(r"(?!W/)[!-~]{1,1000}")
"""One that can be sent back. A weak one does not promise the same bytes."""


class Sink(Protocol[Kept_co]):
    """Where the bytes of a download go."""

    @property
    def repeatable(self) -> bool:
        """Whether it can be emptied again."""
        ...

    async def start(self) -> None:
        """Make room, before anything is sent."""
        ...

    async def write(self, piece: bytes) -> None:
        """Keep some bytes."""
        ...

    async def empty(self) -> None:
        """Forget all of them: they come again, from the first."""
        ...

    async def finish(self) -> Kept_co:
        """There are no more, and they are the right ones. Gives what the caller is given."""
        ...

    def close(self) -> None:
        """Let go of what was opened, and take back what is not finished. Does not wait."""
        ...


class DownloadState(ErrorLatch, Generic[Kept]):
    """Takes what comes, over all attempts."""

    def __init__(
        self,
        sink: Sink[Kept],
        size: int | None,
        sha256: str | None,
        max_bytes: int | None,
        report: Report | None,
    ) -> None:
        super().__init__()
        self.sink: Final = sink
        self._size = size
        self._sha256 = sha256
        self._max_bytes = max_bytes
        self._meter = ProgressReporter(size or 0, report)
        self._total: int | None = None
        self._etag = ""
        self._taking = False
        self._restart()
        self._check_limit(size)

    def _restart(self) -> None:
        self._loaded = 0
        self._hash = hashlib.sha256()

    @property
    def complete(self) -> bool:
        """Whether all bytes are here."""
        return self._taking and self._loaded == self._total

    @property
    def cannot_repeat(self) -> str:
        """Why there is no use in another attempt, or nothing."""
        if self.sink.repeatable or not self._loaded or self._etag:
            return ""
        return "it was not tried again, because what is written already cannot be taken back"

    def range_headers(self) -> list[tuple[str, str]]:
        """What asks for the rest only, provided that it is still the same file."""
        if not (self._loaded and self._etag):
            return []
        return [("Range", f"bytes={self._loaded}-"), ("If-Range", self._etag)]

    async def begins(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether the body of this answer is wanted."""
        with self.noting():
            self._taking = await self._begins(status, headers)
            return self._taking

    async def takes(self, piece: bytes) -> None:
        """The next piece."""
        with self.noting():
            self._loaded += len(piece)
            self._check_limit(self._loaded)
            if self._size is not None and self._loaded > self._size:
                raise DownloadError(f"the row says {self._size} bytes, but the storage sends more")
            self._hash.update(piece)
            await self.sink.write(piece)
            await self._meter.passed(self._loaded)

    async def finish(self) -> Kept:
        """What the caller gets, if the bytes are those of the row."""
        found = self._hash.hexdigest()
        if self._sha256 is not None and found != self._sha256.lower():
            raise DownloadError(
                f"the bytes are not those of the row: their sha256 is {found}, not {self._sha256}"
            )
        kept = await self.sink.finish()
        self._meter.total = self._loaded
        await self._meter.done()
        return kept

    def ended(self) -> None:
        """An answer came in whole."""
        if self._taking and self._total is None:
            self._total = self._loaded

    def lost(self, answer: Response) -> NetworkError | None:
        """What to think of an answer that came in whole, although the file did not."""
        if self._taking:
            return NetworkError(f"the storage sent {self._loaded} of {self._total} bytes")
        if 200 <= answer.status < 300 or answer.status == 416:
            # It has another file by now, or counts otherwise: the next attempt asks for all of it.
            self._etag = ""
            return NetworkError(f"the storage answered {answer.status}, and not with the file")
        return None

    async def _begins(self, status: int, headers: Mapping[str, str]) -> bool:
        if status == 206:
            found = CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
            return found is not None and (int(found[1]), int(found[3])) == (
                self._loaded,
                self._total,
            )
        if status != 200:
            return False
        if self._loaded:
            await self._empty()
        etag = headers.get("etag", "")
        self._etag = etag if ETAG.fullmatch(etag) else ""
        length = headers.get("content-length", "")
        self._total = int(length) if LENGTH.fullmatch(length) else self._size
        self._check_total()
        return True

    async def _empty(self) -> None:
        if not self.sink.repeatable:
            raise DownloadError(
                "the connection was lost, the storage begins again from the first byte, "
                "and what is written already cannot be taken back"
            )
        await self.sink.empty()
        self._restart()

    def _check_total(self) -> None:
        if self._size is not None and self._total != self._size:
            raise DownloadError(
                f"the row says {self._size} bytes, but the storage has {self._total}"
            )
        self._check_limit(self._total)
        self._meter.total = self._total or 0

    def _check_limit(self, size: int | None) -> None:
        if self._max_bytes is not None and size is not None and size > self._max_bytes:
            raise DownloadError(f"the file has more than max_bytes={self._max_bytes} bytes")
