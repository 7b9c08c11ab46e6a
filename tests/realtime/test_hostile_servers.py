"""Servers that do not behave: both bodies stay in control."""

from __future__ import annotations

import asyncio
import select
import socket
import struct
import threading
import time
from typing import Any

import pytest

from poolse._realtime.client import client_of
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import ConnectionFailed, PoolseError
from poolse.testing import Sandbox
from tests.not_held_up import not_held_up
from tests.realtime.channel_types import PING, News
from tests.realtime.hostile_servers import (
    BOTH,
    Handler,
    client,
    drips_headers,
    frame,
    never_says_goodbye,
    read_until_closed,
    server,
    silent,
    upgrade,
)
from tests.realtime.sync_and_async import FAST, LIMIT, Flavour, Log, Sync, done

pytestmark = pytest.mark.usefixtures("either_wire")


@BOTH
@pytest.mark.parametrize("handler", [silent, drips_headers, never_says_goodbye])
@pytest.mark.parametrize("how", ["close", "disconnect"])
def test_a_server_cannot_hold_up_the_end(flavour: Flavour, handler: Handler, how: str) -> None:
    async def scenario(url: str) -> None:
        # Nothing but the end itself could end the opening.
        async with client(flavour, url, connect_timeout=3600.0, close_timeout=0.2) as rooms:
            rooms.realtime.room("x")
            assert await asyncio.to_thread(reached.wait, LIMIT)
            with not_held_up(hang_up):
                if how == "close":
                    await rooms.close()
                else:
                    await done(rooms.realtime.disconnect())
            assert rooms.realtime.status == "closed"

    reached = threading.Event()
    connections: list[socket.socket] = []

    def handle(connection: socket.socket) -> None:
        connections.append(connection)
        reached.set()
        handler(connection)

    def hang_up() -> None:
        for connection in connections:
            connection.shutdown(socket.SHUT_RDWR)

    with server(handle) as url:
        asyncio.run(scenario(url))


@BOTH
@pytest.mark.parametrize("handler", [silent, drips_headers])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_opening_has_an_end(flavour: Flavour, handler: Handler, scheme: str) -> None:
    async def scenario(url: str) -> None:
        async with client(flavour, url, connect_timeout=0.2) as rooms:
            rooms.realtime.room("x")
            await rooms.errors.reach(2)
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
            await rooms.errors.reach(3)
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
            await rooms.errors.reach(2)
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
            await rooms.errors.reach(2)
            assert all(isinstance(error, ConnectionFailed) for error in rooms.errors.items)

    with server(noisy) as url:
        asyncio.run(scenario(url))


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

        from tests.realtime.raw_rest import post

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


def stops_reading(connection: socket.socket) -> None:
    """Shake hands, and then read nothing more until the other side is gone."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    upgrade(connection)
    # The end of the connection shows without reading.
    poller = select.poll()
    poller.register(connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    poller.poll()


def until_connected(realtime: Any) -> None:
    while client_of(realtime).stats().sockets == 0:
        time.sleep(0.01)


@pytest.mark.skipif(not hasattr(select, "POLLRDHUP"), reason="needs Linux")
@BOTH
@pytest.mark.parametrize("how", ["close", "disconnect", "leave the last channel"])
def test_a_server_that_stops_reading_holds_up_no_end(flavour: Flavour, how: str) -> None:
    """The guard of all tests looks for threads, tasks and transports that are left."""

    async def scenario(url: str) -> float:
        times = {"close_timeout": 0.3, "heartbeat_timeout": 3600.0, "leave_timeout": 0.2}
        async with client(flavour, url, queue_limit=10_000, **times) as rooms:
            await done(rooms.realtime.connect())
            await asyncio.to_thread(until_connected, rooms.realtime)
            room = rooms.realtime.room("x")
            room._subscription.channel.state = "joined"
            for _ in range(300):
                room._send("typing", {"text": "x" * 50_000})
                await asyncio.sleep(0)
            began = time.monotonic()
            if how == "disconnect":
                await done(rooms.realtime.disconnect())
            elif how != "close":
                await done(room.leave())
            await rooms.close()
            return time.monotonic() - began

    with server(stops_reading) as url:
        # By its documented limit of some seconds, although a heartbeat may take an hour here.
        assert asyncio.run(scenario(url)) < 5.0
