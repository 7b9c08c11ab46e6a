"""A proxy below HTTP that loses connections after so many bytes."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from types import TracebackType
from typing import Self

__all__ = ["Cutter"]


class Cutter:
    """Relays to a port. Each connection takes the next cut, and ends when it is reached.

    A cut is a direction, `up` or `down`, and a number of bytes.
    """

    def __init__(self, port: int) -> None:
        self.cuts: list[tuple[str, int]] = []
        self.heads: list[bytes] = []
        """The first bytes that each connection carried up."""
        self._upstream = port
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=32)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._threads.append(threading.Thread(target=self._accept, name="cutter"))
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # shutdown wakes the accept; close alone would leave it blocked.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                below, _ = self._listener.accept()
            except OSError:
                return
            cut = self.cuts.pop(0) if self.cuts else ("up", 1 << 60)
            thread = threading.Thread(target=self._relay, args=(below, *cut), name="cut")
            self._threads.append(thread)
            thread.start()

    def _relay(self, below: socket.socket, direction: str, after: int) -> None:
        with below, socket.create_connection(("127.0.0.1", self._upstream)) as above:
            left = {"up": 1 << 60, "down": 1 << 60, direction: after}
            number = len(self.heads)
            self.heads.append(b"")
            ways = {below: (above, "up"), above: (below, "down")}
            with selectors.DefaultSelector() as selector:
                for sock in ways:
                    selector.register(sock, selectors.EVENT_READ, sock)
                try:
                    while all(left.values()):
                        for key, _ in selector.select():
                            source: socket.socket = key.data
                            sink, way = ways[source]
                            data = source.recv(min(65_536, left[way]))
                            if not data:
                                return
                            if way == "up":
                                self.heads[number] = (self.heads[number] + data)[:4096]
                            left[way] -= len(data)
                            sink.sendall(data)
                except OSError:
                    pass
            for sock in ways:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
