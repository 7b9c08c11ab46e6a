"""WebSocket frames from a wire, as websocket-client reads them, but quicker."""

from __future__ import annotations

from websocket import WebSocketConnectionClosedException, frame_buffer

from poolse._realtime.sync_wire import Wire

__all__ = ["Frames"]


class Frames(frame_buffer):
    """Stands in for the `frame_buffer` of a `WebSocket`, whose socket is the wire.

    A frame is read in two or three pieces, most of which are here already. The library would ask
    the socket for each of them, which takes longer than all that it does with them.
    """

    def __init__(self, wire: Wire) -> None:
        # The JSON decoder checks the UTF-8 anyway.
        super().__init__(self._receive, skip_utf8_validation=True)
        self._wire = wire

    def recv_strict(self, bufsize: int) -> bytes:
        """Exactly so many bytes. What has come of them is kept when it raises.

        Raises:
            BlockingIOError: The others have not come yet.
            TooLarge: They are more than the wire takes.
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
