"""From a URL to an open WebSocket, for the async client: TCP, proxy, TLS, handshake."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Final

from websockets.client import ClientProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from poolse._network.addresses import certificate_name
from poolse._network.async_sockets import Conversation, connected
from poolse._network.proxies import Proxies, Proxy
from poolse._network.trust import context_of
from poolse._network.tunnels import open_tunnel
from poolse._realtime.async_transport import AsyncTransport
from poolse._realtime.handshake import Origin, address, origin
from poolse._realtime.settings import RealtimeSettings

__all__ = ["open_socket"]

Tls = Callable[[], ssl.SSLContext]

# Below WARNING it writes down the handshake, and the token with it, whatever level somebody sets.
_WEBSOCKETS_LOG: Final = logging.getLogger("poolse.websockets")
_WEBSOCKETS_LOG.addFilter(lambda record: record.levelno >= logging.WARNING)
_WEBSOCKETS_LOG.setLevel(logging.WARNING)


async def open_socket(settings: RealtimeSettings, token: str | None) -> AsyncTransport:
    """Open a WebSocket. Redirects are not followed: they name servers that the user did not name.

    Raises:
        InvalidStatus: The handshake was answered, but not with a WebSocket.
        ProxyError: The proxy opened no tunnel.
        TimeoutError: It took longer than the connect timeout.
    """
    target = origin(settings)
    proxy = Proxies(settings.proxy).of(*target)
    transport = _transport(settings, token)
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


def _transport(settings: RealtimeSettings, token: str | None) -> AsyncTransport:
    target = address(settings, token)
    protocol = ClientProtocol(
        parse_uri(target.url),
        subprotocols=[Subprotocol(name) for name in target.subprotocols] or None,
        max_size=settings.max_frame,
        logger=_WEBSOCKETS_LOG,
    )
    return AsyncTransport(protocol, settings)


async def _connect(
    transport: AsyncTransport, target: Origin, proxy: Proxy | None, settings: RealtimeSettings
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
    transport: AsyncTransport, target: Origin, proxy: Proxy, tls: Tls, sock: socket.socket
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
