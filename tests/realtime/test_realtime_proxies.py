"""Both bodies through a proxy."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
from contextlib import suppress
from math import inf

import pytest
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from poolse._realtime.async_transport import AsyncTransport
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import ConnectionFailed
from poolse.testing import Sandbox
from tests.realtime.hostile_servers import BOTH, client, read_until_closed, server
from tests.realtime.sync_and_async import FAST, LIMIT, Flavour, done, opened


def copy(source: socket.socket, target: socket.socket) -> None:
    """One direction. However it ends, also by a reset, the other one must not wait for ever."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Proxy:
    """A proxy that knows CONNECT."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    def __call__(self, connection: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                raise ConnectionResetError
            head += byte
        self.requests.append(head.decode())
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        with socket.create_connection((host, int(port))) as target:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n")
            back = threading.Thread(target=copy, args=(target, connection))
            back.start()
            copy(connection, target)
            back.join()


@BOTH
@pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("source", ["argument", "environment"])
def test_a_proxy_is_used(
    flavour: Flavour, tls: bool, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(sandbox: Sandbox, proxy: str) -> None:
        settings = RealtimeSettings(
            url=f"{sandbox.ws_url}/socket",
            ssl_context=sandbox.ssl_context() if tls else None,
            proxy=proxy if source == "argument" else None,
            **FAST,
        )
        async with opened(flavour, settings, lambda _: sandbox.token("alice")) as rooms:
            await done(rooms.realtime.connect())
            await asyncio.to_thread(sandbox.wait_for, lambda: sandbox.sockets == 1, LIMIT)
            assert rooms.errors.items == []

    proxy = Proxy()
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with server(proxy) as url, Sandbox(tls=tls) as sandbox:
        address = url.replace("ws://", "http://ann:pass%20word@").removesuffix("/socket")
        if source == "environment":
            monkeypatch.setenv("https_proxy" if tls else "http_proxy", address)
        asyncio.run(scenario(sandbox, address))
    (request,) = proxy.requests
    assert request.startswith("CONNECT 127.0.0.1:")
    assert base64.b64encode(b"ann:pass word").decode() in request
    assert "token" not in request


@BOTH
def test_a_proxy_that_refuses_is_no_secret(flavour: Flavour) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")

    async def scenario(proxy: str) -> None:
        async with client(flavour, "ws://127.0.0.1:9/socket", proxy=proxy) as rooms:
            await done(rooms.realtime.connect())
            (error, *_) = await rooms.errors.until(len)
            assert isinstance(error, ConnectionFailed)
            assert "hush" not in str(error) + repr(error.__cause__)

    with server(refuse) as url:
        asyncio.run(scenario(url.replace("ws://", "http://ann:hush@").removesuffix("/socket")))


@BOTH
def test_a_tunnel_that_ends_before_tls_begins_is_retried(flavour: Flavour) -> None:
    """Nothing but a report comes of it: what asyncio complains of, the guard against leaks sees."""

    def hang_up(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        # Some of the client's greeting has come, and nothing is answered.
        connection.recv(1024)
        connection.shutdown(socket.SHUT_WR)
        read_until_closed(connection)

    async def scenario(proxy: str) -> None:
        async with client(flavour, "wss://127.0.0.1:9/socket", proxy=proxy) as rooms:
            await done(rooms.realtime.connect())
            for error in await rooms.errors.until(len):
                assert isinstance(error, ConnectionFailed)

    with server(hang_up) as url:
        asyncio.run(scenario(url.replace("ws://", "http://").removesuffix("/socket")))


def test_a_transport_may_end_before_it_began() -> None:
    """Where TLS fails inside of TLS to a proxy, asyncio reports the end of what never began."""

    async def scenario() -> None:
        url = "wss://127.0.0.1:9/socket"
        transport = AsyncTransport(ClientProtocol(parse_uri(url)), RealtimeSettings(url=url))
        transport.connection_lost(ConnectionResetError())
        assert transport.received_at == -inf

    asyncio.run(scenario())
