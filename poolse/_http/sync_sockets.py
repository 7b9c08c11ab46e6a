"""Sockets for httpcore's connection pools that obey the current deadline.

They never block in a system call that the deadline or its cancel token could not end.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar
from weakref import WeakSet

import attrs
import httpcore

from poolse._http.deadline import Limit, Selector, current, moment
from poolse._http.response_bytes import ResponseBytes
from poolse._network.addresses import attempts, certificate_name
from poolse._network.proxies import Proxy
from poolse._network.tunnels import ProxyError, hold, open_tunnel
from poolse._support.dns import Address, look_up
from poolse.errors import PoolseError

__all__ = ["Backend", "Opened", "Route", "close_socket"]

T = TypeVar("T")

Opened = WeakSet[socket.socket]
"""The sockets of a pool, some of them closed by now."""

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
PIECE = 65_536
UNDER_WAY = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN}


class _Stream(httpcore.NetworkStream):
    """What a TCP and a TLS stream have in common, as httpcore needs it."""

    def __init__(self) -> None:
        self._response = ResponseBytes()

    def recv(self, most: int, until: Limit) -> bytes:
        """Wait for bytes; none at the end of the stream."""
        raise NotImplementedError

    def send(
        self,
        data: bytes | memoryview,
        until: Limit,
        early_response: Callable[[], bool] | None = None,
    ) -> None:
        """Hand all of it to the other side.

        While that takes nothing, but says something: whether `early_response` has understood enough
        to give up the rest.
        """
        raise NotImplementedError

    def early_response(self) -> bool:
        """Whether the server has answered, although it was not its turn yet."""
        raise NotImplementedError

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        deadline = current.get()
        until = deadline.response_by(timeout, httpcore.ReadTimeout)
        try:
            while data := self.recv(max_bytes, until):
                kept = self._response.take(data)
                deadline.is_spoilt = self._response.is_spoilt
                # Nothing would be the end of the stream.
                if kept:
                    return kept
            return data
        except PoolseError:
            raise
        except (OSError, ValueError) as error:  # ValueError: closed by another thread
            raise httpcore.ReadError from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        deadline = current.get()
        deadline.sent()
        self._response.expect(deadline.method)
        try:
            # In pieces, since the limit is for silence, not for the whole buffer.
            for start in range(0, len(view), PIECE):
                until = Limit(moment(timeout), httpcore.WriteTimeout)
                self.send(view[start : start + PIECE], until, self.early_response)
        except PoolseError:
            raise
        except (OSError, ValueError) as error:
            raise httpcore.WriteError from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        # The time to connect began before: httpcore passes the same limit once more.
        until = Limit(current.get().connect_by, httpcore.ConnectTimeout)
        try:
            return _TlsStream(self, ssl_context, server_hostname or "", until)
        except PoolseError:
            raise
        except (OSError, ValueError) as error:
            raise httpcore.ConnectError from error


class _TcpStream(_Stream):
    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._socket = sock

    def recv(self, most: int, until: Limit) -> bytes:
        deadline = current.get()
        deadline.check()  # a server that never pauses would not let us wait
        while True:
            try:
                return self._socket.recv(most)
            except BlockingIOError:
                deadline.wait_for(self._socket, READ, until)

    def send(
        self,
        data: bytes | memoryview,
        until: Limit,
        early_response: Callable[[], bool] | None = None,
    ) -> None:
        deadline = current.get()
        deadline.check()
        rest = memoryview(data)
        events = WRITE | READ if early_response else WRITE
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                ready = deadline.wait_for(self._socket, events, until)
                if early_response and not ready & WRITE and early_response():
                    raise BrokenPipeError from None

    def early_response(self) -> bool:
        return True

    def close(self) -> None:
        close_socket(self._socket)

    def get_extra_info(self, info: str) -> object:
        if info == "is_readable":
            if self._socket.fileno() < 0:
                return True  # closed: nothing can be sent over it
            with Selector() as selector:
                selector.register(self._socket, READ)
                return bool(selector.select(0))
        return self._socket if info == "socket" else None


class _TlsStream(_Stream):
    """TLS over any other stream; over itself too, for a proxy that is reached through TLS."""

    def __init__(
        self, inner: _Stream, context: ssl.SSLContext, hostname: str, until: Limit
    ) -> None:
        super().__init__()
        self._inner = inner
        self._early = b""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(
                self._incoming, self._outgoing, server_hostname=certificate_name(hostname)
            )
            self._run(self._tls.do_handshake, until)
        except BaseException:
            inner.close()
            raise

    def recv(self, most: int, until: Limit) -> bytes:
        if self._early:
            early, self._early = self._early[:most], self._early[most:]
            return early
        try:
            return self._run(lambda: self._tls.read(most), until)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            # Many servers close without goodbye; whether bytes are missing, HTTP knows.
            return b""

    def send(
        self,
        data: bytes | memoryview,
        until: Limit,
        early_response: Callable[[], bool] | None = None,
    ) -> None:
        self._run(lambda: self._tls.write(data), until, early_response)

    def early_response(self) -> bool:
        # What came may be a matter of TLS alone, such as a session ticket.
        now = Limit(moment(0), TimeoutError)
        try:
            data = self._inner.recv(PIECE, now)
            self._incoming.write(data) if data else self._incoming.write_eof()
            self._early += self._tls.read(PIECE)
        except ssl.SSLWantReadError:
            return False
        except (OSError, TimeoutError):
            return True
        return True

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> object:
        return self._tls if info == "ssl_object" else self._inner.get_extra_info(info)

    def _run(
        self, step: Callable[[], T], until: Limit, early_response: Callable[[], bool] | None = None
    ) -> T:
        while True:
            try:
                try:
                    return step()
                finally:  # an error has something to send too: the alert
                    if self._outgoing.pending:
                        self._inner.send(self._outgoing.read(), until, early_response)
            except ssl.SSLWantReadError:
                data = self._inner.recv(PIECE, until)
                self._incoming.write(data) if data else self._incoming.write_eof()


def close_socket(sock: socket.socket) -> None:
    """Close a socket, also under a thread that waits on it."""
    # Shut down first: that is what wakes the thread.
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


@attrs.frozen
class Route:
    """The proxy that a pool's connections go through."""

    proxy: Proxy
    tunnels: bool
    """Whether each connection is a tunnel; otherwise the proxy forwards requests."""
    context: Callable[[], ssl.SSLContext]
    """For TLS to the proxy."""


