"""Frames that take their time on a slow line are no sign of a dead server."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading

import pytest

from tests.realtime.channel_types import PING
from tests.realtime.hostile_servers import BOTH, client, server, upgrade
from tests.realtime.sync_and_async import LIMIT, Flavour, Log, done
from tests.realtime.virtual_socket import OK

pytestmark = pytest.mark.usefixtures("either_wire")

SIZE = 14 * 2**20

# A heartbeat comes due while the frame is on its way, and its time would be over long before.
TIMES = {
    "heartbeat_interval": 0.2,
    "heartbeat_timeout": 1.5,
    "close_timeout": 0.2,
    "reconnect_delays": (60.0,),
}


class Slow:
    """A Phoenix server at the end of a slow line."""

    def __init__(self, *, reads: float = 0.0, sends: float = 0.0) -> None:
        self.reads = reads
        """Seconds for each megabyte that it reads of a large frame."""
        self.sends = sends
        """The same for what it sends."""
        self.opened = Log()
        self.pushed = Log()
        """Sizes of what was pushed."""
        self.beats = Log()

    def handle(self, connection: socket.socket) -> None:
        # Little of the frame is to lie in between, where nobody sees how far it came.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        upgrade(connection)
        self.opened.append(connection)
        while True:
            opcode, data = self._frame(connection)
            if opcode == 0x88:
                return
            if len(data) > 2**20:
                self.pushed.append(len(data))
                continue
            join_ref, ref, topic, event, _ = json.loads(data)
            if event == "heartbeat":
                self.beats.append(ref)
            send(connection, json.dumps([join_ref, ref, topic, "phx_reply", OK]).encode())
            if event == "phx_join" and self.sends:
                told = [None, None, topic, "ping", {"text": "x" * SIZE}]
                self._send_slowly(connection, json.dumps(told).encode())

    def _send_slowly(self, connection: socket.socket, data: bytes) -> None:
        connection.sendall(b"\x81\x7f" + struct.pack("!Q", len(data)))
        for start in range(0, len(data), 2**18):
            connection.sendall(data[start : start + 2**18])
            threading.Event().wait(self.sends / 4)

    def _frame(self, connection: socket.socket) -> tuple[int, bytes]:
        head = exactly(connection, 2)
        size = head[1] & 0x7F
        if size == 126:
            size = int.from_bytes(exactly(connection, 2), "big")
        elif size == 127:
            size = int.from_bytes(exactly(connection, 8), "big")
        mask = exactly(connection, 4)
        if size > 2**20:
            return head[0], self._read_slowly(connection, size)
        return head[0], bytes(b ^ mask[i % 4] for i, b in enumerate(exactly(connection, size)))

    def _read_slowly(self, connection: socket.socket, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            found += exactly(connection, min(2**18, size - len(found)))
            threading.Event().wait(self.reads / 4)
        return bytes(found)


def exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data


def send(connection: socket.socket, data: bytes) -> None:
    size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack("!H", len(data))
    connection.sendall(b"\x81" + size + data)


@BOTH
def test_a_server_that_reads_slowly_is_not_dead(flavour: Flavour) -> None:
    slow = Slow(reads=0.18)

    async def scenario(url: str) -> None:
        async with client(flavour, url, **TIMES) as rooms:
            room = rooms.realtime.room("x")
            await done(room.wait_joined())
            room._client.push(room._reference, "large", bytes(SIZE), LIMIT)
            await slow.pushed.until(len)
            beats = len(slow.beats.items)
            await slow.beats.reach(beats + 2)
            assert rooms.errors.items == []
            assert len(slow.opened.items) == 1

    with server(slow.handle) as url:
        asyncio.run(scenario(url))


@BOTH
def test_a_server_that_sends_slowly_is_not_dead(flavour: Flavour) -> None:
    slow = Slow(sends=0.2)

    async def scenario(url: str) -> None:
        async with client(flavour, url, **TIMES) as rooms:
            room, got = rooms.realtime.room("x"), Log()
            room.on(PING, got.append)
            await got.until(len)
            assert len(got.items[0].text) == SIZE
            await slow.beats.reach(2)
            assert rooms.errors.items == []
            assert len(slow.opened.items) == 1

    with server(slow.handle) as url:
        asyncio.run(scenario(url))


@BOTH
def test_a_server_that_reads_nothing_is_dead(flavour: Flavour) -> None:
    stuck = threading.Event()

    def handle(connection: socket.socket) -> None:
        upgrade(connection)
        send(connection, json.dumps(["1", "1", "conversation:x", "phx_reply", OK]).encode())
        stuck.wait(LIMIT)

    async def scenario(url: str) -> None:
        async with client(flavour, url, **TIMES, reading_limit=1.0) as rooms:
            room = rooms.realtime.room("x")
            await done(room.wait_joined())
            room._client.push(room._reference, "large", bytes(SIZE), LIMIT)
            await rooms.errors.until(len)
            stuck.set()

    with server(handle) as url:
        asyncio.run(scenario(url))
