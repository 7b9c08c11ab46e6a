"""A server of raw sockets: what it does with a request, a test says byte by byte."""

from __future__ import annotations

import errno
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import attrs

__all__ = ["Behave", "Connection", "RawServer", "ReceivedRequest", "answer_with"]


@attrs.frozen
class ReceivedRequest:
    """As it came over the wire."""

    line: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes


class Connection:
    """One accepted connection."""

    def __init__(self, sock: socket.socket, over: threading.Event) -> None:
        self.sock = sock
        self.over = over
        """Set when the test is done: what hangs may go."""
        self._stream = sock.makefile("rb")

    def request(self, *, whole: bool = True) -> ReceivedRequest | None:
        """Read a request, or its head only; None at the end of the connection."""
        line = self._stream.readline().decode("latin-1").strip()
        if not line:
            return None
        headers: dict[str, str] = {}
        while field := self._stream.readline().decode("latin-1").strip():
            name, _, value = field.partition(":")
            headers[name.lower()] = value.strip()
        body = self._stream.read(int(headers.get("content-length", 0))) if whole else b""
        return ReceivedRequest(line, headers, body)

    def take(self, count: int) -> bytes:
        """Read so many bytes of a body."""
        return self._stream.read(count)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self, body: bytes = b"", status: str = "200 OK", fields: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
        self.send(head.encode("latin-1") + body)

    def hang(self) -> None:
        self.over.wait()

    def reset(self) -> None:
        """End the connection at once, as one that is lost: what is under way is thrown away."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def drop(self) -> None:
        """End the connection; the thread that serves it closes the socket."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self) -> None:
        self._stream.close()
        self.sock.close()


Behave = Callable[[Connection, ReceivedRequest], None]


def answer_with(body: bytes = b"", status: str = "200 OK", fields: str = "") -> Behave:
    """Always the same answer."""
    return lambda connection, _: connection.answer(body, status, fields)


class RawServer:
    """Serves each connection in a thread of its own, and keeps the requests in `seen`."""

    def __init__(
        self,
        behave: Behave,
        context: ssl.SSLContext | None = None,
        *,
        whole: bool = True,
        host: str = "127.0.0.1",
    ) -> None:
        self.seen: queue.SimpleQueue[ReceivedRequest] = queue.SimpleQueue()
        self.accepted = 0
        self.connections_closed = threading.Semaphore(0)
        self._behave = behave
        self._whole = whole
        """Whether requests are read to their end before they are served."""
        self._context = context
        self._over = threading.Event()
        self._connections: list[Connection] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=128)
        self._threads = [threading.Thread(target=self._accept, name="wire")]
        self.port: int = self._listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.base = f"{'https' if context else 'http'}://{shown}:{self.port}"

    def listen(self, backlog: int) -> None:
        """Let so many wait to be accepted."""
        self._listener.listen(backlog)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        # shutdown wakes the accept; close alone would leave it blocked.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for connection in self._connections:
            connection.drop()
        for thread in self._threads:
            thread.join()

    def hang_up(self) -> None:
        """End all connections, and with them whoever hangs."""
        self._over.set()
        for connection in self._connections:
            connection.drop()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError as error:
                if error.errno == errno.EMFILE:
                    # A test has taken all descriptors for a moment.
                    continue
                return
            self.accepted += 1
            thread = threading.Thread(target=self._serve, args=(sock,), name="wire-connection")
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
        except OSError:
            sock.close()
            return
        connection = Connection(sock, self._over)
        self._connections.append(connection)
        try:
            while request := connection.request(whole=self._whole):
                self.seen.put(request)
                self._behave(connection, request)
        except (OSError, ValueError):  # ValueError: closed by its own thread
            pass
        finally:
            connection.close()
            self.connections_closed.release()
