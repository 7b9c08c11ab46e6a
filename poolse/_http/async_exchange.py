"""One exchange over aiohttp: one task sends the body while another receives the response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextvars import ContextVar
from typing import Final

import aiohttp
import httpcore
from aiohttp.client_proto import ResponseHandler

from poolse._http.forbidden_bodies import ResponseBytes
from poolse._rest.http_messages import RequestBody, pieces_of

__all__ = ["Exchange", "current", "drop_stray_bytes", "named", "root"]

PIECE: Final = 65_536

ERRORS: Final[tuple[tuple[type[Exception], type[Exception]], ...]] = (
    (aiohttp.ConnectionTimeoutError, httpcore.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpcore.ReadTimeout),
    (aiohttp.ClientConnectorError, httpcore.ConnectError),
    (aiohttp.ClientConnectionResetError, httpcore.WriteError),
    (aiohttp.ClientOSError, httpcore.ReadError),
    (aiohttp.InvalidURL, httpcore.LocalProtocolError),
)
"""The first that fits counts; the rest is a `RemoteProtocolError`."""


class Exchange:
    """What both tasks know of it."""

    def __init__(self, write: float | None, read: float | None) -> None:
        self.idle = asyncio.timeout(None)
        """Ends it when the server accepts nothing for `write` seconds, or has accepted all and does
        not come to the end of its headers for `read` seconds."""
        self.answered = False
        self.sending = False
        """Whether part of the body is still to be sent."""
        self._transports: list[asyncio.Transport] = []
        self._write = write
        self._read = read

    def connected(self, transport: asyncio.Transport) -> None:
        """Note the connection of the exchange."""
        self._transports.append(transport)
        self._expect(self._read)

    def failure(self, error: BaseException) -> tuple[BaseException, BaseException | None]:
        """Cut the connection after an error. Return what to raise in its place, and its cause."""
        self.abort()
        if isinstance(error, aiohttp.ClientError):
            return named(error), root(error)
        if self.idle.expired():
            return (httpcore.WriteTimeout if self.sending else httpcore.ReadTimeout)(""), None
        return error, error.__cause__

    def abort(self) -> None:
        """Cut the connection."""
        # aiohttp closes politely: it would wait for a server that may never read again.
        for transport in self._transports:
            transport.abort()

    def body(self, content: bytes | RequestBody | None) -> bytes | AsyncIterator[bytes] | None:
        """Send a body that fits into the buffers at once; for more, aiohttp has no timeout."""
        if content is None or (isinstance(content, bytes) and len(content) <= PIECE):
            return content or None
        return self._pieces(_single(content) if isinstance(content, bytes) else pieces_of(content))

    async def _pieces(self, parts: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        self.sending = True
        self._expect(None)
        async for part in parts:
            for start in range(0, len(part), PIECE):
                # An early response is noticed before a write that the server does not read.
                for _ in range(2):
                    await asyncio.sleep(0)
                if self.answered:
                    return
                self._expect(self._write)
                yield part[start : start + PIECE]
            # How long the next part takes is not up to the server.
            self._expect(None)
        self.sending = False
        self._expect(self._read)

    def _expect(self, limit: float | None) -> None:
        if not self.answered:
            now = asyncio.get_running_loop().time()
            self.idle.reschedule(None if limit is None else now + limit)


current: ContextVar[Exchange] = ContextVar("poolse_exchange")
"""The exchange of this task."""


async def _single(content: bytes) -> AsyncIterator[bytes]:
    yield content


def named(error: aiohttp.ClientError) -> Exception:
    """Return the error of httpcore for one of aiohttp."""
    # aiohttp's own words are left out: they repeat the URL with its query.
    for theirs, ours in ERRORS:
        if isinstance(error, theirs):
            return ours("")
    return httpcore.RemoteProtocolError("")


def root(error: BaseException | None) -> BaseException | None:
    """Return the error of the operating system or of TLS below those of aiohttp."""
    while isinstance(error, aiohttp.ClientError):
        error = error.__cause__
    return error


def drop_stray_bytes(protocol: ResponseHandler, method: str) -> None:
    """Keep from aiohttp's parser the bytes that belong to no response to this method."""
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
