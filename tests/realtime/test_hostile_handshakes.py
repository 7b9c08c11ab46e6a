"""Answers to the handshake that mean harm: it ends soon, with an error, and tells nobody the token.

The servers are reached through the public clients.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import traceback
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from poolse import AsyncPoolse, ConnectionFailed, Poolse, PoolseError
from tests.realtime.hostile_servers import TLS, server
from tests.realtime.sync_and_async import LIMIT, Log

pytestmark = pytest.mark.usefixtures("either_wire")

BOTH = pytest.mark.parametrize("kind", [Poolse, AsyncPoolse], ids=["sync", "async"])

TOKEN = "s3cret-token"


async def errors_of(kind: Any, url: str, **arguments: Any) -> list[Any]:
    """What `on_socket_error` is told first, and whatever came with it."""
    told, tls = Log(), TLS.get()
    if tls is not None:
        arguments["ssl_context"] = tls.client
    chat = kind(token=TOKEN, ws_url=url, socket_path="", on_socket_error=told.append, **arguments)
    try:
        connecting = chat.realtime.connect()
        if kind is AsyncPoolse:
            await connecting
        return await told.until(len)
    finally:
        if kind is AsyncPoolse:
            await chat.aclose()
        else:
            chat.close()


def errors(kind: Any, answer: Callable[[socket.socket], None]) -> list[Any]:
    def handle(connection: socket.socket) -> None:
        connection.recv(65_536)
        answer(connection)

    with server(handle) as url:
        return asyncio.run(errors_of(kind, url))


def without_end(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece * 100)

    return answer


SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\n"


@BOTH
@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (SWITCHING, b"X-Name: value\r\n"),
        (SWITCHING + b"X: ", b"x" * 100),
        (b"HTTP/1.1 200 " + b"O" * 100_000, b"O" * 100),
        (b"HTTP/1.1 403 No\r\nContent-Length: 1073741824\r\n\r\n", b"x" * 1000),
        (
            b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1000\r\n" + b"x" * 4096 + b"\r\n",
        ),
        (b"HTTP/1.1 500 No\r\n\r\n", b"x" * 1000),
        (b"HTTP/1.1 200 Fine\r\nContent-Length: 99999999999999999999\r\n\r\n", b"x" * 100),
    ],
    ids=["1xx", "fields", "long field", "long reason", "large", "chunked", "until closed", "huge"],
)
def test_an_answer_without_end_has_one(kind: Any, head: bytes, piece: bytes) -> None:
    tracemalloc.start()
    began = time.monotonic()
    try:
        (error, *_) = errors(kind, without_end(head, piece))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, PoolseError)
    assert time.monotonic() - began < LIMIT
    assert peak < 16_000_000


def shown_by(error: BaseException) -> str:
    """All that a tool could print of the error."""
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join([*found.format(chain=True), repr(error), repr(error.__cause__)])


@BOTH
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_token_is_carried_to_no_other_host(kind: Any, status: int) -> None:
    visits: list[socket.socket] = []
    with server(visits.append) as other:

        def answer(connection: socket.socket) -> None:
            head = f"HTTP/1.1 {status} There\r\nLocation: {other}\r\nContent-Length: 0\r\n\r\n"
            connection.sendall(head.encode())

        (error, *_) = errors(kind, answer)
    assert visits == []
    assert isinstance(error, ConnectionFailed)
    assert (error.code, error.final) == (status, True)


def says(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


def hangs_up(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        hangs_up,
        says(b"HTTP/1.1 403 s3cret\r\nX: s3cret\r\n\r\n"),
        says(b"GET /?token=s3cret HTTP/1.1\r\n\r\n"),
        says(SWITCHING + b"\r\n"),
    ],
    ids=["reset", "refused", "echoed", "no handshake"],
)
def test_no_failed_handshake_shows_the_token(
    kind: Any, answer: Callable[[socket.socket], None], caplog: pytest.LogCaptureFixture
) -> None:
    # As somebody would who wants to know why it does not work.
    for name in ("poolse", "poolse.websockets", "websockets", "websocket", "asyncio"):
        caplog.set_level(logging.DEBUG, name)
    for error in errors(kind, answer):
        assert "s3cret" not in shown_by(error)
    assert "s3cret" not in caplog.text


@BOTH
def test_a_connection_that_is_refused_shows_no_token(kind: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for error in asyncio.run(errors_of(kind, f"ws://127.0.0.1:{port}")):
        assert "s3cret" not in shown_by(error)
