"""The async transport: aiohttp's connections below httpx's interface."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final

import aiohttp
import httpx
import yarl
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from poolse._http.mapping import IDLE
from poolse._http.proxies import Proxies
from poolse.errors import UsageError

__all__ = ["AiohttpTransport"]

PIECE: Final = 65_536
LONGEST_FIELD: Final = 65_536
"""Bytes of an answer's header; signed URLs do not fit into aiohttp's 8,190."""

# httpx sends these, or leaves them out on purpose.
NOT_BY_ITSELF: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")

ERRORS: Final[tuple[tuple[type[Exception], type[httpx.TransportError]], ...]] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientConnectionResetError, httpx.WriteError),
    (aiohttp.ClientOSError, httpx.ReadError),
    (aiohttp.InvalidURL, httpx.LocalProtocolError),
)
"""The first that fits counts; the rest is a `RemoteProtocolError`."""


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends requests in one event loop, and reads the whole answer.

    The extension `target` says what is asked of the server, byte for byte. The loop is that of the
    first request. When it is closed, the next loop takes its place.
    """

    def __init__(
        self, proxies: Proxies, context: Callable[[], ssl.SSLContext], max_connections: int
    ) -> None:
        self._proxies = proxies
        self._context = context
        self._size = max_connections
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._bind()
        proxy = self._proxies.of(request.url)
        async with self._slot(request.extensions["timeout"]["pool"]):
            if proxy is not None and proxy.url.scheme.startswith("socks"):
                return await self._through_socks(proxy).handle_async_request(request)
            return await self._exchange(request, proxy)

    async def aclose(self) -> None:
        if self._loop is not None:
            await self._session.close()
            for transport in self._socks.values():
                await transport.aclose()
            # Last, so that closing again goes on where a cancelled one stopped.
            self._loop = None

    async def _bind(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self._loop is not None:
            if not self._loop.is_closed():
                raise UsageError("this client works in another event loop; make one for each loop")
            await self._session.close()
        self._loop = loop
        self._slots = asyncio.Semaphore(self._size)
        self._socks: dict[httpx.Proxy, httpx.AsyncHTTPTransport] = {}
        self._session = aiohttp.ClientSession(
            connector=_Connector(limit=self._size, keepalive_timeout=IDLE),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=NOT_BY_ITSELF,
            auto_decompress=False,
            max_line_size=LONGEST_FIELD,
            max_field_size=LONGEST_FIELD,
            middlewares=[_once],
        )

    @asynccontextmanager
    async def _slot(self, timeout: float | None) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(timeout):
                await self._slots.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("") from None
        try:
            yield
        finally:
            self._slots.release()

    async def _exchange(self, request: httpx.Request, proxy: httpx.Proxy | None) -> httpx.Response:
        limits = request.extensions["timeout"]
        origin = str(request.url).removesuffix("/")
        secure = "https" in (request.url.scheme, proxy and proxy.url.scheme)
        silence = asyncio.timeout(None)
        wires: list[asyncio.Transport] = []
        _wires.set(wires)
        try:
            async with (
                silence,
                self._session.request(
                    request.method,
                    yarl.URL(origin + request.extensions["target"].decode(), encoded=True),
                    headers=request.headers.multi_items(),
                    data=_body(request.content, silence, limits["write"]),
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(
                        connect=limits["connect"], sock_read=limits["read"]
                    ),
                    ssl=self._context() if secure else True,
                    proxy=None if proxy is None else _with_credentials(proxy),
                ) as answer,
            ):
                content = await answer.read()
        except BaseException as error:
            # aiohttp closes politely: it would wait for a server that may never read again.
            for wire in wires:
                wire.abort()
            if isinstance(error, aiohttp.ClientError):
                raise _named(error) from _root(error)
            if silence.expired():
                raise httpx.WriteTimeout("") from None
            raise
        return httpx.Response(answer.status, headers=answer.raw_headers, content=content)

    def _through_socks(self, proxy: httpx.Proxy) -> httpx.AsyncHTTPTransport:
        # aiohttp knows no SOCKS; httpx does, if socksio is installed.
        if proxy not in self._socks:
            self._socks[proxy] = httpx.AsyncHTTPTransport(
                verify=self._context(),
                proxy=proxy,
                limits=httpx.Limits(max_connections=self._size, keepalive_expiry=IDLE),
            )
        return self._socks[proxy]


_wires: ContextVar[list[asyncio.Transport]] = ContextVar("poolse_wires")
"""The transports that the exchange of this task got."""


class _Connector(aiohttp.TCPConnector):
    """Tells an exchange which connection it uses."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        if connection.transport is not None:
            _wires.get().append(connection.transport)
        return connection


def _body(
    content: bytes, silence: asyncio.Timeout, limit: float | None
) -> bytes | AsyncIterator[bytes] | None:
    """What fits into the buffers goes out in one; for more, aiohttp has no write timeout."""
    return (content or None) if len(content) <= PIECE else _pieces(content, silence, limit)


async def _pieces(
    content: bytes, silence: asyncio.Timeout, limit: float | None
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    for start in range(0, len(content), PIECE):
        if limit is not None:
            silence.reschedule(loop.time() + limit)
        yield content[start : start + PIECE]
    silence.reschedule(None)


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET a second time: how often a call is tried, others decide."""
    try:
        return await handler(request)
    except aiohttp.ClientError as error:
        raise _named(error) from _root(error)


def _named(error: aiohttp.ClientError) -> httpx.TransportError:
    # aiohttp's own words are left out: they repeat the URL with its query.
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return httpx.ProxyError(f"{error.status} {error.message}")
    for theirs, ours in ERRORS:
        if isinstance(error, theirs):
            return ours("")
    return httpx.RemoteProtocolError("")


def _root(error: BaseException | None) -> BaseException | None:
    """The error of the operating system or of TLS below those of aiohttp."""
    while isinstance(error, aiohttp.ClientError):
        error = error.__cause__
    return error


def _with_credentials(proxy: httpx.Proxy) -> yarl.URL:
    url = yarl.URL(str(proxy.url))
    return url if proxy.auth is None else url.with_user(proxy.auth[0]).with_password(proxy.auth[1])
