"""The WebSocket of the async client: a connection of websockets with less patience.

`open_socket` is the way to it: TCP, proxy, TLS, handshake.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable
from math import inf
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.protocol import Event, State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from poolse._network.addresses import certificate_name
from poolse._network.async_sockets import Conversation, connected
from poolse._network.proxies import Proxies, Proxy
from poolse._network.trust import context_of
from poolse._network.tunnels import open_tunnel
from poolse._network.urls import ServerAddress
from poolse._realtime.handshake import address, server_address
from poolse._realtime.settings import RealtimeSettings

__all__ = ["AsyncTransport", "open_socket"]

Tls = Callable[[], ssl.SSLContext]

# Below WARNING it writes down the handshake, and the token with it, whatever level is set.
_WEBSOCKETS_LOG: Final = logging.getLogger("poolse.websockets")
_WEBSOCKETS_LOG.addFilter(lambda record: record.levelno >= logging.WARNING)
_WEBSOCKETS_LOG.setLevel(logging.WARNING)

# With so many frames still to be handled, nothing more is read: a server that is faster than the
# handlers must wait, and not fill the memory.
_MAX_QUEUED: Final = 512

# Bytes that may still be on their way when the next frame is sent, and seconds between two looks.
_NEARLY_ALL: Final = 65536
_LOOK_AGAIN: Final = 0.02


class AsyncTransport(ClientConnection):
    """A connection that does not wait for a server that does not read, or does not hang up.

    Without that, the next heartbeat would be the first to notice a server that closed the WebSocket
    but stays connected, and replies to pings would fill the memory.
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
        # It grows by replies to pings.
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
        try:
            # The library would wait for ever for a server that reads nothing.
            async with asyncio.timeout(self.close_timeout):
                if self.state is not State.OPEN:
                    await self.close()
                    return
                closing = asyncio.ensure_future(self.close())
                try:
                    # The reply to the close frame is read only if there is space for it.
                    while True:
                        await self.recv(decode=False)
                except ConnectionClosed:
                    await closing
                finally:
                    closing.cancel()
        except TimeoutError:
            self.drop()
            await self.wait_closed()

    @property
    def unread(self) -> int:
        """Bytes that were sent and that the server has not read."""
        return self.transport.get_write_buffer_size()


async def open_socket(settings: RealtimeSettings, token: str | None) -> AsyncTransport:
    """Open a WebSocket. Redirects are not followed: they name servers that the user did not name.

    Raises:
        InvalidStatus: The handshake was refused with an HTTP status.
        ProxyError: The proxy opened no tunnel.
        TimeoutError: It took longer than the connect timeout.
    """
    target = server_address(settings)
    proxy = Proxies(settings.proxy).of(*target[:3])
    transport = AsyncTransport(_protocol(settings, token), settings)
    try:
        async with asyncio.timeout(settings.connect_timeout):
            await _connect(transport, target, proxy, settings)
            await transport.handshake(settings.headers, None)
    except BaseException:
        # Where this is cancelled as soon as TLS is there, asyncio would wait for the other side to
        # say goodbye, longer perhaps than the event loop runs.
        transport.drop()
        raise
    return transport


def _protocol(settings: RealtimeSettings, token: str | None) -> ClientProtocol:
    """Return the protocol of a connection. It sends no Origin: Phoenix refuses other hosts."""
    target = address(settings, token)
    return ClientProtocol(
        parse_uri(target.url),
        subprotocols=[Subprotocol(name) for name in target.subprotocols] or None,
        max_size=settings.max_frame,
        logger=_WEBSOCKETS_LOG,
    )


async def _connect(
    transport: AsyncTransport,
    target: ServerAddress,
    proxy: Proxy | None,
    settings: RealtimeSettings,
) -> None:
    """TCP to the server, through a proxy where there is one, and TLS on it."""
    loop = asyncio.get_running_loop()
    tls = context_of(settings.ssl_context)
    first = target if proxy is None else proxy
    sock = await connected(first.host, first.port, loop.time() + settings.connect_timeout)
    if proxy is not None and proxy.is_secure:
        await _through_tls(transport, target, proxy, tls, sock)
        return
    try:
        if proxy is not None:
            await open_tunnel(
                proxy,
                target.host,
                target.port,
                lambda data: loop.sock_sendall(sock, data),
                lambda size: loop.sock_recv(sock, size),
            )
        secure = tls() if target.scheme == "wss" else None
    except BaseException:
        sock.close()
        raise
    name = certificate_name(target.host) if secure else None
    await loop.create_connection(lambda: transport, sock=sock, ssl=secure, server_hostname=name)


async def _through_tls(
    transport: AsyncTransport, target: ServerAddress, proxy: Proxy, tls: Tls, sock: socket.socket
) -> None:
    """Through a proxy that is itself reached by TLS."""
    loop = asyncio.get_running_loop()
    outer, conversation = await loop.create_connection(
        Conversation, sock=sock, ssl=tls(), server_hostname=certificate_name(proxy.host)
    )
    try:
        await open_tunnel(proxy, target.host, target.port, conversation.send, conversation.receive)
        outer.set_protocol(transport)
        inner: asyncio.BaseTransport | None = outer
        if target.scheme == "wss":
            name = certificate_name(target.host)
            inner = await loop.start_tls(outer, transport, tls(), server_hostname=name)
        if inner is None:
            raise ConnectionAbortedError("the proxy closed the connection")
        transport.connection_made(inner)
    except BaseException:
        outer.abort()
        raise
