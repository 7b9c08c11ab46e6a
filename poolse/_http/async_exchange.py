"""One exchange over aiohttp: its body goes out in one task while its answer comes in by another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Generator
from contextlib import AsyncExitStack, contextmanager
from contextvars import ContextVar
from typing import Final, cast

import aiohttp
import httpcore
import httpx

__all__ = ["Exchange", "RelayedBody", "ResponseStream", "current", "named", "root"]

PIECE: Final = 65_536

ERRORS: Final[tuple[tuple[type[Exception], type[httpx.TransportError]], ...]] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientConnectionResetError, httpx.WriteError),
    (aiohttp.ClientOSError, httpx.ReadError),
    (aiohttp.InvalidURL, httpx.LocalProtocolError),
)
"""The first that fits counts; the rest is a `RemoteProtocolError`."""


class Exchange:
    """What both tasks know of it."""

    def __init__(self, write: float | None, read: float | None) -> None:
        self.silence = asyncio.timeout(None)
        """Ends it when the server takes nothing for `write` seconds, or has taken all and does not
        come to the end of its headers for `read` seconds."""
        self.answered = False
        self.sending = False
        """Whether the body is not through yet."""
        self._wires: list[asyncio.Transport] = []
        self._write = write
        self._read = read

    def connected(self, wire: asyncio.Transport) -> None:
        """It got this transport."""
        self._wires.append(wire)
        self._expect(self._read)

    def abort(self) -> None:
        """Cut the connection."""
        # aiohttp closes politely: it would wait for a server that may never read again.
        for wire in self._wires:
            wire.abort()

    @contextmanager
    def aborted_on_error(self) -> Generator[None]:
        """Cut the connection when the block fails, and give the failure its name."""
        try:
            yield
        except BaseException as error:
            self.abort()
            if isinstance(error, aiohttp.ClientError):
                raise named(error) from root(error)
            if self.silence.expired():
                kind = httpx.WriteTimeout if self.sending else httpx.ReadTimeout
                raise kind("") from None
            raise

    @contextmanager
    def in_this_task(self) -> Generator[None]:
        """Be `current` while the block runs; the caller's task keeps nothing of it."""
        mark = current.set(self)
        try:
            yield
        finally:
            current.reset(mark)

    def body(self, request: httpx.Request) -> bytes | AsyncIterator[bytes] | None:
        """What fits into the buffers goes out in one; for more, aiohttp has no write timeout."""
        stream = request.stream
        if isinstance(stream, httpx.ByteStream):
            content = request.content
            return self._pieces(_single(content)) if len(content) > PIECE else content or None
        return self._pieces(cast("httpx.AsyncByteStream", stream))

    async def _pieces(self, parts: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        self.sending = True
        self._expect(None)
        async for part in parts:
            for start in range(0, len(part), PIECE):
                await _look_round()
                if self.answered:
                    return
                self._expect(self._write)
                yield part[start : start + PIECE]
            # How long the next part takes is no matter of the server's.
            self._expect(None)
        self.sending = False
        self._expect(self._read)

    def _expect(self, limit: float | None) -> None:
        if not self.answered:
            now = asyncio.get_running_loop().time()
            self.silence.reschedule(None if limit is None else now + limit)


current: ContextVar[Exchange] = ContextVar("poolse_exchange")
"""The exchange of this task."""


class ResponseStream(httpx.AsyncByteStream):
    """The body of an answer, which holds its connection and its slot until it is closed."""

    def __init__(
        self, answer: aiohttp.ClientResponse, exchange: Exchange, held: AsyncExitStack
    ) -> None:
        self._answer = answer
        self._exchange = exchange
        self._held = held

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._exchange.aborted_on_error():
            async for piece in self._answer.content.iter_any():
                yield piece

    async def aclose(self) -> None:
        if self._exchange.sending or not self._answer.content.at_eof():
            self._exchange.abort()
        await self._held.aclose()


class RelayedBody(httpx.AsyncByteStream):
    """The body of an answer that came by another transport, and the slot that it holds."""

    def __init__(self, answer: httpcore.Response, held: AsyncExitStack) -> None:
        self._answer = answer
        self._held = held

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._answer.aiter_stream()

    async def aclose(self) -> None:
        await self._held.aclose()


async def _single(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _look_round() -> None:
    """Let the loop see what has come: an answer is heard before a write that finds nobody."""
    for _ in range(2):
        await asyncio.sleep(0)


def named(error: aiohttp.ClientError) -> httpx.TransportError:
    """The failure in httpx's words."""
    # aiohttp's own words are left out: they repeat the URL with its query.
    for theirs, ours in ERRORS:
        if isinstance(error, theirs):
            return ours("")
    return httpx.RemoteProtocolError("")


def root(error: BaseException | None) -> BaseException | None:
    """The error of the operating system or of TLS below those of aiohttp."""
    while isinstance(error, aiohttp.ClientError):
        error = error.__cause__
    return error
