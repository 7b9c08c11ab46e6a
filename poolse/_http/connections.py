"""The connections of a sync client: at most so many requests at once, and a stack of idle ones.

httpcore opens a connection and speaks HTTP over it. Its pool is not used: at every request it asks
each of its connections whether the server has closed it, so that a call costs the more, the more
threads there are.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import attrs
import httpcore

from poolse._http.deadline import Deadline, Limit, current, moment, pieces_of
from poolse._http.errors import IDLE, MAX_ORIGINS
from poolse._http.sync_sockets import Backend, Opened, Route, close_socket
from poolse._network.proxies import Proxies
from poolse._network.urls import address_of
from poolse._rest.http_messages import Request
from poolse._support.fork_safety import renew_after_fork
from poolse._support.interruptible_event import InterruptibleEvent
from poolse.options import Timeout

if TYPE_CHECKING:
    from poolse.stats import PoolStats

__all__ = ["Connections", "Origin"]


@attrs.frozen(eq=False)
class Origin:
    """A server, and how to reach it."""

    server: httpcore.Origin
    headers: Sequence[tuple[bytes, bytes]]
    """Those of every request: Host, and the credentials of a proxy that forwards requests."""
    target_prefix: bytes
    """Put before each target, for such a proxy."""
    open: Callable[[], httpcore.ConnectionInterface]
    """Creates a connection, which connects with its first request."""

    def request(self, request: Request, timeout: Timeout, deadline: Deadline) -> httpcore.Request:
        """Return the request in httpcore's form."""
        headers = [*self.headers]
        for name, value in request.wire_headers():
            headers.append((name.encode("ascii"), value.encode("ascii")))
        server, body = self.server, request.content
        content = body if body is None or isinstance(body, bytes) else pieces_of(body, deadline)
        limits = {"connect": timeout.connect, "read": timeout.read, "write": timeout.write}
        target = self.target_prefix + request.target.encode("ascii")
        return httpcore.Request(
            request.method,
            httpcore.URL(scheme=server.scheme, host=server.host, port=server.port, target=target),
            headers=headers,
            content=content,
            extensions={"timeout": limits},
        )


@attrs.frozen(eq=False)
class _Idle:
    """A connection that waits for its next request."""

    origin: Origin
    connection: httpcore.ConnectionInterface
    since: float


class _Turn(InterruptibleEvent):
    """One request that waits for another to end."""

    has_come = False


class Connections:
    """The connections of a client, and how many of its requests are in flight.

    Requests beyond `max_connections` wait in the order in which they came.
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
        self._origins: dict[str, Origin] = {}
        self._idle: list[_Idle] = []

    def origin(self, name: str) -> Origin:
        """Return a server by its scheme, host and port."""
        return self._origins.get(name) or self._new_origin(name)

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

    def take(self, origin: Origin) -> httpcore.ConnectionInterface:
        """Return a connection that no other request uses: the last one used, or a new one."""
        while True:
            closing: list[_Idle] = []
            with self._lock:
                # Those that have been idle for longest come first.
                outdated = time.monotonic() - IDLE
                while self._idle and self._idle[0].since < outdated:
                    closing.append(self._idle.pop(0))
                connection = self._newest(origin)
                in_flight = self._size - self._free
                if connection is None and self._idle and in_flight + len(self._idle) > self._size:
                    closing.append(self._idle.pop(0))
            for idle in closing:
                idle.connection.close()
            if connection is None:
                return origin.open()
            # It asks the socket: the server may have closed it.
            if not connection.has_expired():
                return connection
            connection.close()

    def put_back(self, origin: Origin, connection: httpcore.ConnectionInterface) -> None:
        """Keep a connection for the next request, if another can be sent over it."""
        if connection.is_available():
            with self._lock:
                self._idle.append(_Idle(origin, connection, time.monotonic()))

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
        # Those too that httpcore does not know yet, or not any more. They stay here, so that
        # closing again resumes where an interrupted one stopped.
        for sock in list(self._opened):
            close_socket(sock)

    def _newest(self, origin: Origin) -> httpcore.ConnectionInterface | None:
        """Take out the connection to a server that was used last."""
        for index in range(len(self._idle) - 1, -1, -1):
            if self._idle[index].origin is origin:
                return self._idle.pop(index).connection
        return None

    def _new_origin(self, name: str) -> Origin:
        scheme, host, port, netloc = address_of(name)
        headers, prefix, route = [(b"Host", netloc.encode())], b"", None
        proxy = self._proxies.of(scheme, host, port)
        if proxy is not None:
            tunnels = scheme == "https" or proxy.is_socks
            route = Route(proxy, tunnels, self._context)
            if not tunnels:
                prefix = f"{scheme}://{netloc}".encode()
                if proxy.authorization is not None:
                    headers.append((b"Proxy-Authorization", proxy.authorization.encode()))
        # Proxies are handled here: httpcore's tunnels share no code with the socket's.
        backend = Backend(self._opened, route)
        context = self._context() if scheme == "https" else None
        server = httpcore.Origin(scheme.encode(), host.encode(), port)

        def open_connection() -> httpcore.ConnectionInterface:
            return httpcore.HTTPConnection(server, context, IDLE, network_backend=backend)

        origin = Origin(server, headers, prefix, open_connection)
        with self._lock:
            if len(self._origins) == MAX_ORIGINS:
                self._origins.clear()
            return self._origins.setdefault(name, origin)
