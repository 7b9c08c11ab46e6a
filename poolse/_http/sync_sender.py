"""The sync transport: requests over httpcore's connection pools, within a deadline."""

from __future__ import annotations

import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import attrs
import httpcore
import httpx

from poolse._http.deadline import Deadline, Limit, current, moment, pieces_of
from poolse._http.errors import IDLE, MAX_ORIGINS
from poolse._http.sender import HttpSender
from poolse._http.sync_sockets import Backend, Opened, Route, close_socket
from poolse._network.proxies import Proxies, Proxy
from poolse._network.trust import context_of
from poolse._rest.messages import (
    BodyDecoder,
    Request,
    Response,
    ResponseSink,
    response_headers,
)
from poolse._rest.request_io import run_sync
from poolse._support.fork_safety import renew_after_fork
from poolse._support.interruptible_event import InterruptibleEvent
from poolse.cancel import CancelToken, any_of, told
from poolse.options import Timeout

if TYPE_CHECKING:
    from poolse.stats import PoolStats

__all__ = ["SyncSender"]


class SyncSender(HttpSender):
    """Shared by any number of threads.

    With an `http_client` of the caller's own, the total acts between its phases only: before it
    sends, and between two pieces of the response.
    """

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        context = context_of(self.ssl_context)
        self._connections = _Connections(Proxies(self.proxy), context, self.max_connections)
        self.resources.connections = self._connections

    async def _attempt(
        self, request: Request, timeout: Timeout, cancel: CancelToken | None
    ) -> Response:
        with Deadline(timeout.total, cancel, self.lifetime) as deadline:
            if self.http_client is None:
                return self._exchange(request, timeout, deadline)
            return self._send_by_client(self.http_client, request, timeout, deadline)

    async def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        """Wait.

        Raises:
            Cancelled: By the token, at once.
            UsageError: This was closed, at once too.
        """
        over = InterruptibleEvent()
        stop = any_of(self.lifetime, cancel)
        with told(stop, over.set):
            if over.wait(seconds) and stop is not None:
                stop.raise_if_cancelled()

    def pool(self) -> PoolStats | None:
        """Return the use of the connections; None for those of another client."""
        return self._connections.stats() if self.http_client is None else None

    def close(self) -> None:
        """Close the connections, also those in use. Calling it again does nothing."""
        self.lifetime.close()
        self._connections.close()

    def _send_by_client(
        self, client: httpx.Client, request: Request, timeout: Timeout, deadline: Deadline
    ) -> Response:
        # Imported lazily: few programs bring a client of their own.
        from poolse._http.httpx_client import Steps, httpx_request, unread

        body = request.content
        content = body if body is None or isinstance(body, bytes) else pieces_of(body, deadline)
        sent = httpx_request(client, request, timeout, content)
        auth: dict[str, None] = {"auth": None} if request.bare else {}

        received = list[httpx.Response]()

        def send() -> None:
            response = client.send(sent, stream=True, follow_redirects=False, **auth)
            received.append(unread(response))

        def close() -> None:
            for response in received:
                response.close()

        run = Steps(deadline)
        try:
            run(send)
            (response,) = received
            stream = response.iter_raw()
            pieces = iter(lambda: run(lambda: next(stream, None)), None)
            headers = response_headers(response.headers.raw)
            return self._response(response.status_code, headers, pieces, deadline, request.sink)
        finally:
            run.end(close)

    def _exchange(self, request: Request, timeout: Timeout, deadline: Deadline) -> Response:
        connections = self._connections
        pool, sent = connections.prepare(request, timeout, deadline)
        connections.acquire(timeout.pool)
        try:
            deadline.check()
            response = pool.handle_request(sent)
            try:
                deadline.has_head = True
                headers = response_headers(response.headers)
                pieces = response.iter_stream()
                return self._response(response.status, headers, pieces, deadline, request.sink)
            finally:
                if deadline.is_spoilt:
                    # Bytes came that belong to no response: no other request gets the connection.
                    cast("Any", response).extensions["network_stream"].close()
                response.close()
        finally:
            connections.release()

    def _response(
        self,
        status: int,
        headers: dict[str, str],
        pieces: Iterator[bytes],
        deadline: Deadline,
        sink: ResponseSink | None,
    ) -> Response:
        if sink is not None and run_sync(sink.begins(status, headers)):
            for piece in pieces:
                deadline.check()
                run_sync(sink.takes(piece))
            return Response(status, headers, b"")
        body = BodyDecoder(status, headers, self.max_response)
        for piece in pieces:
            deadline.check()
            body.add(piece)
        return Response(status, headers, body.finish())


@attrs.frozen(eq=False)
class _Origin:
    """A server, and how to reach it."""

    scheme: bytes
    host: bytes
    port: int | None
    netloc: bytes
    """For the Host header."""
    target_prefix: bytes
    """Put before each target, for a proxy that forwards requests."""
    proxy_headers: list[tuple[bytes, bytes]]
    pool: httpcore.ConnectionPool


