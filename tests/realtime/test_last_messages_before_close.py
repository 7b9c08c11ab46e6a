"""What the server said last is heard, however its connection ends."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Callable

import pytest

from poolse.errors import ConnectionFailed
from tests.realtime.channel_types import PING, News
from tests.realtime.hostile_servers import BOTH, client, frame, read_until_closed, server, upgrade
from tests.realtime.sync_and_async import LIMIT, Flavour, Log, done
from tests.realtime.virtual_socket import OK

pytestmark = pytest.mark.usefixtures("either_wire")

CLOSE = b"\x88"

MANY = 400
"""Events that need more than one read: what is to be sent has its turn before the second."""


def goodbye(code: int, reason: bytes = b"") -> bytes:
    return CLOSE + bytes([2 + len(reason)]) + struct.pack("!H", code) + reason


def reset(connection: socket.socket) -> None:
    """Let the connection end with a TCP reset, whatever is under way on it."""
    # TLS would say goodbye of its own first.
    plain = socket.socket(fileno=connection.detach())
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    plain.close()


def hangs_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def stays(connection: socket.socket) -> None:
    read_until_closed(connection)


def whole(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)


def in_pieces(connection: socket.socket, data: bytes) -> None:
    for byte in data:
        connection.sendall(bytes([byte]))
        threading.Event().wait(0.005)


def behind_news(connection: socket.socket, data: bytes) -> None:
    told = frame(json.dumps([None, None, "conversation:x", "ping", {"text": "last"}]))
    connection.sendall(told * 100 + data)


Ending = Callable[[socket.socket], None]
Sending = Callable[[socket.socket, bytes], None]


@BOTH
@pytest.mark.parametrize("ending", [reset, hangs_up, stays])
@pytest.mark.parametrize("sending", [whole, in_pieces, behind_news])
@pytest.mark.parametrize("data", [goodbye(1012), goodbye(4001, b"bye")], ids=["1012", "4001"])
def test_the_code_is_that_of_the_close_frame(
    flavour: Flavour, ending: Ending, sending: Sending, data: bytes
) -> None:
    code = struct.unpack("!H", data[2:4])[0]

    def handle(connection: socket.socket) -> None:
        # A reset throws away what was not sent yet.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upgrade(connection)
        sending(connection, data)
        ending(connection)

    async def scenario(url: str) -> None:
        async with client(flavour, url, close_timeout=0.2, reconnect_delays=(60.0,)) as rooms:
            await done(rooms.realtime.connect())
            (error, *_) = await rooms.errors.until(len)
            assert isinstance(error, ConnectionFailed)
            assert error.code == code

    with server(handle) as url:
        asyncio.run(scenario(url))


@BOTH
def test_what_was_received_is_read_when_sending_fails(flavour: Flavour) -> None:
    """The client is about to send when the connection is reset: what came before is still news."""
    gone, is_told = threading.Event(), threading.Event()

    def handle(connection: socket.socket) -> None:
        # A reset throws away what was not sent yet.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upgrade(connection)
        join = receive_text(connection)
        reply = [join[0], join[1], join[2], "phx_reply", OK]
        connection.sendall(frame(json.dumps(reply)))
        is_told.wait(LIMIT)
        news = frame(json.dumps([None, None, "conversation:x", "ping", {"text": "last"}]))
        connection.sendall(news * MANY + goodbye(1012))
        reset(connection)
        gone.set()

    async def scenario(url: str) -> None:
        async with client(flavour, url, close_timeout=0.2, reconnect_delays=(60.0,)) as rooms:
            room, got = rooms.realtime.room("x"), Log()
            room.on(PING, got.append)
            await done(room.wait_joined())
            # Neither thread nor event loop looks at the socket between the two.
            with rooms.realtime._client.lock:
                is_told.set()
                assert gone.wait(LIMIT)
                await done(room.tell("typing"))
            (error, *_) = await rooms.errors.until(len)
            assert (type(error), error.code) == (ConnectionFailed, 1012)
            await got.reach(MANY)
            assert got.items == [News("last")] * MANY

    with server(handle) as url:
        asyncio.run(scenario(url))


def receive_text(connection: socket.socket) -> list[str]:
    """The next frame, unmasked."""
    head = exactly(connection, 2)
    size = head[1] & 0x7F
    size = size if size < 126 else int.from_bytes(exactly(connection, 2), "big")
    mask, data = exactly(connection, 4), exactly(connection, size)
    found: list[str] = json.loads(bytes(b ^ mask[i % 4] for i, b in enumerate(data)))
    return found


def exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data
