"""What the async client sends and waits with, in one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from poolse._http.sender import HttpSender
from poolse._network.proxies import Proxies
from poolse._network.trust import context_of
from poolse._rest.http_messages import (
    Request,
    Response,
    pieces_of,
    read_body,
    response_headers,
)
from poolse._support.event_loop import BoundLoop, in_this_loop
from poolse._support.fork_safety import renew_after_fork
from poolse.cancel import CancelToken
from poolse.errors import Cancelled, RequestTimeout
from poolse.options import Timeout
from poolse.stats import PoolStats

if TYPE_CHECKING:
    import httpx

    from poolse._http.async_transport import AsyncTransport

__all__ = ["AsyncSender", "deadline"]


class AsyncSender(HttpSender):
    """Shared by the tasks of one event loop. Creating one needs no loop.

    With an `http_client` of the caller's own, total and cancellation hold as without, but what a
    cancelled call does to its connections is up to it.
    """

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._proxies = Proxies(self.proxy)
        self._transport: AsyncTransport | None = None
        self._bound = BoundLoop()
        self._renew()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Forget the loop and its requests, which are the parent's, in a forked child."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waits = set[asyncio.Timeout]()
        """What ends when the client is closed."""

    async def _attempt(
        self, request: Request, timeout: Timeout, cancel: CancelToken | None
    ) -> Response:
        self.lifetime.raise_if_cancelled()
        if asyncio.get_running_loop() is not self._loop:
            self._bind()
        async with deadline(timeout.total, cancel, self._waits):
            if self.http_client is not None:
                return await self._send_by_client(self.http_client, request, timeout)
            transport = self._transport or self._open()
            return await transport.send(request, timeout)

    async def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        """Wait.

        Raises:
            Cancelled: By the token, at once.
            UsageError: This was closed, at once too.
        """
        self.lifetime.raise_if_cancelled()
        if asyncio.get_running_loop() is not self._loop:
            self._bind()
        try:
            async with deadline(None, cancel, self._waits):
                await asyncio.sleep(seconds)
        except RequestTimeout:
            self.lifetime.raise_if_cancelled()
            raise

    def pool(self) -> PoolStats | None:
        """Return the use of the connections; None before the first, and for another client's."""
        return None if self._transport is None else self._transport.stats()

    async def aclose(self) -> None:
        """Close the connections, also those in use. Calling it again does nothing."""
        self.check_loop()
        self.lifetime.close()
        if self._transport is not None:
            await self._transport.aclose()

    def check_loop(self) -> None:
        """Raise `UsageError` when this is not the event loop to close it in."""
        if not self._bound.is_over:
            self._bound.settle()

    def _bind(self) -> None:
        """Work in the running loop from now on."""
        self._bound.settle()
        self._loop = asyncio.get_running_loop()
        self._waits = set[asyncio.Timeout]()
        # In one for all calls, and without a reference to this.
        self.lifetime.on_cancel(in_this_loop(partial(_end_all, self._waits)))

    def _open(self) -> AsyncTransport:
        # Imported lazily: a client that sends nothing needs no aiohttp.
        from poolse._http.async_transport import AsyncTransport

        transport = AsyncTransport(
            self._proxies,
            context_of(self.ssl_context),
            self.max_connections,
            self.max_response,
            self.lifetime,
        )
        self._transport = self.resources.connections = transport
        return transport

    async def _send_by_client(
        self, client: httpx.AsyncClient, request: Request, timeout: Timeout
    ) -> Response:
        import httpx

        from poolse._http.given_client import httpx_request, unread

        body = request.content
        content = body if body is None or isinstance(body, bytes) else pieces_of(body)
        sent = httpx_request(client, request, timeout, content)
        without_auth: dict[str, None] = {"auth": None} if request.bare else {}
        response = await client.send(sent, stream=True, follow_redirects=False, **without_auth)
        response = unread(response)
        try:
            # httpcore raises this itself. No other protocol was requested.
            if response.status_code == 101:
                raise httpx.RemoteProtocolError("the server switched protocols")
            status, headers = response.status_code, response_headers(response.headers.raw)
            pieces = response.aiter_raw()
            return await read_body(status, headers, pieces, self.max_response, request.sink)
        finally:
            await response.aclose()


@asynccontextmanager
async def deadline(
    total: float | None, cancel: CancelToken | None, waits: set[asyncio.Timeout] | None = None
) -> AsyncGenerator[None]:
    """End the block after so many seconds, or when the token is cancelled, by any thread.

    Args:
        total: Seconds; None for no limit.
        cancel: The caller's token.
        waits: Where what ends the block is registered meanwhile.
    """
    if cancel is not None:
        cancel.raise_if_cancelled()
    scope = asyncio.timeout(total)
    forget = None
    try:
        async with scope:
            if cancel is not None:
                forget = cancel.on_cancel(in_this_loop(partial(_end, scope)))
            if waits is not None:
                waits.add(scope)
            try:
                yield
            finally:
                if waits is not None:
                    waits.discard(scope)
                if forget is not None:
                    forget()
    except TimeoutError:
        if not scope.expired():
            raise
        if cancel is not None and cancel.cancelled:
            raise Cancelled from None
        raise RequestTimeout("total", total or 0.0) from None


def _end_all(scopes: set[asyncio.Timeout]) -> None:
    for scope in [*scopes]:
        _end(scope)


def _end(scope: asyncio.Timeout) -> None:
    try:
        scope.reschedule(asyncio.get_running_loop().time())
    except RuntimeError:  # it is over already
        pass
