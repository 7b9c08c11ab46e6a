"""Connections of the async client through a SOCKS proxy, of which aiohttp knows nothing."""

from __future__ import annotations

from typing import cast

import httpcore

from poolse._network.proxies import Proxy
from poolse._network.tunnels import ProxyError, open_tunnel

__all__ = ["SocksBackend"]


class SocksBackend(httpcore.AsyncNetworkBackend):
    """Opens tunnels for httpcore's pool."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        # pyright takes it for the class that stands in where anyio is missing.
        self._direct = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: object, **_unset: object
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._direct.connect_tcp(self._proxy.host, self._proxy.port, timeout)
        try:
            await open_tunnel(
                self._proxy,
                host,
                port,
                lambda data: stream.write(data, timeout),
                lambda size: stream.read(size, timeout),
            )
        except BaseException as error:
            await stream.aclose()
            if isinstance(error, ProxyError):
                raise httpcore.ProxyError(str(error)) from None
            raise
        return stream
