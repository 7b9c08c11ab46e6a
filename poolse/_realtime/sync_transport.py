"""The WebSocket of the sync client, over a transport that can be interrupted.

`open_socket` is the way to it: TCP, proxy, TLS, handshake. websocket-client shakes hands over the
transport.
"""

from __future__ import annotations

import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, Final, cast

from websocket import WebSocket, WebSocketException, WebSocketTimeoutException

from poolse._network.addresses import attempts, certificate_name
from poolse._network.nested_tls import NestedTls
from poolse._network.proxies import Proxies
from poolse._network.trust import context_of
from poolse._network.tunnels import open_tunnel_sync
from poolse._realtime.handshake import NotOpened, address, refused, server_address
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.sync_frames import TooLarge
from poolse._support.dns import Address, look_up
from poolse._support.fork_safety import renew_after_fork

__all__ = [
    "MAX_HANDSHAKE",
    "InterruptPipe",
    "Interrupted",
    "Transport",
    "open_socket",
]

# Bytes of one read. It brings many frames: more before commands and timers get their turn would
# delay them, and a read for each frame would be the costliest part of it.
_CHUNK: Final = 16384

MAX_HANDSHAKE: Final = 2**17
"""Bytes of a response to the handshake, the page of a refusal included. The library reads them one
by one."""

# Infinity is no number for the system. The caller waits again.
_LONGEST_WAIT: Final = 3600.0

# poll takes any number of open files and needs none of its own; select has a limit of 1024.
_Selector: type[selectors.BaseSelector] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)


class Interrupted(Exception):  # noqa: N818  (nothing went wrong)
    """What was waited for is not wanted any more."""


class InterruptPipe:
    """Ends a wait from another thread."""

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        """What to wait on."""
        self.reader.setblocking(False)
        self._writer.setblocking(False)
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Renew it in a forked child, since it wakes a thread of the parent."""
        self.close()

    def wait(self, timeout: float) -> None:
        """Wait for a wake."""
        with _Selector() as selector:
            selector.register(self.reader, selectors.EVENT_READ)
            selector.select(timeout)
        self.clear()

    def wake(self, *_: object) -> None:
        """End the wait, or the next one."""
        try:
            self._writer.send(b"\0")
        except OSError:
            # Full, so that a wake is due anyway; or closed, without a waiter.
            pass

    def clear(self) -> None:
        """Forget the wakes so far."""
        try:
            while len(self.reader.recv(4096)) == 4096:
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Free both ends."""
        self.reader.close()
        self._writer.close()


