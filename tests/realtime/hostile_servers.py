"""Servers that do not behave."""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import attrs
import pytest
import trustme

from poolse._realtime.settings import RealtimeSettings
from tests.realtime.sync_and_async import FAST, FLAVOURS, Flavour, opened

BOTH = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])

Handler = Callable[[socket.socket], None]


@attrs.frozen
class Tls:
    """Both ends of TLS, for servers and clients made while it is in force."""

    server: ssl.SSLContext
    client: ssl.SSLContext


TLS: ContextVar[Tls | None] = ContextVar("tls", default=None)


@cache
def both_ends() -> Tls:
    """Made once: it takes a moment."""
    authority = trustme.CA()
    ours, theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(ours)  # pyright: ignore[reportUnknownMemberType]
    authority.configure_trust(theirs)  # pyright: ignore[reportUnknownMemberType]
    return Tls(ours, theirs)


def serve(handler: Handler, connection: socket.socket) -> None:
    """Hand one connection to the handler, and close it afterwards."""
    try:
        with connection:
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            handler(connection)
    except OSError:
        pass


@contextmanager
def server(handler: Handler) -> Generator[str]:
    """A server that gives each connection to a handler; its URL."""
    tls = TLS.get()
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if tls is not None:
                connection = tls.server.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            connections.append(connection)
            threads.append(threading.Thread(target=serve, args=(handler, connection)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"{'wss' if tls else 'ws'}://127.0.0.1:{listener.getsockname()[1]}/socket"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in threads:
            thread.join()


def read_until_closed(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def upgrade(connection: socket.socket) -> str:
    """Shake hands as a WebSocket server; the request."""
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        data = connection.recv(65536)
        if not data:
            raise ConnectionResetError
        request += data
    text = request.decode()
    key = next(v for k, _, v in (ln.partition(": ") for ln in text.split("\r\n")) if "Key" in k)
    digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )
    return text


def frame(text: str) -> bytes:
    data = text.encode()
    size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack("!H", len(data))
    return b"\x81" + size + data


def client(flavour: Flavour, url: str, **changes: Any) -> Any:
    tls = TLS.get()
    trust: dict[str, Any] = {"ssl_context": tls.client} if tls else {}
    return opened(
        flavour, RealtimeSettings(url=url, **{**FAST, **trust, **changes}), lambda _: "secret"
    )


def silent(connection: socket.socket) -> None:
    read_until_closed(connection)


def drips_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
    while True:
        connection.sendall(b"X: y\r\n")
        time.sleep(0.01)


def never_says_goodbye(connection: socket.socket) -> None:
    upgrade(connection)
    read_until_closed(connection)