class Backend(httpcore.NetworkBackend):
    """Opens the streams, and knows their sockets until they are closed."""

    def __init__(self, opened: Opened, route: Route | None) -> None:
        self._opened = opened
        self._route = route

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  (our pool sets neither)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        current.get().connect_by = moment(timeout)
        try:
            if self._route is None:
                return self._connected(host, port)
            return self._through(self._route, host, port)
        except PoolseError:
            raise
        except ProxyError as error:
            raise httpcore.ProxyError(str(error)) from None
        except (OSError, UnicodeError) as error:  # UnicodeError: no name of a host
            raise httpcore.ConnectError from error

    def _connected(self, host: str, port: int) -> _Stream:
        deadline = current.get()
        until = Limit(deadline.connect_by, httpcore.ConnectTimeout)
        found = deadline.outcome(look_up(host, port), until)
        return _connect_any(found, deadline.connect_by, self._opened)

    def _through(self, route: Route, host: str, port: int) -> _Stream:
        proxy = route.proxy
        stream = self._connected(proxy.host, proxy.port)
        until = Limit(current.get().connect_by, httpcore.ConnectTimeout)
        try:
            if proxy.is_secure:
                stream = _TlsStream(stream, route.context(), proxy.host, until)
            if route.tunnels:
                dialogue = open_tunnel(proxy, host, port)
                hold(
                    dialogue,
                    lambda data: stream.send(data, until),
                    lambda size: stream.recv(size, until),
                )
        except BaseException:
            stream.close()
            raise
        return stream


def _connect_any(found: Sequence[Address], connect_by: float, opened: Opened) -> _Stream:
    """Try the addresses of a name in turn."""
    failure: Exception = OSError("the host has no address")
    for address, share in attempts(found, connect_by, time.monotonic):
        try:
            return _connect(address, Limit(share, httpcore.ConnectTimeout), opened)
        except PoolseError:
            raise
        except (OSError, httpcore.ConnectTimeout) as error:
            failure = error
    raise failure


def _connect(address: Address, until: Limit, opened: Opened) -> _Stream:
    family, kind, protocol, _, where = address
    sock = socket.socket(family, kind, protocol)
    opened.add(sock)
    try:
        # Only now: a client that closes finds the socket, or is noticed here.
        current.get().check()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failed = sock.connect_ex(where)
        if failed in UNDER_WAY:
            current.get().wait_for(sock, WRITE, until)
            failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            raise OSError(failed, os.strerror(failed))
        return _TcpStream(sock)
    except BaseException:
        sock.close()
        raise
