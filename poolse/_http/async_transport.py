"""The async transport: aiohttp's connections below httpx's interface."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, cast

import aiohttp
import httpcore
import httpx
import yarl
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from poolse._http.async_exchange import Exchange, RelayedBody, ResponseStream, current, named, root
from poolse._http.async_stray_bytes import drop_stray_bytes
from poolse._http.errors import IDLE
from poolse._network.addresses import certificate_name
from poolse._network.async_resolver import Resolver
from poolse._network.async_socks import SocksBackend
from poolse._network.proxies import Proxies, Proxy
from poolse._network.tunnels import CLOSED, NOT_HTTP, status_text
from poolse._support.fork_safety import renew_after_fork
from poolse.stats import PoolStats

__all__ = ["AiohttpTransport"]

LONGEST_FIELD: Final = 65_536
"""Bytes of an answer's header; signed URLs do not fit into aiohttp's 8,190."""

# httpx sends these, or leaves them out on purpose.
NOT_BY_ITSELF: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


_PARENTS: Final[list[object]] = []
"""What this process has inherited, and must not touch."""


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends requests in one event loop.

    The extension `target` says what is asked of the server, byte for byte. The loop is that of the
    first request. When it is closed, the next loop takes its place.
    """

    def __init__(
        self, proxies: Proxies, context: Callable[[], ssl.SSLContext], max_connections: int
    ) -> None:
        self._proxies = proxies
        self._context = context
        self._size = max_connections
        self._slots = _ConnectionLimit(max_connections)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socks: dict[Proxy, httpcore.AsyncConnectionPool] = {}
        self._session: aiohttp.ClientSession
        self._connector: _Connector
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child: the connections are the parent's, and so is their loop."""
        if self._loop is not None:
            self._session.detach()
            # Collected, they would take themselves out of a selector that both processes share.
            _PARENTS.append((self._connector, self._socks))
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

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._bind()
        url = request.url
        proxy = self._proxies.of(url.scheme, url.raw_host.decode(), url.port)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                self._slots.taken(request.extensions["timeout"]["pool"])
            )
            request.extensions["check"]()
            if proxy is not None and proxy.is_socks:
                answer = await self._through_socks(proxy, request)
                stack.push_async_callback(answer.aclose)
                stream = RelayedBody(answer, stack.pop_all())
                return httpx.Response(answer.status, headers=answer.headers, stream=stream)
            return await self._exchange(request, proxy, stack)

    def stats(self) -> PoolStats:
        """How many requests are under way, and how many wait."""
        return self._slots.stats()

    async def aclose(self) -> None:
        if self._loop is not None:
            await self._session.close()
            for pool in self._socks.values():
                await pool.aclose()
            # Last, so that closing again goes on where a cancelled one stopped.
            self._loop = None

    async def _bind(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        old = None if self._loop is None else self._session
        # Without an `await` up to the end of it: another first call would make a session too.
        self._loop = loop
        self._slots = _ConnectionLimit(self._size)
        self._socks = {}
        self._connector = _Connector(limit=self._size, keepalive_timeout=IDLE, resolver=Resolver())
        self._connector.wires = set()
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=NOT_BY_ITSELF,
            auto_decompress=False,
            max_line_size=LONGEST_FIELD,
            max_field_size=LONGEST_FIELD,
            middlewares=[_once],
        )
        if old is not None:
            await old.close()

    async def _exchange(
        self, request: httpx.Request, proxy: Proxy | None, stack: AsyncExitStack
    ) -> httpx.Response:
        limits = request.extensions["timeout"]
        origin = str(request.url).removesuffix("/")
        secure = "https" in (request.url.scheme, proxy and proxy.scheme)
        exchange = Exchange(limits["write"], limits["read"])
        with exchange.in_this_task(), exchange.aborted_on_error():
            async with exchange.silence:
                answer = await stack.enter_async_context(
                    self._session.request(
                        request.method,
                        yarl.URL(origin + request.extensions["target"].decode(), encoded=True),
                        data=exchange.body(request),
                        allow_redirects=False,
                        timeout=aiohttp.ClientTimeout(
                            connect=limits["connect"], sock_read=limits["read"]
                        ),
                        ssl=self._context() if secure else True,
                        **_detour(request, proxy),
                    )
                )
            exchange.answered = True
        stream = ResponseStream(answer, exchange, stack.pop_all())
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=stream)

    async def _through_socks(self, proxy: Proxy, request: httpx.Request) -> httpcore.Response:
        # aiohttp knows no SOCKS, and lets nobody else open its tunnels.
        if proxy not in self._socks:
            self._socks[proxy] = httpcore.AsyncConnectionPool(
                ssl_context=self._context(),
                max_connections=self._size,
                max_keepalive_connections=self._size,
                keepalive_expiry=IDLE,
                network_backend=SocksBackend(proxy),
            )
        url = request.url
        sent = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme,
                host=url.raw_host,
                port=url.port,
                target=request.extensions["target"],
            ),
            headers=request.headers.raw,
            content=cast("httpx.AsyncByteStream", request.stream),
            extensions={
                "timeout": request.extensions["timeout"],
                "sni_hostname": certificate_name(url.raw_host.decode()),
            },
        )
        return await self._socks[proxy].handle_async_request(sent)


