"""Both senders behind one function, so that a test can ask the same of both."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import httpx

from poolse._http.async_sender import AsyncSender
from poolse._http.sync_sender import SyncSender
from poolse._rest.http_messages import Request, Response
from poolse._rest.request_io import run_sync
from poolse.cancel import CancelToken
from poolse.options import Timeout

__all__ = ["ASIDE", "FLAVOURS", "GIVEN", "Once", "Watched", "get", "in_thread", "post"]

ASIDE = 10.0
"""Seconds in which everything here has long happened; only a hang takes longer."""


class Once(Protocol):
    """Makes a sender, sends, closes it."""

    def __call__(
        self,
        request: Request,
        timeout: Timeout = Timeout(),  # noqa: B008 (immutable)
        cancel: CancelToken | None = None,
        *,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> Response: ...


def get(url: str, headers: Sequence[tuple[str, str]] = ()) -> Request:
    return Request.to("GET", url, headers, None)


def post(url: str, content: bytes) -> Request:
    return Request.to("POST", url, [("Content-Type", "application/json")], content)


def sync_once(
    request: Request,
    timeout: Timeout = Timeout(),  # noqa: B008
    cancel: CancelToken | None = None,
    *,
    proxy: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Response:
    sender = SyncSender(proxy=proxy, ssl_context=ssl_context)
    try:
        return run_sync(sender.send(request, timeout, cancel))
    finally:
        sender.close()


def async_once(
    request: Request,
    timeout: Timeout = Timeout(),  # noqa: B008
    cancel: CancelToken | None = None,
    *,
    proxy: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Response:
    async def run() -> Response:
        sender = AsyncSender(proxy=proxy, ssl_context=ssl_context)
        try:
            return await sender.send(request, timeout, cancel)
        finally:
            await sender.aclose()

    return asyncio.run(run())


def sync_given(
    request: Request,
    timeout: Timeout = Timeout(),  # noqa: B008
    cancel: CancelToken | None = None,
    *,
    proxy: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Response:
    verify = True if ssl_context is None else ssl_context
    with httpx.Client(proxy=proxy, verify=verify, follow_redirects=True) as client:
        return run_sync(SyncSender(http_client=client).send(request, timeout, cancel))


def async_given(
    request: Request,
    timeout: Timeout = Timeout(),  # noqa: B008
    cancel: CancelToken | None = None,
    *,
    proxy: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Response:
    async def run() -> Response:
        verify = True if ssl_context is None else ssl_context
        async with httpx.AsyncClient(proxy=proxy, verify=verify, follow_redirects=True) as client:
            return await AsyncSender(http_client=client).send(request, timeout, cancel)

    return asyncio.run(run())


FLAVOURS: dict[str, Once] = {"sync": sync_once, "async": async_once}
GIVEN: dict[str, Once] = {"sync given": sync_given, "async given": async_given}


class Watched(CancelToken):
    """Says when a call has registered with it."""

    def __init__(self) -> None:
        super().__init__()
        self.registered = threading.Semaphore(0)

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        forget = super().on_cancel(callback)
        self.registered.release()
        return forget


class Background:
    """A call in a thread: what it raised, once it is over."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.error: BaseException | None = None
        self.result: object = None
        self._call = call
        self._thread = threading.Thread(target=self._run, name="caller")
        self._thread.start()

    def outcome(self) -> BaseException | object:
        """What it raised, else what it returned."""
        self._thread.join(ASIDE)
        assert not self._thread.is_alive(), "the call hangs"
        return self.error if self.error is not None else self.result

    def _run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:
            self.error = error


def in_thread(call: Callable[[], object]) -> Background:
    """Start a call beside the test."""
    return Background(call)
