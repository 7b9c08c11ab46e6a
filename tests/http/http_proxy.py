"""A small real proxy: forwards http, tunnels the rest."""

from __future__ import annotations

import selectors
import socket
import ssl
from urllib.parse import urlsplit

from tests.http.raw_server import Connection, RawServer, ReceivedRequest

__all__ = ["Proxy"]

REFUSAL = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"


class Proxy(RawServer):
    """Goes between a client and a server. `seen` keeps what it was asked for."""

    def __init__(
        self, *, context: ssl.SSLContext | None = None, credentials: str | None = None
    ) -> None:
        super().__init__(self._relay, context)
        self._credentials = credentials
        self.refusal = b""
        """What it answers to everybody, byte for byte."""

    def _relay(self, connection: Connection, request: ReceivedRequest) -> None:
        given = request.headers.get("proxy-authorization")
        if self.refusal or given != self._credentials:
            connection.send(self.refusal or REFUSAL)
            connection.drop()
            return
        method, target, _ = request.line.split(" ")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            host = host.strip("[]")
            head = b""
        else:
            url = urlsplit(target)
            host, port = url.hostname or "", str(url.port)
            path = target.removeprefix(f"{url.scheme}://{url.netloc}")
            fields = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
            head = f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode("latin-1") + request.body
        with socket.create_connection((host, int(port))) as upstream:
            upstream.sendall(head)
            if method == "CONNECT":
                connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            pump(connection.sock, upstream)


def pump(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            # What TLS holds decrypted, no selector sees.
            held = isinstance(one, ssl.SSLSocket) and one.pending() > 0
            ready = [(one, other)] if held else [(k.fileobj, k.data) for k, _ in selector.select()]
            for source, sink in ready:
                assert isinstance(source, socket.socket)
                data = source.recv(65_536)
                if not data:
                    return
                sink.sendall(data)