class Transport:
    """A TCP or TLS socket, for the handshake in the shape that websocket-client takes.

    Each wait has a limit, and ends when the interrupt says so and `wanted` does not hold any more.
    Everything that waits raises TimeoutError when the limit was reached, and `Interrupted` when it
    is not wanted any more.
    """

    def __init__(
        self, interrupt: InterruptPipe, wanted: Callable[[], bool], deadline: float
    ) -> None:
        self.deadline = deadline
        """On the monotonic clock: until when to wait at most."""
        self.wanted = wanted
        """Asked when the interrupt ends a wait."""
        self._room = MAX_HANDSHAKE
        # TLS in TLS gives more than it is asked for.
        self._rest = b""
        self._interrupt = interrupt
        self._sock: socket.socket | NestedTls | None = None
        self._selector = _Selector()
        self._selector.register(interrupt.reader, selectors.EVENT_READ)
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Drop the parent's connection in a forked child, without sending anything."""
        self.close()

    def connect(self, host: str, port: int) -> None:
        """Open a TCP connection to the first address that accepts. Each has its share of time."""
        lookup = look_up(host, port)
        lookup.add_done_callback(self._interrupt.wake)
        while not lookup.done():
            self._interrupt.wait(self._left())
            if not self.wanted():
                raise Interrupted
        until = self.deadline
        failure = OSError(f"{host} has no address")
        try:
            for address, self.deadline in attempts(lookup.result(), until, time.monotonic):
                try:
                    return self._connect(address)
                except OSError as error:
                    failure = error
                    self._drop()
        finally:
            self.deadline = until
        raise failure

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Speak TLS from here on; inside of TLS if it is spoken already."""
        outer, name = self._socket, certificate_name(host)
        self._selector.unregister(outer)
        sock: ssl.SSLSocket | NestedTls
        match outer:
            case ssl.SSLSocket():
                sock = NestedTls(outer, context, name)
            case socket.socket():
                sock = context.wrap_socket(
                    outer, server_hostname=name, do_handshake_on_connect=False
                )
            case _:
                raise AssertionError("TLS in TLS in TLS")
        self._adopt(sock)
        while True:
            try:
                sock.do_handshake()
            except ssl.SSLWantReadError:
                self._wait(selectors.EVENT_READ)
            except ssl.SSLWantWriteError:
                self._wait(selectors.EVENT_WRITE)
            else:
                return

    def receive(self, timeout: float) -> bytes | None:
        """Wait until something has come, and return it; nothing when the connection is gone.

        Returns:
            None when the interrupt or the time ended the wait.
        """
        if self._rest:
            data, self._rest = self._rest, b""
            return data
        sock = self._sock
        has_come = isinstance(sock, ssl.SSLSocket | NestedTls) and sock.pending() > 0
        if not has_come:
            for key, events in self._selector.select(timeout):
                if key.fileobj is self._interrupt.reader:
                    self._interrupt.clear()
                else:
                    has_come = True
                    if events & selectors.EVENT_WRITE:
                        self._selector.modify(key.fileobj, selectors.EVENT_READ)
        if sock is None or not has_come:
            return None
        try:
            return sock.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError):
            # It was not all that TLS needs for anything to come out of it.
            return None
        except ssl.SSLWantWriteError:
            # TLS has to send something first, a new key perhaps.
            self._selector.modify(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
            return None
        except OSError:
            return b""

    def recv(self, size: int) -> bytes:
        """Wait for up to `size` bytes of the handshake; none when the other side has closed.

        Raises:
            TooLarge: The other side has sent more than a handshake may have.
        """
        while True:
            try:
                data = self._rest or self._socket.recv(size)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(selectors.EVENT_READ)
            except ssl.SSLWantWriteError:
                self._wait(selectors.EVENT_WRITE)
            else:
                data, self._rest = data[:size], data[size:]
                self._room -= len(data)
                if self._room < 0:
                    raise TooLarge
                return data

    def gettimeout(self) -> None:
        """None: all waits end at the deadline."""

    def send_all(self, data: bytes) -> None:
        """Send all of it."""
        while data:
            data = data[self.send(data) :]

    def send(self, data: bytes | memoryview) -> int:
        """Send some of it, and say how much."""
        while True:
            try:
                return self._socket.send(data)
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(selectors.EVENT_WRITE)
            except ssl.SSLWantReadError:
                self._wait(selectors.EVENT_READ)

    def close(self) -> None:
        """Free everything. Doing it again does nothing."""
        self._drop()
        self._selector.close()

    @property
    def _socket(self) -> socket.socket | NestedTls:
        if self._sock is None:
            raise ConnectionAbortedError("the socket is closed")
        return self._sock

    def _adopt(self, sock: socket.socket | NestedTls) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._selector.register(sock, selectors.EVENT_READ)

    def _drop(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            self._selector.unregister(sock)
            sock.close()

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, _LONGEST_WAIT)

    def _connect(self, address: Address) -> None:
        family, kind, protocol, _, where = address
        sock = socket.socket(family, kind, protocol)
        self._adopt(sock)
        try:
            sock.connect(where)
        except BlockingIOError:
            self._wait(selectors.EVENT_WRITE)
        if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, os.strerror(code))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _wait(self, events: int) -> None:
        sock = self._socket
        self._selector.modify(sock, events)
        try:
            while True:
                ready = {key.fileobj for key, _ in self._selector.select(self._left())}
                if self._interrupt.reader in ready:
                    self._interrupt.clear()
                    if not self.wanted():
                        raise Interrupted
                if sock in ready:
                    return
        finally:
            self._selector.modify(sock, selectors.EVENT_READ)


def open_socket(transport: Transport, settings: RealtimeSettings, token: str | None) -> None:
    """Open a WebSocket: TCP to the server, through a proxy where there is one, TLS, handshake.

    Raises:
        NotOpened: The handshake was refused with an HTTP status.
        ProxyError: The proxy opened no tunnel.
        TimeoutError: It took longer than the connect timeout.
        Interrupted: It was not wanted any more.
    """
    target, tls = server_address(settings), context_of(settings.ssl_context)
    proxy = Proxies(settings.proxy).of(*target[:3])
    if proxy is None:
        transport.connect(target.host, target.port)
    else:
        transport.connect(proxy.host, proxy.port)
        if proxy.is_secure:
            transport.start_tls(tls(), proxy.host)
        open_tunnel_sync(proxy, target.host, target.port, transport.send_all, transport.recv)
    if target.scheme == "wss":
        transport.start_tls(tls(), target.host)
    _shake_hands(transport, settings, token)


def _shake_hands(transport: Transport, settings: RealtimeSettings, token: str | None) -> None:
    ws = WebSocket(enable_multithread=False)
    target = address(settings, token)
    headers = dict(settings.headers)
    if target.subprotocols:
        # Not as an option: a subprotocol that the server does not take would be logged.
        headers["Sec-WebSocket-Protocol"] = ",".join(target.subprotocols)
    try:
        cast(Any, ws).connect(
            target.url,
            socket=transport,
            header=headers,
            # Phoenix compares an Origin with its own host, and refuses others.
            suppress_origin=True,
            # They name servers that the user did not name.
            redirect_limit=0,
        )
    except WebSocketTimeoutException:
        raise TimeoutError from None
    except WebSocketException as error:
        status: int | None = getattr(error, "status_code", None) or ws.getstatus()
        if status is None:
            raise
        response: dict[str, str] = getattr(error, "resp_headers", None) or {}
        failure = refused(status, response.get("retry-after"), time.time())
        raise NotOpened(failure) from None
