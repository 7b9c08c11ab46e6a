"""A WebSocket of the async client: a connection of websockets with less patience."""

from __future__ import annotations

import asyncio
import time
from math import inf
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.protocol import Event, State

from poolse._realtime.settings import RealtimeSettings

__all__ = ["AsyncTransport"]

# With so many frames still to be handled, nothing more is read: a server that is faster than the
# handlers must wait, and not fill the memory.
_MAX_QUEUED: Final = 512

# Bytes that may still be on their way when the next frame is sent, and seconds between two looks.
_NEARLY_ALL: Final = 65536
_LOOK_AGAIN: Final = 0.02


class AsyncTransport(ClientConnection):
    """A connection that does not wait for a server that does not read, or does not hang up.

    Without that, the next heartbeat would be the first to notice a server that closed the WebSocket
    but stays on the line, and answers to pings would fill the memory.
    """

    _is_leaving = False

    _is_partial = False

    received_at = -inf
    """When a part of a message came last, on the monotonic clock. Pings are no sign of life."""

    def __init__(self, protocol: ClientProtocol, settings: RealtimeSettings) -> None:
        super().__init__(
            protocol,
            ping_interval=None,
            close_timeout=settings.close_timeout,
            max_queue=_MAX_QUEUED,
        )
        self._limit = settings.max_frame

    def data_received(self, data: bytes) -> None:
        buffered = self.transport.get_write_buffer_size
        unread = buffered()
        self._is_partial = True
        super().data_received(data)
        if self._is_partial:
            self.received_at = time.monotonic()
        if self.protocol.close_expected() and not self._is_leaving:
            self._is_leaving = True
            self.loop.call_later(self.close_timeout or 0.0, self.transport.abort)
        # It grows by answers to pings.
        if buffered() > max(unread, self._limit):
            self.transport.abort()

    def process_event(self, event: Event) -> None:
        # A whole frame has come, which is no part of a message under way.
        self._is_partial = False
        super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        # Where TLS through a proxy fails, asyncio reports the end of what never began.
        if hasattr(self, "transport"):
            super().connection_lost(exc)

    def drop(self) -> None:
        """Close it without a goodbye."""
        if hasattr(self, "transport"):
            self.transport.abort()

    async def flushed(self) -> None:
        """Wait until the server has read nearly all that was sent, or is gone."""
        while self.unread > _NEARLY_ALL and self.state is State.OPEN:  # noqa: ASYNC110 (no event)
            await asyncio.sleep(_LOOK_AGAIN)

    async def hang_up(self) -> None:
        """Close it. Messages that still come are dropped."""
        if self.state is not State.OPEN:
            await self.close()
            return
        closing = asyncio.ensure_future(self.close())
        try:
            # The reply to the goodbye is read only when there is room for it.
            while True:
                await self.recv(decode=False)
        except ConnectionClosed:
            await closing
        finally:
            closing.cancel()

    @property
    def unread(self) -> int:
        """Bytes that were sent and that the server has not read."""
        return self.transport.get_write_buffer_size()
