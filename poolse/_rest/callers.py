"""What the generated resources call: the flows of the brain, run by either body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

import attrs

from poolse._http.sync_sender import SyncSender
from poolse._rest.call import call
from poolse._rest.caller import NO_PATH
from poolse._rest.endpoint import Endpoint, Paging
from poolse._rest.lifetime import Calls, Lifetime
from poolse._rest.pagination import Pages
from poolse._rest.request_io import Request, Response, ResponseSink, run_sync
from poolse.cancel import CancelToken
from poolse.options import CallOptions, Timeout

if TYPE_CHECKING:
    from poolse._files.async_transfers import AsyncTransfers
    from poolse._files.transfers import Transfers

__all__ = ["AsyncCalls", "AtOnce", "Lifetime", "SyncCalls"]

T = TypeVar("T")
Page = TypeVar("Page")
Item = TypeVar("Item")


class _Paged(Calls):
    def _pages(
        self,
        paging: Paging[Page, Item],
        path: Mapping[str, object],
        query: Mapping[str, object] | None,
        options: CallOptions | None,
    ) -> Pages[Page, Item]:
        return Pages(self.hands, self._settings_for(options), paging, path, query)


@attrs.frozen(eq=False, repr=False)
class AtOnce:
    """The sync sender as hands of a flow: each returns when it is done, none suspends."""

    sender: SyncSender

    async def send(
        self,
        request: Request,
        timeout: Timeout,
        cancel: CancelToken | None,
        intake: ResponseSink | None = None,
    ) -> Response:
        return self.sender.send(request, timeout, cancel, intake)

    async def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        self.sender.sleep(seconds, cancel)


class SyncCalls(_Paged):
    """Runs a flow from start to end in the calling thread."""

    def call(
        self,
        endpoint: Endpoint[T],
        path: Mapping[str, object] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        options: CallOptions | None = None,
    ) -> T:
        settings = self._settings_for(options)
        return run_sync(call(self.hands, settings, endpoint, path, query, body))

    def pages(
        self,
        paging: Paging[Page, Item],
        path: Mapping[str, object] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        options: CallOptions | None = None,
    ) -> Iterator[Item]:
        return _walk(self._pages(paging, path, query, options))

    @property
    def files(self) -> Transfers:
        """What moves files. Loaded when it is first used, which most programs never do."""
        from poolse._files.transfers import Transfers

        return Transfers(self.hands, self.settings, self.lifetime)


class AsyncCalls(_Paged):
    """Awaits a flow."""

    async def call(
        self,
        endpoint: Endpoint[T],
        path: Mapping[str, object] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        options: CallOptions | None = None,
    ) -> T:
        settings = self._settings_for(options)
        return await call(self.hands, settings, endpoint, path, query, body)

    def pages(
        self,
        paging: Paging[Page, Item],
        path: Mapping[str, object] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        options: CallOptions | None = None,
    ) -> AsyncIterator[Item]:
        return _walk_async(self._pages(paging, path, query, options))

    @property
    def files(self) -> AsyncTransfers:
        """As in `SyncCalls`."""
        from poolse._files.async_transfers import AsyncTransfers

        return AsyncTransfers(self.hands, self.settings, self.lifetime)


# Functions of their own, so that wrong arguments are refused before the first step.


def _walk(pages: Pages[Page, Item]) -> Iterator[Item]:
    while items := run_sync(pages.next()):
        yield from items


async def _walk_async(pages: Pages[Page, Item]) -> AsyncIterator[Item]:
    while items := await pages.next():
        for item in items:
            yield item