class _Turn(InterruptibleEvent):
    """One request that waits for another to end."""

    has_come = False


class _Connections:
    """The connection pools of a client, and how many requests are in flight.

    Requests beyond `max_connections` wait here in the order in which they came, because httpcore's
    own queue cannot be left at will.
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
        """Drop the parent's connections in a forked child, without sending anything."""
        for sock in self._opened:
            sock.close()
        self._opened = Opened()
        self._free = self._size
        self._turns = deque[_Turn]()
        self._lock = threading.Lock()
        self._origins: dict[str, _Origin] = {}
        self._pools: dict[tuple[Proxy | None, str], httpcore.ConnectionPool] = {}

    def prepare(
        self, request: Request, timeout: Timeout, deadline: Deadline
    ) -> tuple[httpcore.ConnectionPool, httpcore.Request]:
        """Return the request in httpcore's form, and the pool to send it by."""
        origin = self._origins.get(request.origin) or self._origin(request.origin)
        headers = [(b"Host", origin.netloc), *origin.proxy_headers]
        for name, value in request.wire_headers():
            headers.append((name.encode("ascii"), value.encode("ascii")))
        body = request.content
        content = body if body is None or isinstance(body, bytes) else pieces_of(body, deadline)
        limits = {"connect": timeout.connect, "read": timeout.read, "write": timeout.write}
        target = origin.target_prefix + request.target.encode("ascii")
        deadline.method = request.method
        return origin.pool, httpcore.Request(
            request.method,
            httpcore.URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=target),
            headers=headers,
            content=content,
            extensions={"timeout": limits},
        )

    def acquire(self, timeout: float | None) -> None:
        """Take a place among the requests in flight, within the current deadline.

        Args:
            timeout: Seconds to wait for one.

        Raises:
            httpcore.PoolTimeout: There was none in time.
            Cancelled: By the token of the call.
            UsageError: The client was closed.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = _Turn()
            self._turns.append(turn)
        until = Limit(moment(timeout), httpcore.PoolTimeout)
        deadline = current.get()
        try:
            with deadline.telling(turn.set):
                while not turn.has_come:
                    deadline.wait_on(turn, until)
        except BaseException:
            with self._lock:
                if not turn.has_come:
                    self._turns.remove(turn)
                    raise
            self.release()
            raise

    def release(self) -> None:
        """Give the place to the next request that waits."""
        with self._lock:
            if not self._turns:
                self._free += 1
                return
            turn = self._turns.popleft()
            turn.has_come = True
        turn.set()

    def stats(self) -> PoolStats:
        """Return the numbers of requests in flight and waiting."""
        from poolse.stats import PoolStats

        with self._lock:
            return PoolStats(
                size=self._size, in_use=self._size - self._free, waiting=len(self._turns)
            )

    def abandon(self) -> bool:
        """Drop the connections, unless they are in use. Whether there were any."""
        left = [sock for sock in self._opened if sock.fileno() >= 0]
        if self._free == self._size:
            for sock in left:
                sock.close()
        return bool(left)

    def close(self) -> None:
        """Close all connections. Calling it again does nothing."""
        # They stay here, so that closing again resumes where an interrupted one stopped.
        with self._lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.close()
        # Those too that httpcore does not know yet, or not any more.
        for sock in list(self._opened):
            close_socket(sock)

    def _origin(self, name: str) -> _Origin:
        url = httpx.URL(name)
        proxy = self._proxies.of(url.scheme, url.raw_host.decode(), url.port)
        prefix, proxy_headers = b"", list[tuple[bytes, bytes]]()
        if proxy is not None and not _tunnels(proxy, url.scheme):
            prefix = f"{url.scheme}://".encode() + url.netloc
            if proxy.authorization is not None:
                proxy_headers.append((b"Proxy-Authorization", proxy.authorization.encode()))
        with self._lock:
            pool = self._pools.get((proxy, url.scheme))
            if pool is None:
                pool = self._pools[proxy, url.scheme] = self._open(proxy, url.scheme)
            if len(self._origins) == MAX_ORIGINS:
                self._origins.clear()
            origin = self._origins[name] = _Origin(
                url.raw_scheme, url.raw_host, url.port, url.netloc, prefix, proxy_headers, pool
            )
        return origin

    def _open(self, proxy: Proxy | None, scheme: str) -> httpcore.ConnectionPool:
        route = None
        if proxy is not None:
            route = Route(proxy, _tunnels(proxy, scheme), self._context)
        return httpcore.ConnectionPool(
            ssl_context=self._context() if scheme == "https" else None,
            max_connections=self._size,
            max_keepalive_connections=self._size,
            keepalive_expiry=IDLE,
            # Proxies are handled here: httpcore's tunnels share no code with the socket's, and one
            # in which TLS fails would keep its place in the pool for ever.
            network_backend=Backend(self._opened, route),
        )


def _tunnels(proxy: Proxy, scheme: str) -> bool:
    return scheme == "https" or proxy.is_socks