class _Connector(aiohttp.TCPConnector):
    """Tells an exchange which connection it uses."""

    wires: set[asyncio.Transport]
    """The transports in use, and those that wait to be used again."""

    def abort(self) -> None:
        """Cut all connections, those in use too."""
        for wire in self.wires:
            wire.abort()

    async def close(self, *, abort_ssl: bool = False) -> None:
        await super().close(abort_ssl=abort_ssl)
        self.wires.clear()

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
            raise httpx.ProxyError(status_text(error.status)) from None
        except aiohttp.ServerDisconnectedError:
            raise httpx.ProxyError(CLOSED) from None
        except aiohttp.ClientResponseError:
            raise httpx.ProxyError(NOT_HTTP) from None
        if connection.protocol is not None:
            drop_stray_bytes(connection.protocol, req.method)
        wire = connection.transport
        if wire is not None:
            current.get().connected(wire)
            if wire not in self.wires:
                # Those of uvloop cannot be held weakly, so that the closed ones are sorted out.
                self.wires = {other for other in self.wires if not other.is_closing()} | {wire}
        return connection


class _ConnectionLimit:
    """As many requests as there are connections; the others wait for their turn."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._in_use = 0
        self._waiting = 0
        self._free = asyncio.Semaphore(count)

    @asynccontextmanager
    async def taken(self, timeout: float | None) -> AsyncGenerator[None]:
        """Hold a slot. Waits at most `timeout` seconds for it."""
        self._waiting += 1
        try:
            async with asyncio.timeout(timeout):
                await self._free.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("") from None
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


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET a second time: how often a call is tried, others decide."""
    try:
        return await handler(request)
    except aiohttp.ClientError as error:
        raise named(error) from root(error)


def _detour(request: httpx.Request, proxy: Proxy | None) -> dict[str, Any]:
    """What aiohttp has to know of proxy and TLS beside the context.

    Never the credentials as a part of the URL: it sends them in Latin-1, and its errors show them.
    """
    options: dict[str, Any] = {}
    host = request.url.raw_host.decode()
    if host.endswith("."):
        options["server_hostname"] = certificate_name(host)
    headers = request.headers.multi_items()
    if proxy is not None:
        options["proxy"] = yarl.URL(proxy.url)
        if proxy.authorization is not None:
            field = ("Proxy-Authorization", proxy.authorization)
            if request.url.scheme == "https":
                options["proxy_headers"] = [field]
            else:
                headers.append(field)
    return {"headers": headers, **options}
