"""Frames of the WebSocket of a sync client, cut out of the bytes that have come.

websocket-client reads from the socket for each of the two or three pieces of a frame, and blocks
until the rest of one has come.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, cast

from websocket import ABNF, WebSocketProtocolException

__all__ = ["Frames", "Incomplete", "TooLarge", "WebSocketFrame"]

_LONGEST_CONTROL_FRAME: Final = 125

_PER_FRAGMENT: Final = 1024
"""Bytes that each fragment counts beside its own: empty ones cost memory too."""


class Incomplete(Exception):  # noqa: N818  (nothing went wrong)
    """The rest of a frame has not come yet."""


class TooLarge(Exception):  # noqa: N818  (how a connection ends)
    """The other side sends more in one piece than we take."""


class WebSocketFrame(NamedTuple):
    """One frame as the server sent it."""

    opcode: int
    is_last: bool
    """Whether it ends its message."""
    data: bytes


class Frames:
    """What has come of a connection and was not taken yet."""

    def __init__(self, limit: int) -> None:
        self._weight = 0
        """Of the fragments of a message under way; none when there is no such message."""
        self._fragments = bytearray()
        self._limit = limit
        """Bytes of the largest message."""
        self._received = bytearray()
        self._taken = 0
        """Bytes of `_received` that were taken."""

    def add(self, data: bytes) -> None:
        """Add what has come."""
        # Not for each frame: the rest would be moved as often.
        del self._received[: self._taken]
        self._taken = 0
        self._received += data

    def take(self) -> WebSocketFrame:
        """Return the next frame. Its header is judged before its payload comes.

        Raises:
            Incomplete: It has not come yet.
            TooLarge: Its message is larger than the limit.
            WebSocketProtocolException: A server must not send such a frame.
        """
        received, start = self._received, self._taken + 2
        if len(received) < start:
            raise Incomplete
        first, length = received[start - 2], received[start - 1]
        if length > 127:
            raise WebSocketProtocolException("the server masks its frames")
        if length > 125:
            end = start + (2 if length == 126 else 8)
            if len(received) < end:
                raise Incomplete
            length, start = int.from_bytes(received[start:end]), end
        opcode, is_last = first & 0x0F, first > 127
        if first & 0x70 or opcode not in ABNF.OPCODES:
            raise WebSocketProtocolException("a frame of an extension that was not agreed on")
        if opcode >= ABNF.OPCODE_CLOSE:
            if length > _LONGEST_CONTROL_FRAME or not is_last:
                raise WebSocketProtocolException("a control frame in parts, or too long")
        elif length > self._limit - self._weight:
            raise TooLarge
        end = start + length
        if len(received) < end:
            raise Incomplete
        self._taken = end
        data = bytes(received[start:end])
        if opcode == ABNF.OPCODE_CLOSE:
            # Its code; the reason is not read.
            cast(Any, ABNF(1, 0, 0, 0, opcode, 0, data)).validate(skip_utf8_validation=True)
        return WebSocketFrame(opcode, is_last, data)

    def join(self, frame: WebSocketFrame) -> bytes | None:
        """Return the message that a data frame is the last fragment of.

        Raises:
            WebSocketProtocolException: It belongs to no message, or begins one within another.
        """
        is_first = frame.opcode != ABNF.OPCODE_CONT
        if is_first is (self._weight > 0):
            raise WebSocketProtocolException("a fragment out of order")
        if is_first and frame.is_last:
            return frame.data
        self._fragments += frame.data
        self._weight += len(frame.data) + _PER_FRAGMENT
        if not frame.is_last:
            return None
        message, self._fragments, self._weight = bytes(self._fragments), bytearray(), 0
        return message
