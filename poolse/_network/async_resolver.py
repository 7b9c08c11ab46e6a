"""How aiohttp finds the addresses of a host."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

from poolse._support.dns import look_up

__all__ = ["Resolver"]

NUMERIC: Final = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


class Resolver(AbstractResolver):
    """In threads that hold up nothing: the loop's own would fill its executor, and its end."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.wrap_future(look_up(host, port))
        return [
            ResolveResult(
                hostname=host,
                # With the zone of a link-local address.
                host=socket.getnameinfo(address, NUMERIC)[0],
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
            if family in (socket.AF_UNSPEC, kind)
        ]

    async def close(self) -> None:
        """There is nothing to close."""
