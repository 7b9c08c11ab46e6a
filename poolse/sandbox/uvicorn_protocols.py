"""uvicorn's two protocols, with what a backend of its own can do to its connections.

An ASGI application cannot cut a connection or hold its responses back, and does not see pings.
So each connection puts itself into the scope's state, where the application finds it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.protocol import State

__all__ = ["HttpConnection", "WebSocketConnection", "connection_of", "cut", "websocket_of"]


class _Connection(asyncio.Protocol):
    """A connection of either kind, which ends for its peer whenever it ends here."""

    sock: socket.socket
    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called when the connection is there."""
        super().connection_made(transport)
        self.sock = transport.get_extra_info("socket")
        self.app_state = {**self.app_state, "connection": self}

    def connection_lost(self, exc: Exception | None) -> None:
        """Called when the connection is over."""
        super().connection_lost(exc)
        _end(self.sock)


class HttpConnection(_Connection, H11Protocol):
    """A connection that speaks HTTP."""

    gone: asyncio.Event
    """Set when the connection is over."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called when the connection is there."""
        super().connection_made(transport)
        self.gone = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called when the connection is over."""
        super().connection_lost(exc)
        self.gone.set()


class WebSocketConnection(_Connection, WebSocketsSansIOProtocol):
    """A connection that became a WebSocket."""

    last_received: float = 0.0
    """When the client last sent anything, pings included, by the loop's clock."""
    sending: asyncio.Event | None = None
    """Cleared while nothing may be sent."""

    def data_received(self, data: bytes) -> None:
        """Called with what the client sent."""
        self.last_received = self.loop.time()
        super().data_received(data)

    def shutdown(self) -> None:
        """Say good-bye, unless the client has done so already, which uvicorn would trip over."""
        if self.conn.state in {State.CLOSING, State.CLOSED}:
            self.transport.close()
        else:
            super().shutdown()

    def handle_ping(self) -> None:
        """Answer a ping; while silent the pong waits and goes out with the next frame."""
        if not self._silent():
            super().handle_ping()

    def handle_close(self, event: Frame) -> None:
        """Answer a close frame; while silent the client has to give up on it."""
        if not self._silent():
            super().handle_close(event)

    def _silent(self) -> bool:
        return self.sending is not None and not self.sending.is_set()


def cut(connection: HttpConnection | WebSocketConnection) -> None:
    """End a connection now, whatever the client does.

    asyncio's TLS transports do not abort any more once they were closed twice, as uvicorn does.
    """
    connection.transport.abort()
    _end(connection.sock)


def _end(sock: socket.socket) -> None:
    """End a connection for its peer. Closing it is not enough while a forked child has a copy."""
    # Through a socket of our own: uvloop's cannot be shut down.
    with suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as copy:
        copy.shutdown(socket.SHUT_RDWR)


def connection_of(scope: Scope) -> HttpConnection:
    """Return the connection that a request came on."""
    return cast(HttpConnection, scope["state"]["connection"])


def websocket_of(scope: Scope) -> WebSocketConnection:
    """Return the connection of a WebSocket."""
    return cast(WebSocketConnection, scope["state"]["connection"])
