"""The sync transport: httpcore's connection pool, over sockets that obey the attempt."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, cast

import httpcore
import httpx

from poolse._forks import renew_after_fork
from poolse._http.attempt import Until, current, moment
from poolse._http.mapping import IDLE
from poolse._http.network import Backend, Opened, Route
from poolse._network.proxies import Proxies, Proxy

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
        self._slots = _Slots(self._size)
        self._lock = threading.Lock()
        self._pools: dict[tuple[Proxy | None, str], httpcore.ConnectionPool] = {}

    def abandon(self) -> bool:
        """Let go of the connections, unless they are in use. Whether there were any."""
        left = [sock for sock in self._opened if sock.fileno() >= 0]
        if self._slots.are_free:
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
            stack.enter_context(self._slots.taken(limits["pool"]))
            answer = pool.handle_request(sent)
            stack.callback(answer.close)
            current.get().has_head = True
            stream = _Answered(answer, stack.pop_all())
        return httpx.Response(answer.status, headers=answer.headers, stream=stream)

    def stats(self) -> PoolStats:
        """How many requests are under way, and how many wait."""
        return self._slots.stats()

    def close(self) -> None:
        # They stay here, so that closing again goes on where an interrupted one stopped.
        with self._lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.close()

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


class _Answered(httpx.SyncByteStream):
    """The body of an answer, which holds its connection and its slot until it is closed."""

    def __init__(self, answer: httpcore.Response, held: ExitStack) -> None:
        self._answer = answer
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._held.close()


class _Slots:
    """As many calls as there are connections; httpcore's own queue could not be left at will."""

    def __init__(self, count: int) -> None:
        self._count = self._free = count
        self._waiting = 0
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, timeout: float | None) -> Generator[None]:
        """Hold a slot. Waits at most `timeout` seconds for it, within the current attempt."""
        self._take(Until(moment(timeout), httpcore.PoolTimeout))
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify()

    @property
    def are_free(self) -> bool:
        """Whether no call holds one."""
        return self._free == self._count

    def _take(self, until: Until) -> None:
        with self._changed:
            if self._free:
                self._free -= 1
                return
        with current.get().telling(self._wake_all), self._changed:
            self._waiting += 1
            try:
                # Asked first whether one is free: who was notified must not leave without.
                while not self._free:
                    current.get().wait_on(self._changed, until)
                self._free -= 1
            finally:
                self._waiting -= 1

    def stats(self) -> PoolStats:
        from poolse.stats import PoolStats

        with self._changed:
            return PoolStats(
                size=self._count, in_use=self._count - self._free, waiting=self._waiting
            )

    def _wake_all(self) -> None:
        with self._changed:
            self._changed.notify_all()
