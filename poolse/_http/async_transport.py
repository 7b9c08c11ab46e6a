"""The async transport: requests over aiohttp's connections."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import attrs
import httpcore
import yarl
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from poolse._http.async_exchange import Exchange, current, drop_stray_bytes, named, root
from poolse._http.errors import IDLE, MAX_ORIGINS
from poolse._network.addresses import certificate_name
from poolse._network.async_resolver import Resolver
from poolse._network.async_socks import SocksBackend
from poolse._network.proxies import Proxies, Proxy
from poolse._network.tunnels import CLOSED, NOT_HTTP, status_text
from poolse._network.urls import ServerAddress, address_of
from poolse._rest.http_messages import (
    Request,
    Response,
    pieces_of,
    read_body,
    response_headers,
)
from poolse._rest.request_io import Lifetime
from poolse._support.fork_safety import renew_after_fork
from poolse.options import Timeout
from poolse.stats import PoolStats

__all__ = ["AsyncTransport"]

LONGEST_FIELD: Final = 65_536
"""Bytes of a header of a response; signed URLs do not fit into aiohttp's 8,190."""

# We send these, or leave them out on purpose.
NOT_BY_ITSELF: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


_INHERITED: Final[list[object]] = []
"""What this process has inherited, and must not touch."""


class AsyncTransport:
    """Sends requests in one event loop: that of the first. When it is closed, the next replaces it.

    Targets are sent byte for byte.
    """

    def __init__(
        self,
        proxies: Proxies,
        context: Callable[[], ssl.SSLContext],
        max_connections: int,
        max_response: int,
        lifetime: Lifetime,
    ) -> None:
        self._proxies = proxies
        self._origins: dict[str, _Origin] = {}
        self._context = context
        self._size = max_connections
        self._max_response = max_response
        self._lifetime = lifetime
        self._limit = _ConnectionLimit(max_connections)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socks: dict[Proxy, httpcore.AsyncConnectionPool] = {}
        self._session: aiohttp.ClientSession
        self._connector: _Connector
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Forget the connections and their loop, which are the parent's, in a forked child."""
        if self._loop is not None:
            self._session.detach()
            # Collected, they would take themselves out of a selector that both processes share.
            _INHERITED.append((self._connector, self._socks))
            self._loop = None

    def abandon(self) -> bool:
        """Leave the connections to their loop. Whether there were any."""
        loop, self._loop = self._loop, None
        if loop is None:
            return False
        self._session.detach()
        try:
            loop.call_soon_threadsafe(self._connector.abort)
        except RuntimeError:  # it is closed
            pass
        return True

    async def send(self, request: Request, timeout: Timeout) -> Response:
        """Send once and read the whole response."""
        if asyncio.get_running_loop() is not self._loop:
            await self._bind()
        async with self._limit.acquired(timeout.pool):
            self._lifetime.raise_if_cancelled()
            origin = self._origins.get(request.origin) or self._origin(request.origin)
            if origin.proxy is not None and origin.proxy.is_socks:
                return await self._send_by_socks(request, timeout, origin.address, origin.proxy)
            return await self._exchange(request, timeout, origin)

    def stats(self) -> PoolStats:
        """Return the numbers of requests in flight and waiting."""
        return self._limit.stats()

    async def aclose(self) -> None:
        if self._loop is not None:
            await self._session.close()
            for pool in self._socks.values():
                await pool.aclose()
            # Last, so that closing again resumes where a cancelled one stopped.
            self._loop = None

    def _origin(self, name: str) -> _Origin:
        address = address_of(name)
        if len(self._origins) == MAX_ORIGINS:
            self._origins.clear()
        proxy = self._proxies.of(address.scheme, address.host, address.port)
        has_tls = "https" in (address.scheme, proxy and proxy.scheme)
        origin = self._origins[name] = _Origin(address, proxy, has_tls)
        return origin

    async def _bind(self) -> None:
        old = None if self._loop is None else self._session
        # Without an `await` up to the end of it: another first call would make a session too.
        self._loop = asyncio.get_running_loop()
        self._limit = _ConnectionLimit(self._size)
        self._socks = {}
        self._connector = _Connector(limit=self._size, keepalive_timeout=IDLE, resolver=Resolver())
        self._connector.transports = set()
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=NOT_BY_ITSELF,
            auto_decompress=False,
            max_line_size=LONGEST_FIELD,
            max_field_size=LONGEST_FIELD,
            middlewares=[_without_retry],
        )
        if old is not None:
            await old.close()

    async def _exchange(self, request: Request, timeout: Timeout, origin: _Origin) -> Response:
        exchange = Exchange(timeout.write, timeout.read)
        mark = current.set(exchange)
        response: aiohttp.ClientResponse | None = None
        try:
            async with exchange.idle:
                response = await self._session.request(
                    request.method,
                    yarl.URL(request.origin + request.target, encoded=True),
                    data=exchange.body(request.content),
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(connect=timeout.connect, sock_read=timeout.read),
                    ssl=self._context() if origin.has_tls else True,
                    **_options(request, origin.address, origin.proxy),
                )
            exchange.answered = True
            if response.status == 101:
                raise httpcore.RemoteProtocolError("the server switched protocols")
            headers = response_headers(response.raw_headers)
            pieces = response.content.iter_any()
            return await read_body(
                response.status, headers, pieces, self._max_response, request.sink
            )
        except BaseException as error:
            failure, cause = exchange.failure(error)
            if failure is error:
                raise
            raise failure from cause
        finally:
            current.reset(mark)
            if response is not None:
                if exchange.sending or not response.content.at_eof():
                    exchange.abort()
                response.release()
                await response.wait_for_close()

    async def _send_by_socks(
        self, request: Request, timeout: Timeout, address: ServerAddress, proxy: Proxy
    ) -> Response:
        # aiohttp knows no SOCKS, and no hook for custom tunnels.
        if proxy not in self._socks:
            self._socks[proxy] = httpcore.AsyncConnectionPool(
                ssl_context=self._context(),
                max_connections=self._size,
                max_keepalive_connections=self._size,
                keepalive_expiry=IDLE,
                network_backend=SocksBackend(proxy),
            )
        body = request.content
        content = body if body is None or isinstance(body, bytes) else pieces_of(body)
        limits = {"connect": timeout.connect, "read": timeout.read, "write": timeout.write}
        sent = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=address.scheme,
                host=address.host,
                port=address.port,
                target=request.target.encode("ascii"),
            ),
            headers=[("Host", address.netloc), *request.wire_headers()],
            content=content,
            extensions={
                "timeout": limits,
                "sni_hostname": certificate_name(address.host),
            },
        )
        response = await self._socks[proxy].handle_async_request(sent)
        try:
            headers = response_headers(response.headers)
            pieces = response.aiter_stream()
            return await read_body(
                response.status, headers, pieces, self._max_response, request.sink
            )
        finally:
            await response.aclose()


