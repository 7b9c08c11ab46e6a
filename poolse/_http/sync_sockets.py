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
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast
from weakref import WeakSet

import attrs
import httpcore

from poolse._http.deadline import Limit, Selector, current, moment
from poolse._http.forbidden_bodies import ResponseBytes
from poolse._network.addresses import attempts, certificate_name
from poolse._network.proxies import Proxy
from poolse._network.tunnels import ProxyError, open_tunnel_sync
from poolse._support.dns import Address, look_up
from poolse.errors import PoolseError

if TYPE_CHECKING:
    from poolse._network.nested_tls import NestedTls

__all__ = ["Backend", "Opened", "Route", "close_socket"]

Opened = WeakSet[socket.socket]
"""The sockets of a pool, some of them closed by now."""

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
PIECE = 65_536
UNDER_WAY = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN}


class _Stream(httpcore.NetworkStream):
    """TCP, TLS over it, or TLS inside of TLS, as httpcore needs it. The socket does not block."""

    def __init__(self, sock: socket.socket, opened: Opened) -> None:
        self._socket: socket.socket | NestedTls = sock
        self._opened = opened
        self._response = ResponseBytes()
        self._early = b""
        """What the server has said before it was its turn."""

    def recv(self, most: int, until: Limit) -> bytes:
        """Wait for bytes; none at the end of the stream."""
        if self._early:
            early, self._early = self._early[:most], self._early[most:]
            return early
        deadline = current.get()
        deadline.check()  # a server that never pauses would not let us wait
        while True:
            try:
                return self._socket.recv(most)
            except (BlockingIOError, ssl.SSLWantReadError):
                deadline.wait_for(self._socket, READ, until)
            except ssl.SSLWantWriteError:
                deadline.wait_for(self._socket, WRITE, until)

    def send(self, data: bytes | memoryview, until: Limit, or_hear: int = 0) -> None:
        """Hand all of it to the other side.

        With `READ` for `or_hear`, the rest is given up when the other side takes nothing, but has
        said something.
        """
        deadline = current.get()
        deadline.check()
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                ready = deadline.wait_for(self._socket, WRITE | or_hear, until)
                if ready == READ and self._has_response():
                    raise BrokenPipeError from None
            except ssl.SSLWantReadError:
                deadline.wait_for(self._socket, READ, until)

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
        if not buffer:
            return  # httpcore ends every request so
        view = memoryview(buffer)
        deadline = current.get()
        deadline.sent()
        self._response.expect(deadline.method)
        try:
            # In pieces, since the write timeout is for one write, not for the whole buffer.
            for start in range(0, len(view), PIECE):
                until = Limit(moment(timeout), httpcore.WriteTimeout)
                self.send(view[start : start + PIECE], until, or_hear=READ)
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
            self.secure(ssl_context, server_hostname or "", until)
        except PoolseError:
            raise
        except (OSError, ValueError) as error:
            raise httpcore.ConnectError from error
        return self

    def secure(self, context: ssl.SSLContext, host: str, until: Limit) -> None:
        """Speak TLS from here on; inside of TLS if it is spoken already."""
        deadline, sock, name = current.get(), self._socket, certificate_name(host)
        try:
            tls: ssl.SSLSocket | NestedTls
            if isinstance(sock, ssl.SSLSocket):
                # Imported lazily: few programs need it.
                from poolse._network.nested_tls import NestedTls

                tls = NestedTls(sock, context, name)
            else:
                plain = cast("socket.socket", sock)
                tls = context.wrap_socket(
                    plain, server_hostname=name, do_handshake_on_connect=False
                )
                self._opened.add(tls)
            self._socket = tls
            # Only now: a client that closes finds the socket, or is noticed here.
            deadline.check()
            while True:
                try:
                    return tls.do_handshake()
                except ssl.SSLWantReadError:
                    deadline.wait_for(tls, READ, until)
                except ssl.SSLWantWriteError:
                    deadline.wait_for(tls, WRITE, until)
        except BaseException:
            self.close()
            raise

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

    def _has_response(self) -> bool:
        """Return whether the server responded early, before the request was complete.

        What comes may be a matter of TLS alone, such as a session ticket.
        """
        try:
            self._early += self._socket.recv(PIECE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            pass
        return True


def close_socket(sock: socket.socket | NestedTls) -> None:
    """Close a socket, also under a thread that waits on it."""
    # Shut down first: that is what wakes the thread.
    try:
        if isinstance(sock, ssl.SSLSocket):
            # Its own method ends TLS before it ends the connection: another thread could send
            # something in plain text between the two.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        else:
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
        self, host: str, port: int, timeout: float | None = None, *_: object, **_unset: object
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
                stream.secure(route.context(), proxy.host, until)
            if route.tunnels:
                open_tunnel_sync(
                    proxy,
                    host,
                    port,
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
        return _Stream(sock, opened)
    except BaseException:
        sock.close()
        raise
