"""What keeps bytes from aiohttp's parser that belong to no response."""

from __future__ import annotations

import asyncio

from aiohttp.client_proto import ResponseHandler

from poolse._http.response_bytes import ResponseBytes

__all__ = ["drop_stray_bytes"]


def drop_stray_bytes(protocol: ResponseHandler, method: str) -> None:
    """Watch the response to a request with this method, which is about to be sent."""
    transport = protocol.transport
    if transport is None:
        return
    current = transport.get_protocol()
    if not isinstance(current, _Guard):
        current = _Guard(protocol, transport)
        transport.set_protocol(current)
    current.bytes.expect(method)


class _Guard(asyncio.Protocol):
    """Stands between a transport and aiohttp's protocol."""

    def __init__(self, inner: ResponseHandler, transport: asyncio.Transport) -> None:
        self.bytes = ResponseBytes()
        self._inner = inner
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        kept = self.bytes.take(data)
        if kept:
            self._inner.data_received(kept)
        if self.bytes.is_spoilt:
            self._inner.force_close()
            self._transport.close()

    def eof_received(self) -> bool | None:
        self._inner.eof_received()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
