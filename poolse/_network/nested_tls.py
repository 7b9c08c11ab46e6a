"""TLS inside of TLS, as it is needed to a server behind a proxy that is itself reached by TLS."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final, TypeVar

__all__ = ["NestedTls"]

T = TypeVar("T")

_CHUNK: Final = 65_536


class NestedTls:
    """Looks like a non-blocking `ssl.SSLSocket`, and speaks through another one.

    Everything that would have to wait raises `ssl.SSLWantReadError` or `ssl.SSLWantWriteError`,
    which count for the outer socket too.
    """

    def __init__(self, outer: ssl.SSLSocket, context: ssl.SSLContext, hostname: str) -> None:
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._unsent = b""
        self._accepted = 0
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)

    def do_handshake(self) -> None:
        """Continue the handshake."""
        self._run(self._tls.do_handshake)
        self._flush()

    def recv(self, size: int) -> bytes:
        """Read all bytes that are decrypted, so that none are left here unseen."""
        try:
            data = self._run(lambda: self._tls.read(size))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""
        try:
            while piece := self._tls.read(size):
                data += piece
        except ssl.SSLError:  # incomplete, or the end, which the next call sees again
            pass
        return data

    def send(self, data: bytes | memoryview) -> int:
        """Send some of it. After an error that means waiting, the same data is to be given."""
        if not self._accepted:
            self._accepted = self._run(lambda: self._tls.write(data))
        self._flush()
        sent, self._accepted = self._accepted, 0
        return sent

    def pending(self) -> int:
        """Return the number of received bytes that no selector sees."""
        return self._tls.pending() + self._outer.pending()

    def fileno(self) -> int:
        """Return the file descriptor of the outer socket."""
        return self._outer.fileno()

    def setblocking(self, flag: bool) -> None:
        """As the outer socket's."""
        self._outer.setblocking(flag)

    def shutdown(self, how: int) -> None:
        """As the outer socket's."""
        self._outer.shutdown(how)

    def close(self) -> None:
        """Close the outer socket."""
        self._outer.close()

    def _run(self, step: Callable[[], T]) -> T:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._flush()
                data = self._outer.recv(_CHUNK)
                self._incoming.write(data) if data else self._incoming.write_eof()

    def _flush(self) -> None:
        self._unsent += self._outgoing.read()
        while self._unsent:
            self._unsent = self._unsent[self._outer.send(self._unsent) :]
