"""The sync transport: httpcore's connection pool, over sockets that obey the attempt."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

import httpcore
import httpx

from poolse._http.connection_limit import ConnectionLimit
from poolse._http.deadline import Deadline, current
from poolse._http.errors import IDLE
from poolse._http.sync_sockets import Backend, Opened, Route, close_socket
from poolse._network.proxies import Proxies, Proxy
from poolse._support.fork_safety import renew_after_fork

if TYPE_CHECKING:
    from poolse.stats import PoolStats

__all__ = ["HttpcoreTransport"]


class HttpcoreTransport(httpx.BaseTransport):
    """Sends requests within the `current` attempt. Their answers are read within it too.

    The extension `target` says what is asked of the server, byte for byte.
    """

    def __init__(
        self, proxies: Proxies, context: Callable[[], ssl.SSLContext], max_connections: int
    ) -> None:
        self._proxies = proxies
        self._context = context
        self._size = max_connections
        self._opened = Opened()
        self._renew()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child: nothing is sent over the parent's connections."""
        for sock in self._opened:
            sock.close()
        self._opened = Opened()
        self._limit = ConnectionLimit(self._size)
        self._lock = threading.Lock()
        self._pools: dict[tuple[Proxy | None, str], httpcore.ConnectionPool] = {}

    def abandon(self) -> bool:
        """Let go of the connections, unless they are in use. Whether there were any."""
        left = [sock for sock in self._opened if sock.fileno() >= 0]
        if self._limit.is_unused:
            for sock in left:
                sock.close()
        return bool(left)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        proxy = self._proxies.of(url.scheme, url.raw_host.decode(), url.port)
        pool = self._pool(proxy, url.scheme)
        limits: dict[str, float | None] = request.extensions["timeout"]
        target: bytes = request.extensions["target"]
        headers = request.headers.raw
        if proxy is not None and not _tunnels(proxy, url.scheme):
            target = f"{url.scheme}://".encode() + url.netloc + target
            if proxy.authorization is not None:
                headers.append((b"Proxy-Authorization", proxy.authorization.encode()))
        sent = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme,
                host=url.raw_host,
                port=url.port,
                target=target,
            ),
            headers=headers,
            content=cast("httpx.SyncByteStream", request.stream),
            extensions={"timeout": limits},
        )
        with ExitStack() as stack:
            stack.enter_context(self._limit.held(limits["pool"]))
            request.extensions["check"]()
            attempt = current.get()
            attempt.method = request.method
            answer = pool.handle_request(sent)
            stack.callback(answer.close)
            stack.callback(_close_if_unusable, answer, attempt)
            attempt.has_head = True
            stream = _ResponseStream(answer, stack.pop_all())
        return httpx.Response(answer.status, headers=answer.headers, stream=stream)

    def stats(self) -> PoolStats:
        """How many requests are under way, and how many wait."""
        return self._limit.stats()

    def close(self) -> None:
        # They stay here, so that closing again goes on where an interrupted one stopped.
        with self._lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.close()
        # Those too that httpcore does not know yet, or not any more.
        for sock in list(self._opened):
            close_socket(sock)

    def _pool(self, proxy: Proxy | None, scheme: str) -> httpcore.ConnectionPool:
        with self._lock:
            if (proxy, scheme) not in self._pools:
                self._pools[proxy, scheme] = self._open(proxy, scheme)
            return self._pools[proxy, scheme]

    def _open(self, proxy: Proxy | None, scheme: str) -> httpcore.ConnectionPool:
        route = None
        if proxy is not None:
            route = Route(proxy, _tunnels(proxy, scheme), self._context)
        return httpcore.ConnectionPool(
            ssl_context=self._context() if scheme == "https" else None,
            max_connections=self._size,
            max_keepalive_connections=self._size,
            keepalive_expiry=IDLE,
            # The proxy is its own matter: httpcore's tunnels have no words in common with the
            # socket's, and one in which TLS fails would keep its place in the pool for ever.
            network_backend=Backend(self._opened, route),
        )


def _tunnels(proxy: Proxy, scheme: str) -> bool:
    return scheme == "https" or proxy.is_socks


class _ResponseStream(httpx.SyncByteStream):
    """The body of an answer, which holds its connection and its slot until it is closed."""

    def __init__(self, answer: httpcore.Response, held: ExitStack) -> None:
        self._answer = answer
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._held.close()


def _close_if_unusable(answer: httpcore.Response, attempt: Deadline) -> None:
    """Keep a connection from the next request on which something came that is no response."""
    if attempt.response.is_spoilt:
        extensions = cast("Any", answer).extensions
        extensions["network_stream"].close()
