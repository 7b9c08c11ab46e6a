"""Frames that mean harm: they end the connection, soon, and with little memory."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from poolse.errors import ConnectionFailed, PoolseError
from tests.realtime.hostile_servers import BOTH, client, read_until_closed, server, upgrade
from tests.realtime.sync_and_async import Flavour, done

pytestmark = pytest.mark.usefixtures("either_wire")

LIMIT = 200_000
PIECE = b"x" * 65_000

TEXT, CONT, PING, LAST, PACKED = 0x01, 0x00, 0x09, 0x80, 0x40


def raw(opcode: int, data: bytes = b"") -> bytes:
    """A frame, `LAST` only if the opcode says so."""
    if len(data) < 126:
        return bytes([opcode, len(data)]) + data
    if len(data) < 65_536:
        return bytes([opcode, 126]) + struct.pack("!H", len(data)) + data
    return bytes([opcode, 127]) + struct.pack("!Q", len(data)) + data


def sends(frames: Callable[[], Iterable[bytes]]) -> Callable[[socket.socket], None]:
    """A server that shakes hands, sends frames, and then is silent."""

    def handle(connection: socket.socket) -> None:
        upgrade(connection)
        for data in frames():
            connection.sendall(data)
        read_until_closed(connection)

    return handle


def first_error(
    flavour: Flavour, handler: Callable[[socket.socket], None], **settings: object
) -> ConnectionFailed:
    async def scenario(url: str) -> ConnectionFailed:
        limits = {"max_frame": LIMIT, "close_timeout": 0.1, "reconnect_delays": (20.0,)}
        limits["connect_timeout"] = 15.0  # tracing memory takes time
        async with client(flavour, url, **{**limits, **settings}) as rooms:
            await done(rooms.realtime.connect())
            (error, *_) = await rooms.errors.until(len)
            assert isinstance(error, ConnectionFailed)
            return error

    with server(handler) as url:
        return asyncio.run(scenario(url))


def large() -> Iterable[bytes]:
    return itertools.chain([raw(TEXT, PIECE)], itertools.repeat(raw(CONT, PIECE)))


def between_pings() -> Iterable[bytes]:
    piece = raw(CONT, PIECE) + raw(PING | LAST, b"?")
    return itertools.chain([raw(TEXT, PIECE)], itertools.repeat(piece))


def tiny() -> Iterable[bytes]:
    return itertools.chain([raw(TEXT, b"x")], slowly(raw(CONT, b"x") * 100))


def empty() -> Iterable[bytes]:
    return itertools.chain([raw(TEXT)], slowly(raw(CONT) * 100))


def slowly(data: bytes) -> Iterable[bytes]:
    """Without end, but no faster than it can be looked at while memory is traced."""
    while True:
        yield data
        time.sleep(0.005)


def declared() -> Iterable[bytes]:
    yield bytes([TEXT | LAST, 127]) + struct.pack("!Q", 2**62)
    yield from itertools.repeat(PIECE)


def whole() -> Iterable[bytes]:
    return [raw(TEXT | LAST, b"x" * 10 * 2**20)]


@BOTH
@pytest.mark.parametrize("frames", [large, between_pings, tiny, empty, declared, whole])
def test_a_message_that_is_too_large_ends_its_connection(
    flavour: Flavour, frames: Callable[[], Iterable[bytes]]
) -> None:
    tracemalloc.start()
    try:
        error = first_error(flavour, sends(frames))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.code == 1009
    # The server's own ten megabytes among them.
    assert peak < 30_000_000


HUGE = [LIMIT + 1, 2**31, 2**32, 2**62, 2**63, 2**64 - 1]


def header(opcode: int, size: int, mask: int = 0) -> bytes:
    """The beginning of a frame."""
    if size < 65_536:
        return bytes([opcode, 126 | mask]) + struct.pack("!H", size)
    return bytes([opcode, 127 | mask]) + struct.pack("!Q", size)


ANNOUNCED = {
    **{f"{size}": header(TEXT | LAST, size) for size in HUGE},
    "masked": header(TEXT | LAST, 2**62, 0x80),
    "first fragment": header(TEXT, 2**62),
    "last fragment": raw(TEXT, PIECE) + raw(CONT, PIECE) * 2 + header(CONT | LAST, 60_000),
    "ping": header(PING | LAST, 2**62),
}


@BOTH
@pytest.mark.parametrize("data", ANNOUNCED.values(), ids=ANNOUNCED)
def test_a_header_that_announces_too_much_is_enough(flavour: Flavour, data: bytes) -> None:
    """Nothing of it has to come, and no heartbeat has to fail."""
    started = time.monotonic()
    error = first_error(flavour, sends(lambda: [data]), heartbeat_interval=60.0)
    assert error.code in (1002, 1006, 1009)
    assert time.monotonic() - started < 20


@BOTH
@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT])
def test_a_message_of_the_limit_is_taken(flavour: Flavour, size: int) -> None:
    """What its header takes does not count."""
    data = json.dumps([None, None, "nobody", "x", {"a": ""}]).encode()
    data = data[:-3] + b"x" * (size - len(data)) + data[-3:]

    def frames() -> Iterable[bytes]:
        yield raw(TEXT | LAST, data)
        yield raw(0x08 | LAST, struct.pack("!H", 1012))

    assert first_error(flavour, sends(frames)).code == 1012


@BOTH
def test_a_server_that_masks_its_frames(flavour: Flavour) -> None:
    """Which would make us wait for four bytes more."""
    error = first_error(flavour, sends(lambda: [b"\x81\x82"]), heartbeat_interval=60.0)
    assert error.code in (1002, 1006)


def bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(bytes(2**24)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


@BOTH
@pytest.mark.parametrize(
    "data",
    [
        raw(TEXT | LAST | PACKED, bomb()),
        raw(TEXT | LAST | 0x20, b"[]"),
        raw(0x03 | LAST, b"[]"),
        raw(CONT | LAST, b"[]"),
        raw(TEXT, b"[") + raw(TEXT | LAST, b"]"),
        raw(PING, b""),
    ],
    ids=["packed", "reserved bit", "opcode", "nothing to go on", "one within another", "cut ping"],
)
def test_what_was_not_agreed_on_ends_the_connection(flavour: Flavour, data: bytes) -> None:
    error = first_error(flavour, sends(lambda: [data]), heartbeat_interval=20.0)
    assert error.code in (1002, 1006)


@BOTH
def test_fragments_that_end_are_a_message(flavour: Flavour) -> None:
    told = json.dumps([None, None, "conversation:x", "ping", {"text": "é" * 50}]).encode()
    pieces = [told[:10], b"", *(bytes([byte]) for byte in told[10:])]

    def frames() -> Iterable[bytes]:
        yield raw(TEXT, b"")
        for piece in pieces:
            yield raw(CONT, piece) + raw(PING | LAST, b"?")
        yield raw(CONT | LAST)
        yield raw(TEXT | LAST, b"x" * (LIMIT + 1))

    # Taken for a message, it is no reason to hang up: the next one is.
    assert first_error(flavour, sends(frames)).code == 1009


@BOTH
@pytest.mark.parametrize("reads", [True, False])
def test_pings_without_end_do_not_stop_the_heart(flavour: Flavour, reads: bool) -> None:
    def handle(connection: socket.socket) -> None:
        upgrade(connection)
        connection.settimeout(0.001)
        while True:
            if reads:
                try:
                    connection.recv(1_000_000)
                except TimeoutError:
                    pass
            try:
                connection.sendall(raw(PING | LAST, b"x" * 125) * 100)
            except TimeoutError:
                return read_until_closed(connection)

    beats = {"heartbeat_interval": 0.05, "heartbeat_timeout": 0.4}
    assert isinstance(first_error(flavour, handle, **beats), ConnectionFailed)


GARBAGE = [
    b"",
    b"null",
    b"[" * 100_000,
    b"[null,null,5,[],{}]",
    b'[null,null,"phoenix"]',
    b'{"a":' * 5000,
    b'["\xff\xfe"]',
    b'[null,null,"conversation:x","message:new","not a row"]',
    b'[null,null,"conversation:x","message:new",{"id":{"deep":' + b"[" * 900 + b"]" * 900 + b"}}]",
    b'["1","1","conversation:x","phx_reply",{"status":5,"response":[]}]',
    b'[null,"1","phoenix","phx_reply","no object"]',
    b'["1","1","conversation:x","phx_reply",{"status":"error","response":{"reason":%s}}]'
    % (b"[" * 1000 + b"]" * 1000),
    b'["1",null,"conversation:x","presence_state",{"u":{"metas":[5]}}]',
    b'["1",null,"conversation:x","presence_diff",{"joins":5,"leaves":[]}]',
    b'[null,null,"conversation:x","ping",' + b"9" * 400 + b"]",
]


def too_large(errors: list[Any]) -> bool:
    return any(getattr(error, "code", None) == 1009 for error in errors)


@BOTH
def test_garbage_is_reported_and_outlived(flavour: Flavour) -> None:
    def frames() -> Iterable[bytes]:
        for data in GARBAGE:
            yield raw(TEXT | LAST, data)
            yield raw(0x02 | LAST, data)
        for size in range(6):
            yield raw(0x02 | LAST, b"\x00\x01\x02\x03\xff\xff"[:size])
        yield raw(TEXT | LAST, b"x" * (LIMIT + 1))

    async def scenario(url: str) -> None:
        limits = {"max_frame": LIMIT, "close_timeout": 0.1, "reconnect_delays": (20.0,)}
        async with client(flavour, url, **limits) as rooms:
            room = rooms.realtime.room("x")
            assert room.events() is not None
            errors: list[PoolseError] = await rooms.errors.until(too_large)
            assert all(len(str(error)) < 500 for error in errors)
            assert rooms.realtime.status == "reconnecting"

    with server(sends(frames)) as url:
        asyncio.run(scenario(url))
