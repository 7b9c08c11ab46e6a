"""Servers that do not behave, and networks that do not carry: both bodies stay in control."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from poolse._realtime.settings import RealtimeSettings
from poolse.errors import ConnectionFailed, PoolseError
from poolse.testing import Sandbox
from tests.realtime.flavours import FAST, FLAVOURS, LIMIT, Flavour, Log, Sync, done, opened
from tests.realtime.kinds import PING, News

BOTH = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])

Handler = Callable[[socket.socket], None]


@contextmanager
def server(handler: Handler) -> Iterator[str]:
    """A TCP server that gives each connection to a handler; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                handler(connection)
            except OSError:
                pass

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            threads.append(threading.Thread(target=serve, args=(connection,)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/socket"
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
    return opened(flavour, RealtimeSettings(url=url, **{**FAST, **changes}), lambda _: "secret")


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


@BOTH
@pytest.mark.parametrize("handler", [silent, drips_headers, never_says_goodbye])
@pytest.mark.parametrize("how", ["close", "disconnect"])
def test_a_server_cannot_hold_up_the_end(flavour: Flavour, handler: Handler, how: str) -> None:
    async def scenario(url: str) -> None:
        reached = threading.Event()

        async with client(flavour, url, connect_timeout=60.0, close_timeout=0.2) as rooms:
            rooms.realtime.room("x")
            await asyncio.to_thread(reached_it.wait, LIMIT)
            start = time.monotonic()
            if how == "close":
                await rooms.close()
            else:
                await done(rooms.realtime.disconnect())
            assert time.monotonic() - start < 4
            assert rooms.realtime.status == "closed"
        assert not reached.is_set()

    reached_it = threading.Event()

    def handle(connection: socket.socket) -> None:
        reached_it.set()
        handler(connection)

    with server(handle) as url:
        asyncio.run(scenario(url))


@BOTH
@pytest.mark.parametrize("handler", [silent, drips_headers])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_opening_has_an_end(flavour: Flavour, handler: Handler, scheme: str) -> None:
    async def scenario(url: str) -> None:
        async with client(flavour, url, connect_timeout=0.2) as rooms:
            rooms.realtime.room("x")
            await rooms.errors.until(lambda errors: len(errors) >= 2)
            assert all(isinstance(error, ConnectionFailed) for error in rooms.errors.items)

    with server(handler) as url:
        asyncio.run(scenario(url.replace("ws", scheme, 1)))


@BOTH
def test_nobody_listens(flavour: Flavour) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        async with client(flavour, f"ws://127.0.0.1:{port}/socket") as rooms:
            rooms.realtime.room("x")
            await rooms.errors.until(lambda errors: len(errors) >= 3)
            assert rooms.realtime.status == "connecting"
            assert "refused" in str(rooms.errors.items[0]).lower()
            assert "secret" not in str(rooms.errors.items)

    asyncio.run(scenario())


@BOTH
def test_half_a_frame_does_not_stop_the_heart(flavour: Flavour) -> None:
    beats = threading.Semaphore(0)

    def half(connection: socket.socket) -> None:
        upgrade(connection)
        whole = frame('[null,null,"conversation:x","ping",{"text":"slow"}]')
        connection.sendall(whole[:10])
        while data := connection.recv(65536):
            # Ours are masked, so that only their number can be seen.
            if data[0] == 0x81:
                beats.release()

    async def scenario(url: str) -> None:
        times = {"heartbeat_interval": 0.05, "heartbeat_timeout": 0.3}
        async with client(flavour, url, **times) as rooms:
            await done(rooms.realtime.connect())
            assert await asyncio.to_thread(beats.acquire, timeout=LIMIT)
            await rooms.errors.until(len)
            assert "heartbeat" in str(rooms.errors.items[0])

    with server(half) as url:
        asyncio.run(scenario(url))


@BOTH
def test_a_frame_that_is_too_large_ends_the_connection(flavour: Flavour) -> None:
    def large(connection: socket.socket) -> None:
        upgrade(connection)
        connection.sendall(b"\x81\x7f" + struct.pack("!Q", 10_000) + b"x" * 10_000)
        connection.recv(65536)

    async def scenario(url: str) -> None:
        async with client(flavour, url, max_frame=5_000, close_timeout=0.1) as rooms:
            await done(rooms.realtime.connect())
            (error, *_) = await rooms.errors.until(len)
            assert isinstance(error, ConnectionFailed)
            assert error.code == 1009

    with server(large) as url:
        asyncio.run(scenario(url))


@BOTH
@pytest.mark.parametrize(
    "noise",
    [b"\x00" * 50, b"HTTP/1.1 200 OK\r\n\r\n", b"\xff\xfe\xfd"],
    ids=["zeros", "http", "bytes"],
)
def test_noise_instead_of_a_handshake(flavour: Flavour, noise: bytes) -> None:
    def noisy(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(noise)

    async def scenario(url: str) -> None:
        async with client(flavour, url) as rooms:
            await done(rooms.realtime.connect())
            await rooms.errors.until(lambda errors: len(errors) >= 2)
            assert all(isinstance(error, PoolseError) for error in rooms.errors.items)

    with server(noisy) as url:
        asyncio.run(scenario(url))


@BOTH
def test_noise_instead_of_frames(flavour: Flavour) -> None:
    def noisy(connection: socket.socket) -> None:
        upgrade(connection)
        connection.sendall(b"\xff" * 100)
        read_until_closed(connection)

    async def scenario(url: str) -> None:
        times = {"heartbeat_interval": 0.05, "heartbeat_timeout": 0.3, "close_timeout": 0.1}
        async with client(flavour, url, **times) as rooms:
            await done(rooms.realtime.connect())
            await rooms.errors.until(lambda errors: len(errors) >= 2)
            assert all(isinstance(error, ConnectionFailed) for error in rooms.errors.items)

    with server(noisy) as url:
        asyncio.run(scenario(url))


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


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


def test_a_blocked_callback_holds_up_no_socket() -> None:
    """In the sync body only: an async callback that blocks, blocks its event loop."""
    with Sandbox() as sandbox:
        settings = RealtimeSettings(
            url=f"{sandbox.ws_url}/socket", heartbeat_interval=0.02, heartbeat_timeout=2.0, **FAST
        )
        rooms = Sync(settings, lambda _: sandbox.token("alice"))
        release, blocked, got = threading.Event(), threading.Event(), Log()

        def block(_: object) -> None:
            blocked.set()
            release.wait(LIMIT)

        from tests.realtime.backend import post

        conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]
        room = rooms.realtime.room(conversation)
        off = room.on(PING, block)
        room.on(PING, got.append)
        room.wait_joined()
        events = room.events(timeout=LIMIT)
        sandbox.broadcast(room.topic, "ping", {"text": "1"})
        assert blocked.wait(LIMIT)
        off()
        sandbox.broadcast(room.topic, "ping", {"text": "2"})
        while next(events) != News("2"):
            pass
        assert got.items == []
        release.set()
        asyncio.run(got.until(lambda items: items == [News("1"), News("2")]))
        rooms.realtime.close()
        assert rooms.errors.items == []
