"""WebSocket frames from a wire, as websocket-client reads them, but quicker."""

from __future__ import annotations

from typing import Any, Final, cast

from websocket import (
    ABNF,
    WebSocketConnectionClosedException,
    WebSocketProtocolException,
    frame_buffer,
)

from poolse._realtime.fragments import Reassembler, TooLarge
from poolse._realtime.sync_transport import Transport

__all__ = ["Frames"]

_OPCODE: Final = 4
"""Where it is in the header, as the library takes it apart."""


class Frames(frame_buffer):
    """Stands in for the `frame_buffer` of a `WebSocket`, whose socket is the wire.

    A frame is read in two or three pieces, most of which are here already. The library would ask
    the socket for each of them, which takes longer than all that it does with them.
    """

    def __init__(self, wire: Transport, limit: int) -> None:
        # The JSON decoder checks the UTF-8 anyway.
        super().__init__(self._receive, skip_utf8_validation=True)
        self._wire = wire
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
        found = self._wire.take(bufsize)
        return super().recv_strict(bufsize) if found is None else found

    def _receive(self, size: int) -> bytes:
        found = self._wire.recv(size)
        if not found:
            raise WebSocketConnectionClosedException("the server hung up")
        return found
