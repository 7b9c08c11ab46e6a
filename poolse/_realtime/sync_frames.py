"""WebSocket frames and messages of the sync client: as websocket-client reads them, but faster."""

from __future__ import annotations

from typing import Any, Final, cast

from websocket import (
    ABNF,
    WebSocketConnectionClosedException,
    WebSocketProtocolException,
    frame_buffer,
)

from poolse._realtime.sync_transport import TooLarge, Transport

__all__ = ["Frames", "InvalidFragment", "Reassembler"]

_OPCODE: Final = 4
"""Where it is in the header, as the library takes it apart."""

_PER_FRAGMENT: Final = 1024
"""Bytes that each fragment after the first counts beside its own: empty ones cost memory too."""


class InvalidFragment(Exception):  # noqa: N818
    """A fragment that belongs to nothing, or a message within another."""


class Reassembler:
    """Puts the fragments of messages together, and limits how much one may weigh."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._weight = 0
        self._data = bytearray()
        self._begun = False

    @property
    def room(self) -> int:
        """Bytes that the next fragment, or the next message, may have."""
        return self._limit - self._weight

    def add(self, data: bytes, *, first: bool, last: bool) -> bytes | None:
        """Return the whole message, if this is the end of one.

        Raises:
            TooLarge: The message is larger than the limit.
            InvalidFragment: It belongs to no message, or begins one within another.
        """
        if first is self._begun:
            raise InvalidFragment
        weight = self._weight + len(data)
        if weight > self._limit:
            raise TooLarge
        self._begun = not last
        self._weight = 0 if last else weight + _PER_FRAGMENT
        if first and last:
            return data
        self._data += data
        if not last:
            return None
        message, self._data = bytes(self._data), bytearray()
        return message


class Frames(frame_buffer):
    """Stands in for the `frame_buffer` of a `WebSocket`, whose socket is the transport.

    A frame is read in two or three pieces, most of which are here already. The library would ask
    the socket for each of them, which takes longer than all that it does with them.
    """

    def __init__(self, transport: Transport, limit: int) -> None:
        # The JSON decoder checks the UTF-8 anyway.
        super().__init__(self._receive, skip_utf8_validation=True)
        self._transport = transport
        self._limit = limit
        self.messages = Reassembler(limit)
        """What the data frames make up. Whoever reads them has to add them."""

    def recv_length(self) -> None:
        """Read how long the payload is, and refuse it before it comes if it is too long.

        Raises:
            TooLarge: It is longer than the limit, or than what fragments before it leave of that.
            WebSocketProtocolException: It is masked, which a server's must not be.
        """
        super().recv_length()
        length, header = self.length or 0, cast("tuple[int, ...]", cast(Any, self).header)
        is_control = header[_OPCODE] >= ABNF.OPCODE_CLOSE
        if length > (self._limit if is_control else self.messages.room):
            raise TooLarge
        if self.has_mask():
            raise WebSocketProtocolException("the server masks its frames")

    def recv_strict(self, bufsize: int) -> bytes:
        """Exactly so many bytes. What has come of them is kept when it raises.

        Raises:
            BlockingIOError: The others have not come yet.
            WebSocketConnectionClosedException: They will not come.
        """
        # Where a part of them is kept, it was all that was here.
        data = self._transport.take(bufsize)
        return super().recv_strict(bufsize) if data is None else data

    def _receive(self, size: int) -> bytes:
        data = self._transport.recv(size)
        if not data:
            raise WebSocketConnectionClosedException("the server hung up")
        return data
