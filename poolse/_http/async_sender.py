"""The hands of the async client: sends, and waits, in one event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import httpx

from poolse._http.errors import (
    MAX_CONNECTIONS,
    client_closed,
    for_client,
    for_ourselves,
    named_failures,
    unread,
)
from poolse._network.proxies import Proxies
from poolse._network.trust import context_of
from poolse._observe.log_redaction import redact_library_logs
from poolse._rest.body_decoder import BodyDecoder
from poolse._rest.lifetime import Lifetime
from poolse._rest.request_io import Request, RequestBody, Response, ResponseSink
from poolse._support.event_loop import BoundLoop, in_this_loop
from poolse._support.open_resources import OpenResources
from poolse._support.size_limits import MAX_RESPONSE
from poolse.cancel import CancelToken, any_of
from poolse.errors import Cancelled, NetworkError, RequestTimeout, UsageError
from poolse.options import Timeout
from poolse.stats import PoolStats

if TYPE_CHECKING:
    from poolse._http.async_transport import AiohttpTransport

__all__ = ["AsyncSender", "attempt"]


class AsyncSender:
    """Shared by any number of tasks of one event loop. Making one opens nothing, and needs no loop.

    With an `http_client` of the caller's own, total and cancellation hold as without, but what a
    cancelled call does to its connections is up to it. It is not changed and not closed.
    """

    def __init__(
        self,
        *,
        http_client: httpx.AsyncClient | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        max_connections: int = MAX_CONNECTIONS,
        max_response: int = MAX_RESPONSE,
        belongings: OpenResources | None = None,
        lifetime: Lifetime | None = None,
    ) -> None:
        self._lifetime = lifetime or Lifetime()
        self._limit = max_response
        self._given = http_client
        self._own: AiohttpTransport | None = None
        self._home = BoundLoop()
        self._belongings = belongings or OpenResources()
        # Not of the client: this outlives it where a view, or a walk over pages, goes on.
        self._belongings.of(self)
        self._proxies = Proxies(proxy)
        self._context = context_of(ssl_context)
        self._size = max_connections

    async def send(
        self,
        request: Request,
        timeout: Timeout,
        cancel: CancelToken | None,
        intake: ResponseSink | None = None,
    ) -> Response:
        """Send once and read the whole answer, whatever its status.

        Raises:
            Cancelled: By the token.
            DecodeError: The answer is too large.
            NetworkError: No complete answer came.
            RequestTimeout: One of the limits was reached.
            UsageError: The request cannot be sent as HTTP, this is or was closed meanwhile, or is
                at work in another event loop.
        """
        self._lifetime.check()
        self._home.settle()
        async with attempt(timeout.total, any_of(self._lifetime.closing, cancel)):
            try:
                with redact_library_logs(), named_failures(request, timeout):
                    response = await self._exchange(request, timeout)
                    try:
                        # httpcore raises this by itself. Nobody asked for another protocol.
                        if response.status_code == 101:
                            raise httpx.RemoteProtocolError("the server switched protocols")
                        content = await self._content(response, intake)
                    finally:
                        await response.aclose()
            except (NetworkError, RuntimeError) as error:
                # What `aclose` did to the connection is no failure of the network. aiohttp says by
                # a RuntimeError that its session is closed.
                if self._lifetime.closed:
                    raise client_closed() from error
                raise
        return Response(response.status_code, response.headers, content)

    async def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        """Wait.

        Raises:
            Cancelled: By the token, at once.
            UsageError: This was closed, at once too.
        """
        async with attempt(None, any_of(self._lifetime.closing, cancel)):
            await asyncio.sleep(seconds)

    def pool(self) -> PoolStats | None:
        """How the connections are used; None before the first, and where they are another's."""
        return None if self._own is None else self._own.stats()

    async def aclose(self) -> None:
        """Close the connections, also those in use. Calling it again does nothing."""
        self.check_loop()
        self._lifetime.close()
        if self._own is not None:
            await self._own.aclose()

    def check_loop(self) -> None:
        """Raise `UsageError` when this is not the event loop to close it in."""
        if not self._home.is_over:
            self._home.settle()

    async def _exchange(self, request: Request, timeout: Timeout) -> httpx.Response:
        body = request.content
        content = body if body is None or isinstance(body, bytes) else _pieces(body)
        if self._given is not None:
            sent = for_client(self._given, request, timeout, content)
            own: dict[str, None] = {"auth": None} if request.bare else {}
            return unread(await self._given.send(sent, stream=True, follow_redirects=False, **own))
        if self._own is None:
            # Only now: whoever makes a client and sends nothing need not load aiohttp.
            from poolse._http.async_transport import AiohttpTransport

            made = AiohttpTransport(self._proxies, self._context, self._size)
            self._own = self._belongings.connections = made
        check = self._lifetime.check
        return await self._own.handle_async_request(for_ourselves(request, timeout, content, check))

    async def _content(self, response: httpx.Response, intake: ResponseSink | None) -> bytes:
        status, headers = response.status_code, response.headers
        if intake is not None and await intake.begins(status, headers):
            async for piece in response.aiter_raw():
                await intake.takes(piece)
            return b""
        whole = BodyDecoder(status, headers, self._limit)
        async for piece in response.aiter_raw():
            whole.takes(piece)
        return whole.finish()


async def _pieces(body: RequestBody) -> AsyncIterator[bytes]:
    while piece := await body.next():
        yield piece


@asynccontextmanager
async def attempt(total: float | None, cancel: CancelToken | None) -> AsyncGenerator[None]:
    """End the block when its time is up, or when the token is cancelled, by whichever thread."""
    if cancel is not None:
        cancel.raise_if_cancelled()
    scope = asyncio.timeout(total)
    try:
        async with scope:
            if cancel is None:
                yield
                return
            forget = cancel.on_cancel(in_this_loop(partial(_expire, scope)))
            try:
                yield
            finally:
                forget()
    except TimeoutError:
        if not scope.expired():
            raise
        raise _why_ended(total, cancel) from None


def _why_ended(total: float | None, cancel: CancelToken | None) -> Exception:
    try:
        if cancel is not None:
            cancel.raise_if_cancelled()
    except (Cancelled, UsageError) as error:
        return error
    return RequestTimeout("total", total or 0.0)


def _expire(scope: asyncio.Timeout) -> None:
    try:
        scope.reschedule(asyncio.get_running_loop().time())
    except RuntimeError:  # it is over already
        pass
