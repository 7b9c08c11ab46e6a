"""What poolse uses of its dependencies without a promise of theirs still works as it did.

Each use stands in docs/contributing/undocumented.md, with its test. These here talk to the
dependency alone, so that a red one names the release that took something away.
"""

from __future__ import annotations

import asyncio
import inspect
import urllib.request
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from hashlib import sha1
from typing import Any

import aiohttp
import pytest
import websocket
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.protocol import Event

HELLO = bytes([0x82, 5]) + b"hello"
"""A binary frame, as a server sends it."""


class Spied(ClientConnection):
    """A connection that notes what it is called with."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.calls: list[str] = []
        self.closing: list[bool] = []
        self.events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.calls.append("connection_made")
        super().connection_made(transport)

    def process_event(self, event: Event) -> None:
        self.events += 1
        super().process_event(event)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.closing.append(self.protocol.close_expected())

    def connection_lost(self, exc: Exception | None) -> None:
        self.calls.append("connection_lost")
        super().connection_lost(exc)


async def spy_on(
    handler: Callable[[ServerConnection], Awaitable[None]],
    use: Callable[[Spied], Awaitable[None]],
) -> Spied:
    """Let a client use a server, and return its connection."""
    async with serve(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(
            f"ws://127.0.0.1:{port}", create_connection=Spied, max_size=1000, compression=None
        ) as client:
            assert isinstance(client, Spied)
            await use(client)
            return client


def test_websockets_hands_all_bytes_to_data_received() -> None:
    async def speak(server: ServerConnection) -> None:
        await server.send("text")
        await server.send([b"in ", b"parts"])
        await server.recv()
        await server.close()

    async def listen(client: Spied) -> None:
        assert client.transport.get_write_buffer_size() == 0
        assert [await client.recv(decode=False) for _ in range(2)] == [b"text", b"in parts"]
        await client.send("that was all")
        await client.wait_closed()

    client = asyncio.run(spy_on(speak, listen))
    assert client.calls == ["connection_made", "connection_lost"]
    assert (client.closing[0], client.closing[-1]) == (False, True)


def test_websockets_processes_an_event_for_each_frame() -> None:
    async def speak(server: ServerConnection) -> None:
        await (await server.ping())
        await server.send([b"in ", b"parts"])
        await server.close()

    async def listen(client: Spied) -> None:
        assert await client.recv(decode=False) == b"in parts"
        await client.wait_closed()

    # The handshake, a ping, three fragments (the last one is empty), and the close.
    assert asyncio.run(spy_on(speak, listen)).events == 6


def test_websocket_client_needs_little_of_the_socket_that_it_is_given() -> None:
    class Sock:
        def __init__(self) -> None:
            self.sent = b""
            self.answer = b""
            self.used: set[str] = set()

        def __getattribute__(self, name: str) -> Any:
            if name not in {"used", "sent", "answer", "__class__", "__dict__"}:
                self.used.add(name)
            return super().__getattribute__(name)

        def send(self, data: bytes) -> int:
            self.sent += data
            if self.sent.endswith(b"\r\n\r\n"):
                key = self.sent.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
                digest = sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
                self.answer = (
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + b64encode(digest)
                ) + b"\r\n\r\n"
            return len(data)

        def recv(self, size: int) -> bytes:
            taken, self.answer = self.answer[:size], self.answer[size:]
            return taken

        def gettimeout(self) -> float | None: ...

    sock = Sock()
    ws: Any = websocket.WebSocket(enable_multithread=False)
    ws.connect("ws://example.test/", socket=sock, suppress_origin=True, redirect_limit=0)
    assert ws.connected
    assert b"Origin:" not in sock.sent
    assert sock.used == {"send", "recv", "gettimeout"}


async def serve_once(answers: list[bytes], use: Callable[[str], Awaitable[None]]) -> int:
    """Answer requests in their order. Returns how many came; one without an answer is cut."""
    count = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                count += 1
                if not answers:
                    break
                writer.write(answers.pop(0))
        except asyncio.IncompleteReadError:
            pass
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        await use(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    return count


NOTHING = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def test_aiohttp_takes_each_connection_by_connect_in_the_task_of_the_call() -> None:
    current: ContextVar[str] = ContextVar("current")
    seen: list[tuple[str, bool]] = []

    class Connector(aiohttp.TCPConnector):
        async def connect(
            self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
        ) -> Connection:
            connection = await super().connect(req, traces, timeout)
            seen.append((current.get(), isinstance(connection.transport, asyncio.Transport)))
            return connection

    async def call(session: aiohttp.ClientSession, url: str, name: str) -> None:
        current.set(name)
        async with session.get(url) as response:
            await response.read()

    async def use(url: str) -> None:
        async with aiohttp.ClientSession(connector=Connector()) as session:
            for name in ("first", "second"):
                await asyncio.create_task(call(session, url, name))

    assert asyncio.run(serve_once([NOTHING, NOTHING], use)) == 2
    assert seen == [("first", True), ("second", True)]
    assert list(inspect.signature(aiohttp.TCPConnector.connect).parameters) == [
        "self",
        "req",
        "traces",
        "timeout",
    ]


@pytest.mark.parametrize(("held", "sent"), [(True, 1), (False, 2)])
def test_aiohttp_repeats_a_call_unless_a_middleware_raises_something_else(
    held: bool, sent: int
) -> None:
    async def once(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        try:
            return await handler(request)
        except aiohttp.ClientError as error:
            raise LookupError from error

    async def use(url: str) -> None:
        middlewares = [once] if held else []
        async with aiohttp.ClientSession(middlewares=middlewares) as session:
            with pytest.raises(LookupError if held else aiohttp.ClientError):
                await session.get(url)

    assert asyncio.run(serve_once([], use)) == sent


def test_urllib_knows_which_hosts_go_past_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "inside.test")
    bypassed: Any = urllib.request.proxy_bypass
    assert (bool(bypassed("inside.test")), bool(bypassed("outside.test"))) == (True, False)
