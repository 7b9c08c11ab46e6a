"""TCP to a host, for the async socket: to the first of its addresses that answers."""

from __future__ import annotations

import asyncio
import socket

from poolse._lookup import Address, look_up
from poolse._network.addresses import attempts

__all__ = ["connected"]


async def connected(host: str, port: int, until: float) -> socket.socket:
    """Open a connection. Each address has its share of the time.

    Args:
        host: Its name or its address.
        port: Of the server.
        until: When to give up, on the clock of the event loop.

    Raises:
        OSError: There is none; a `TimeoutError` when the last address did not answer.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout_at(until):
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
