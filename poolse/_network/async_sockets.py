"""TCP to a host, for the async socket: to the first of its addresses that accepts."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from poolse._network.addresses import attempts
from poolse._support.dns import Address, look_up

__all__ = ["Conversation", "connected"]


async def connected(host: str, port: int, until: float) -> socket.socket:
    """Open a connection. Each address has its share of the time.

    Args:
        host: Its name or its address.
        port: Of the server.
        until: When to give up, on the clock of the event loop.

    Raises:
        OSError: There is none; a `TimeoutError` if the last address did not respond.
    """
    loop = asyncio.get_running_loop()
    found = await asyncio.wrap_future(look_up(host, port))
    failure = OSError(f"{host} has no address")
    for address, share in attempts(found, until, loop.time):
        try:
            async with asyncio.timeout_at(share):
                return await _connected(address)
        except OSError as error:
            failure = error
    raise failure


async def _connected(address: Address) -> socket.socket:
    family, kind, protocol, _, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


class Conversation(asyncio.Protocol):
    """Bytes back and forth over a transport, until another protocol takes it over."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._changed = asyncio.Event()
        self._ended = False
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        self._changed.set()

    def eof_received(self) -> None:
        self._ended = True
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.eof_received()

    async def send(self, data: bytes) -> None:
        """Send it. What is said to a proxy fits into the buffers."""
        self._transport.write(data)

    async def receive(self, size: int) -> bytes:
        """Up to so many bytes; none at the end of the connection."""
        while not self._data and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        data = bytes(self._data[:size])
        del self._data[:size]
        return data
