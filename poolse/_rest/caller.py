"""What the generated resources need of the client: one call, and a walk over pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from poolse._rest.endpoint import Download, Endpoint, Paging, Upload
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

__all__ = ["NO_PATH", "AsyncCaller", "Caller"]

T = TypeVar("T")
Answered = TypeVar("Answered")
Page = TypeVar("Page")
Item = TypeVar("Item")
Row = TypeVar("Row")

NO_PATH: Final[Mapping[str, object]] = {}


class Files(Protocol):
    """Moves files, and blocks until they are through."""

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
        """Ask where the bytes go, and put them there."""
        ...

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
        """Upload several files, some of them at the same time."""
        ...

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
    ) -> bytes | Path | int:
        """Ask where the bytes are, and fetch them."""
        ...


class AsyncFiles(Protocol):
    """The async twin of `Files`."""

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
        """Ask where the bytes go, and put them there."""
        ...

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
        """Upload several files, some of them at the same time."""
        ...

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
    ) -> bytes | Path | int:
        """Ask where the bytes are, and fetch them."""
        ...


class Caller(Protocol):
    """Carries out operations and blocks until they are done."""

    def call(
        self,
        endpoint: Endpoint[T],
        path: Mapping[str, object] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        options: CallOptions | None = None,
    ) -> T:
        """Carry out one operation. Keys of `query` and `body` that are UNSET are left out."""
        ...

    def pages(
        self,
        paging: Paging[Page, Item],
        path: Mapping[str, object] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        options: CallOptions | None = None,
    ) -> Iterator[Item]:
        """Walk over the items of all pages. The first page is fetched by the first step."""
        ...

    def follow(self, feed: Callable[[Any, Any], T], key: str, **choices: Any) -> T:  # noqa: ANN401
        """Make a feed of this kind for one list."""
        ...

    @property
    def files(self) -> Files:
        """What moves files."""
        ...


class AsyncCaller(Protocol):
    """The async twin of `Caller`."""

    async def call(
        self,
        endpoint: Endpoint[T],
        path: Mapping[str, object] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        options: CallOptions | None = None,
    ) -> T:
        """Carry out one operation. Keys of `query` and `body` that are UNSET are left out."""
        ...

    def pages(
        self,
        paging: Paging[Page, Item],
        path: Mapping[str, object] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        options: CallOptions | None = None,
    ) -> AsyncIterator[Item]:
        """Walk over the items of all pages. The first page is fetched by the first step."""
        ...

    def follow(self, feed: Callable[[Any, Any], T], key: str, **choices: Any) -> T:  # noqa: ANN401
        """Make a feed of this kind for one list."""
        ...

    @property
    def files(self) -> AsyncFiles:
        """What moves files."""
        ...
