"""What the generated resources need of the client: one call, and a walk over pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Final, Protocol, TypeVar

from poolse._core.endpoint import Endpoint, Paging
from poolse.options import CallOptions

__all__ = ["NO_PATH", "AsyncCaller", "Caller"]

T = TypeVar("T")
Page = TypeVar("Page")
Item = TypeVar("Item")

NO_PATH: Final[Mapping[str, str]] = {}


class Caller(Protocol):
    """Carries out operations and blocks until they are done."""

    def call(
        self,
        endpoint: Endpoint[T],
        path: Mapping[str, str] = NO_PATH,
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
        path: Mapping[str, str] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        options: CallOptions | None = None,
    ) -> Iterator[Item]:
        """Walk over the items of all pages. The first page is fetched by the first step."""
        ...


class AsyncCaller(Protocol):
    """The async twin of `Caller`."""

    async def call(
        self,
        endpoint: Endpoint[T],
        path: Mapping[str, str] = NO_PATH,
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
        path: Mapping[str, str] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        options: CallOptions | None = None,
    ) -> AsyncIterator[Item]:
        """Walk over the items of all pages. The first page is fetched by the first step."""
        ...
