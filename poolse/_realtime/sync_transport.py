"""The socket of the sync client: blocking, with limits, and others can interrupt it."""

from __future__ import annotations

import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Final

from poolse._network.addresses import attempts, certificate_name
from poolse._network.nested_tls import NestedTls
from poolse._support.dns import Address, look_up
from poolse._support.fork_safety import renew_after_fork

__all__ = ["InterruptPipe", "Interrupted", "TooLarge", "Transport"]

# One read from the operating system brings many frames: two reads for each would be the costliest
# part of a frame.
_CHUNK: Final = 65536

# No end is no number that the system can count to. Whoever waits asks again.
_LONGEST_WAIT: Final = 3600.0

# poll takes any number of open files and needs none of its own; select has a limit of 1024.
_Selector: type[selectors.BaseSelector] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)


class Interrupted(Exception):  # noqa: N818  (nothing went wrong)
    """What was waited for is not wanted any more."""


class TooLarge(Exception):  # noqa: N818
    """The other side sends more in one piece than we take."""


class InterruptPipe:
    """Ends a wait from another thread."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child: it wakes a thread of the parent's."""
        self.close()

    def fileno(self) -> int:
        """What to wait on."""
        return self._reader.fileno()

    def wait(self, timeout: float) -> None:
        """Wait for a wake."""
        with _Selector() as selector:
            selector.register(self, selectors.EVENT_READ)
            selector.select(timeout)
        self.clear()

    def wake(self) -> None:
        """End the wait, or the next one."""
        try:
            self._writer.send(b"\0")
        except OSError:
            # Full, so that a wake is due anyway; or closed, and nobody waits any more.
            pass

    def clear(self) -> None:
        """Forget the wakes so far."""
        try:
            while len(self._reader.recv(4096)) == 4096:
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Free both ends."""
        self._reader.close()
        self._writer.close()


class Transport:
    """A TCP or TLS socket in the shape that websocket-client takes.

    Each wait has a limit, and ends when the interrupt says so and `wanted` does not hold any more.
    With a timeout of zero, `recv` takes only what has come: half a frame holds up nobody.

    Everything that waits raises TimeoutError when the limit was reached, and `Interrupted` when it
    is not wanted any more.
    """

    def __init__(
        self,
        interrupt: InterruptPipe,
        wanted: Callable[[], bool],
        deadline: float,
        limit: int | None,
    ) -> None:
        self.deadline = deadline
        """On the monotonic clock: until when to wait at most."""
        self.wanted = wanted
        """Asked when the interrupt ends a wait."""
        self.received = 0
        """Bytes received so far."""
        self.limit = limit
        """More of them than this are `TooLarge`; None for no limit."""
        self._interrupt = interrupt
        self._sock: socket.socket | NestedTls | None = None
        self._timeout: float | None = None
        self._chunk: bytes = b""
        self._at = 0
        self._selector = _Selector()
        self._selector.register(interrupt, selectors.EVENT_READ)
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child: nothing is sent over the parent's connection."""
        self.close()

    def connect(self, host: str, port: int) -> None:
        """Open a TCP connection to the first address that answers. Each has its share of time."""
        addresses = self._addresses(host, port)
        until = self.deadline
        failure = OSError(f"{host} has no address")
        try:
            for address, self.deadline in attempts(addresses, until, time.monotonic):
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

    def wait(self, timeout: float) -> None:
        """Wait until something has come, the interrupt says so, or the time is over."""
        if self._at < len(self._chunk):
            return
        sock = self._sock
        if isinstance(sock, ssl.SSLSocket | NestedTls) and sock.pending() > 0:
            return
        for key, _ in self._selector.select(timeout):
            if key.fileobj is self._interrupt:
                self._interrupt.clear()

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; none when the other side has closed."""
        while self._at == len(self._chunk):
            try:
                self._chunk, self._at = self._socket.recv(_CHUNK), 0
                if not self._chunk:
                    return b""
            except (BlockingIOError, ssl.SSLWantReadError):
                if self._timeout == 0:
                    raise BlockingIOError from None
                self._wait(selectors.EVENT_READ)
            except ssl.SSLWantWriteError:
                self._wait(selectors.EVENT_WRITE)
        data = self._chunk[self._at : self._at + size]
        self._at += len(data)
        self.received += len(data)
        if self.limit is not None and self.received > self.limit:
            raise TooLarge
        return data

    def take(self, size: int) -> bytes | None:
        """So many bytes, if they are here already: that needs no look at the socket."""
        end = self._at + size
        if end > len(self._chunk):
            return None
        data, self._at = self._chunk[self._at : end], end
        self.received += size
        return data

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

    def settimeout(self, timeout: float | None) -> None:
        """Zero: never wait in `recv`. Anything else: until `deadline`."""
        self._timeout = timeout

    def gettimeout(self) -> float | None:
        """What `settimeout` was told."""
        return self._timeout

    def fileno(self) -> int:
        """Of the socket."""
        return self._socket.fileno()

    def shutdown(self, how: int) -> None:
        """End one direction or both."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """Free everything. Doing it again does nothing."""
        if self._sock is not None:
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
        sock = self._socket
        self._sock = None
        self._selector.unregister(sock)
        sock.close()

    def _addresses(self, host: str, port: int) -> Sequence[Address]:
        addresses = look_up(host, port)
        addresses.add_done_callback(lambda _: self._interrupt.wake())
        while not addresses.done():
            self._interrupt.wait(self._left())
            if not self.wanted():
                raise Interrupted
        return addresses.result()

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
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _wait(self, events: int) -> None:
        sock = self._socket
        self._selector.modify(sock, events)
        try:
            while True:
                ready = {key.fileobj for key, _ in self._selector.select(self._left())}
                if self._interrupt in ready:
                    self._interrupt.clear()
                    if not self.wanted():
                        raise Interrupted
                if sock in ready:
                    return
        finally:
            self._selector.modify(sock, selectors.EVENT_READ)
