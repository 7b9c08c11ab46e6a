"""The server's end of a Phoenix socket that lets everybody in, and sends events on demand."""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import re
from collections import deque
from typing import Final, cast

import orjson

from tests.bench.canned_rows import message

__all__ = ["BURST", "ON_DEMAND", "CannedSocket", "accepting"]

ON_DEMAND: Final = "typing"
"""Who pushes this is sent a burst of events on the same topic."""

BURST: Final = 250
"""Events of a burst. Two of them fit into the queue of a client."""

GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY: Final = re.compile(rb"(?i)\r\nsec-websocket-key: *(\S+)")
TEXT: Final = 0x81
CLOSE: Final = 0x88


def accepting(head: bytes) -> bytes:
    """The answer to a handshake."""
    key = KEY.search(head)
    assert key is not None
    accept = base64.b64encode(hashlib.sha1(key[1] + GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def text_frame(parts: list[object]) -> bytes:
    """One message of the server's, as bytes on the wire."""
    data = orjson.dumps(parts)
    size = len(data)
    return bytes([TEXT, size] if size < 126 else [TEXT, 126, size >> 8, size & 255]) + data


@functools.cache
def _events() -> list[dict[str, object]]:
    return [message(number, said=0) for number in range(1, BURST + 1)]


@functools.lru_cache(maxsize=1100)
def burst(topic: str) -> bytes:
    """The events of a burst, of 700 bytes each."""
    return b"".join(text_frame([None, None, topic, "message:new", event]) for event in _events())


class CannedSocket(asyncio.Protocol):
    """One socket, once the handshake is over."""

    def __init__(self, transport: asyncio.Transport, received: bytes) -> None:
        self._transport = transport
        self._received = received
        self._waiting: deque[bytes] = deque()
        self._paused = False

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (found := _frame(self._received)) is not None:
            opcode, content, self._received = found
            if opcode == CLOSE:
                self._send(bytes([CLOSE, len(content)]) + content)
            elif opcode == TEXT:
                self._answer(cast("list[object]", orjson.loads(content)))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        while self._waiting and not self._paused:
            self._transport.write(self._waiting.popleft())

    def _answer(self, parts: list[object]) -> None:
        join_ref, ref, topic, event = parts[:4]
        if event == ON_DEMAND:
            self._send(burst(cast("str", topic)))
        elif ref is not None:
            reply: dict[str, object] = {"status": "ok", "response": None}
            self._send(text_frame([join_ref, ref, topic, "phx_reply", reply]))

    def _send(self, data: bytes) -> None:
        self._waiting.append(data)
        if not self._paused:
            self.resume_writing()


def _frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """The first message of a client's: opcode with its bit of the end, content, what follows."""
    if len(data) < 6:
        return None
    size, start = data[1] & 127, 6
    if size == 126:
        size, start = int.from_bytes(data[2:4], "big"), 8
    end = start + size
    if len(data) < end:
        return None
    mask = data[start - 4 : start] * (size // 4 + 1)
    content = bytes(a ^ b for a, b in zip(data[start:end], mask, strict=False))
    return data[0], content, data[end:]