@attrs.frozen(eq=False)
class _Origin:
    """A server, and the proxy to it."""

    address: ServerAddress
    proxy: Proxy | None
    has_tls: bool
    """Whether to speak TLS with one of them."""


class _Connector(aiohttp.TCPConnector):
    """Reports the connection of an exchange to it."""

    transports: set[asyncio.Transport]
    """The transports in use, and those that wait to be used again."""

    def abort(self) -> None:
        """Cut all connections, those in use too."""
        for transport in self.transports:
            transport.abort()

    async def close(self, *, abort_ssl: bool = False) -> None:
        await super().close(abort_ssl=abort_ssl)
        self.transports.clear()

    def __del__(self, _: object = None) -> None:
        """Do nothing: aiohttp's would talk to a loop from whichever thread collects it."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,
    ) -> Connection:
        try:
            connection = await super().connect(req, traces, timeout)
        except aiohttp.ClientHttpProxyError as error:
            raise httpcore.ProxyError(status_text(error.status)) from None
        except aiohttp.ServerDisconnectedError:
            raise httpcore.ProxyError(CLOSED) from None
        except aiohttp.ClientResponseError:
            raise httpcore.ProxyError(NOT_HTTP) from None
        if connection.protocol is not None:
            drop_stray_bytes(connection.protocol, req.method)
        transport = connection.transport
        if transport is not None:
            current.get().connected(transport)
            if transport not in self.transports:
                # Those of uvloop cannot be held weakly, so that the closed ones are sorted out.
                self.transports = {other for other in self.transports if not other.is_closing()} | {
                    transport
                }
        return connection


class _ConnectionLimit:
    """As many requests as there are connections; the others wait for their turn."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._in_use = 0
        self._waiting = 0
        self._free = asyncio.Semaphore(count)

    @asynccontextmanager
    async def acquired(self, timeout: float | None) -> AsyncGenerator[None]:
        """Wait for a connection, at most `timeout` seconds, and hold it."""
        self._waiting += 1
        try:
            async with asyncio.timeout(timeout):
                await self._free.acquire()
        except TimeoutError:
            raise httpcore.PoolTimeout("") from None
        finally:
            self._waiting -= 1
        self._in_use += 1
        try:
            yield
        finally:
            self._in_use -= 1
            self._free.release()

    def stats(self) -> PoolStats:
        return PoolStats(size=self._count, in_use=self._in_use, waiting=self._waiting)


async def _without_retry(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET a second time: how often a call is tried, others decide."""
    try:
        return await handler(request)
    except aiohttp.ClientError as error:
        raise named(error) from root(error)


def _options(request: Request, address: ServerAddress, proxy: Proxy | None) -> dict[str, Any]:
    """Return the headers, and what aiohttp has to know of proxy and TLS beside the context.

    Never the credentials as a part of the URL: it sends them in Latin-1, and its errors show them.
    """
    headers = [("Host", address.netloc), *request.wire_headers()]
    options: dict[str, Any] = {"headers": headers}
    host = address.host
    if host.endswith("."):
        options["server_hostname"] = certificate_name(host)
    if proxy is not None:
        options["proxy"] = yarl.URL(proxy.url)
        if proxy.authorization is not None:
            field = ("Proxy-Authorization", proxy.authorization)
            if address.scheme == "https":
                options["proxy_headers"] = [field]
            else:
                headers.append(field)
    return options
