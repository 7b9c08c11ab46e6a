"""The socket of the async body: a connection of websockets that hands out many messages at once."""

from __future__ import annotations

import asyncio
import time
from math import inf
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Event, State

from poolse._realtime.fragments import BufferedBytes

__all__ = ["AsyncTransport"]

Message = bytes | bytearray

_DATA: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)

# So many events are handed on before their handlers get their turn. With more of them alive at a
# time, Python's garbage collector takes as long as all the rest.
_BATCH: Final = 64

# With so many still to be handed on, nothing more is read: a server that is faster than the
# handlers must wait, and not fill the memory.
_ENOUGH: Final = 512


# Bytes that may still be on their way when the next frame is sent, and seconds between two looks.
_NEARLY_ALL: Final = 65536
_LOOK_AGAIN: Final = 0.02


class AsyncTransport(ClientConnection):
    """A task that is woken for each message is slow: this one is given all that has come.

    It has less patience than the library. It does not wait for a server that said goodbye but stays
    on the line: that would only be noticed when the next heartbeat is sent. Nor does it take
    fragments without end, nor keep the answers to pings for a server that does not read them.
    """

    _weight: BufferedBytes | None = None
    _leaving = False
    _is_deaf = False
    _is_full = False
    _is_partial = False

    heard_at = -inf
    """When a part of a message came last, on the monotonic clock; a whole one is an event."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._messages: list[Message] = []
        self._parts: list[bytes] = []
        self._news = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._is_partial = True
        super().data_received(data)
        if self._is_partial:
            self.heard_at = time.monotonic()
        if self.protocol.close_expected() and not self._leaving:
            self._leaving = True
            self.loop.call_later(self.close_timeout or 0.0, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        # Where TLS through a proxy fails, asyncio tells of the end of what never began.
        if hasattr(self, "transport"):
            super().connection_lost(exc)
            self._news.set()

    def process_event(self, event: Event) -> None:
        self._is_partial = False
        if not isinstance(event, Frame) or event.opcode not in _DATA:
            self._take_other(event)
        elif not self._is_deaf:
            # What comes in is never a memoryview.
            message: Any = event.data if event.fin and not self._parts else self._joined(event)
            if message is not None:
                self._take(message)

    def drop(self) -> None:
        """Let go of it, without goodbye."""
        if hasattr(self, "transport"):
            self.transport.abort()

    async def messages(self) -> list[Message]:
        """What has come since the last time, once there is anything.

        Raises:
            ConnectionClosed: There is nothing, and nothing will come.
        """
        await self._news.wait()
        if not self._messages:
            # Nothing was left to it but to say how the connection ended.
            await self.recv()
        batch, self._messages = self._messages[:_BATCH], self._messages[_BATCH:]
        if not self._messages and self.protocol.state is not State.CLOSED:
            self._news.clear()
        if self._is_full and len(self._messages) < _ENOUGH:
            self._read_on()
        return batch

    def _read_on(self) -> None:
        self._is_full = False
        self.transport.resume_reading()

    async def taken(self) -> None:
        """Wait until the server has taken nearly all that was sent, or is gone."""
        while self.unread > _NEARLY_ALL and self.state is State.OPEN:  # noqa: ASYNC110 (no event)
            await asyncio.sleep(_LOOK_AGAIN)

    async def hang_up(self) -> None:
        """Close it. What still comes is not for anybody."""
        self._is_deaf = True
        # The answer to the goodbye wants to be read.
        self._read_on()
        await self.close()

    @property
    def _limit(self) -> int:
        return self.protocol.max_message_size or 0

    @property
    def unread(self) -> int:
        """Bytes that were sent and that the server has not taken."""
        return self.transport.get_write_buffer_size()

    def _take_other(self, event: Event) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode is Opcode.PING and self.unread > self._limit:
            self.transport.abort()

    def _joined(self, frame: Frame) -> bytes | None:
        """The message whose last fragment this is, or None before that."""
        self._parts.append(bytes(frame.data))
        self._weigh(frame)
        if not frame.fin:
            return None
        message = b"".join(self._parts)
        self._parts.clear()
        return message

    def _take(self, message: Message) -> None:
        if not self._messages:
            self._news.set()
        self._messages.append(message)
        if len(self._messages) >= _ENOUGH and not self._is_full:
            self._is_full = True
            self.transport.pause_reading()

    def _weigh(self, frame: Frame) -> None:
        self._weight = self._weight or BufferedBytes(self._limit)
        if not self._weight.add(len(frame.data), last=frame.fin) and self.state is State.OPEN:
            self.protocol.fail(CloseCode.MESSAGE_TOO_BIG)
            self.send_data()
