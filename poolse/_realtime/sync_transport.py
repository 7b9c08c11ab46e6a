"""TCP and TLS of the sync client: waits have a limit, and other threads can interrupt them."""

from __future__ import annotations

import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

from poolse._network.addresses import attempts, certificate_name
from poolse._network.nested_tls import NestedTls
from poolse._support.dns import Address, look_up
from poolse._support.fork_safety import renew_after_fork

__all__ = ["InterruptPipe", "Interrupted", "Transport"]

# No end is no number that the system can count to. Whoever waits asks again.
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
        """In a forked child: it wakes a thread of the parent's."""
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
            # Full, so that a wake is due anyway; or closed, and nobody waits any more.
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
    """A TCP or TLS socket.

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
        self._interrupt = interrupt
        self._sock: socket.socket | NestedTls | None = None
        self._selector = _Selector()
        self._selector.register(interrupt.reader, selectors.EVENT_READ)
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child: nothing is sent over the parent's connection."""
        self.close()

    def connect(self, host: str, port: int) -> None:
        """Open a TCP connection to the first address that answers. Each has its share of time."""
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

    def wait(self, timeout: float) -> bool:
        """Wait until something has come; False when the interrupt or the time ended the wait."""
        sock = self._sock
        if isinstance(sock, ssl.SSLSocket | NestedTls) and sock.pending() > 0:
            return True
        has_come = False
        for key, _ in self._selector.select(timeout):
            if key.fileobj is self._interrupt.reader:
                self._interrupt.clear()
            else:
                has_come = True
        return has_come

    def recv(self, size: int, *, waits: bool = True) -> bytes:
        """About `size` bytes at most; none when the connection is closed.

        Raises:
            BlockingIOError: Nothing has come, and it does not wait.
        """
        sock = self._sock
        while sock is not None:
            try:
                return sock.recv(size)
            except (BlockingIOError, ssl.SSLWantReadError):
                if not waits:
                    raise BlockingIOError from None
                self._wait(selectors.EVENT_READ)
            except ssl.SSLWantWriteError:
                self._wait(selectors.EVENT_WRITE)
        return b""

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
