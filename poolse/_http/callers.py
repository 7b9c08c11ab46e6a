"""What the generated resources call: the flows of the brain, run by either body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TypeVar

import attrs

from poolse._core.call import call
from poolse._core.caller import NO_PATH
from poolse._core.endpoint import Endpoint, Paging
from poolse._core.hands import Answer, Hands, Outgoing, run_flow
from poolse._core.pages import Pages
from poolse._core.settings import Settings
from poolse._core.upload import Upload, file_of, upload
from poolse._http.mapping import client_closed
from poolse._http.sync import SyncSender
from poolse.cancel import CancelToken
from poolse.options import CallOptions, Timeout
from poolse.types import UNSET, Unset, UploadBody

__all__ = ["AsyncCalls", "AtOnce", "Lifetime", "SyncCalls"]

T = TypeVar("T")
Answered = TypeVar("Answered")
Page = TypeVar("Page")
Item = TypeVar("Item")


@attrs.define
class Lifetime:
    """Whether the client is open; shared with all its views."""

    closed: bool = False

    def check(self) -> None:
        """Raise `UsageError` once the client is closed."""
        if self.closed:
            raise client_closed()


@attrs.frozen
class _Calls:
    hands: Hands
    settings: Settings
    lifetime: Lifetime

    def _settings_for(self, options: CallOptions | None) -> Settings:
        self.lifetime.check()
        return self.settings.for_call(options)

    def _pages(
        self,
        paging: Paging[Page, Item],
        path: Mapping[str, str],
        query: Mapping[str, object] | None,
        options: CallOptions | None,
    ) -> Pages[Page, Item]:
        return Pages(self.hands, self._settings_for(options), paging, path, query)


@attrs.frozen
class AtOnce:
    """The sync sender as hands of a flow: each returns when it is done, none suspends."""

    sender: SyncSender

    async def send(self, request: Outgoing, timeout: Timeout, cancel: CancelToken | None) -> Answer:
        return self.sender.send(request, timeout, cancel)

    async def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        self.sender.sleep(seconds, cancel)


class SyncCalls(_Calls):
    """Runs a flow from start to end in the calling thread."""

    def call(
        self,
        endpoint: Endpoint[T],
        path: Mapping[str, str] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        options: CallOptions | None = None,
    ) -> T:
        settings = self._settings_for(options)
        return run_flow(call(self.hands, settings, endpoint, path, query, body))

    def pages(
        self,
        paging: Paging[Page, Item],
        path: Mapping[str, str] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        options: CallOptions | None = None,
    ) -> Iterator[Item]:
        return _walk(self._pages(paging, path, query, options))

    def upload(
        self,
        plan: Upload[Answered, T],
        body: UploadBody,
        *,
        content_type: str | Unset = UNSET,
        byte_size: int | Unset = UNSET,
        filename: str | Unset = UNSET,
        options: CallOptions | None = None,
    ) -> T:
        settings = self._settings_for(options)
        file = file_of(body, content_type, byte_size, filename)
        return run_flow(upload(self.hands, settings, plan, file))


class AsyncCalls(_Calls):
    """Awaits a flow."""

    async def call(
        self,
        endpoint: Endpoint[T],
        path: Mapping[str, str] = NO_PATH,
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
        path: Mapping[str, str] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        options: CallOptions | None = None,
    ) -> AsyncIterator[Item]:
        return _walk_async(self._pages(paging, path, query, options))

    async def upload(
        self,
        plan: Upload[Answered, T],
        body: UploadBody,
        *,
        content_type: str | Unset = UNSET,
        byte_size: int | Unset = UNSET,
        filename: str | Unset = UNSET,
        options: CallOptions | None = None,
    ) -> T:
        settings = self._settings_for(options)
        file = file_of(body, content_type, byte_size, filename)
        return await upload(self.hands, settings, plan, file)


# Functions of their own, so that wrong arguments are refused before the first step.


def _walk(pages: Pages[Page, Item]) -> Iterator[Item]:
    while items := run_flow(pages.next()):
        yield from items


async def _walk_async(pages: Pages[Page, Item]) -> AsyncIterator[Item]:
    while items := await pages.next():
        for item in items:
            yield item
