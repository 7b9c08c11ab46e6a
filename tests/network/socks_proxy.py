"""A small real SOCKS 5 proxy."""

from __future__ import annotations

import socket
import socketserver
import threading
from types import TracebackType
from typing import Self, cast

from tests.http.http_proxy import pump

__all__ = ["Socks"]


class Socks(socketserver.ThreadingTCPServer):
    """Goes between a client and a server. `asked` keeps where it was to go."""

    daemon_threads = False
    allow_reuse_address = True

    def __init__(self, *, credentials: tuple[bytes, bytes] | None = None, reply: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.credentials = credentials
        self.reply = reply
        self.asked: list[tuple[str, int]] = []
        self.port: int = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="socks")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        try:
            self._serve()
        except OSError:
            pass

    def _serve(self) -> None:
        wanted = 0 if self._proxy.credentials is None else 2
        methods = self.rfile.read(self.rfile.read(2)[1])
        if wanted not in methods:
            self.connection.sendall(b"\x05\xff")
            return
        self.connection.sendall(bytes([5, wanted]))
        if self._proxy.credentials is not None:
            self.rfile.read(1)
            given = self._short(), self._short()
            self.connection.sendall(bytes([1, given != self._proxy.credentials]))
            if given != self._proxy.credentials:
                return
        kind = self.rfile.read(4)[3]
        host = (
            self._short().decode("ascii")
            if kind == 3
            else socket.inet_ntop(
                socket.AF_INET if kind == 1 else socket.AF_INET6,
                self.rfile.read(4 if kind == 1 else 16),
            )
        )
        port = int.from_bytes(self.rfile.read(2), "big")
        self._proxy.asked.append((host, port))
        # The name of where it is bound to, which may be of any kind.
        self.connection.sendall(bytes([5, self._proxy.reply, 0, 3, 3]) + b"abc\x00\x01")
        if not self._proxy.reply:
            with socket.create_connection((host, port)) as upstream:
                pump(self.connection, upstream)

    @property
    def _proxy(self) -> Socks:
        return cast("Socks", self.server)

    def _short(self) -> bytes:
        return self.rfile.read(self.rfile.read(1)[0])
