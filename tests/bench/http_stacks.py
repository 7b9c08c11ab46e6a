"""The async HTTP stacks that were to choose from, behind one interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import httpcore
import httpx

from poolse._http.async_sender import AsyncSender
from poolse._rest.http_messages import Request
from poolse.options import Timeout

__all__ = ["IMPORTS", "STACKS", "Stack"]


class Stack(Protocol):
    """A client of one of them."""

    async def get(self, url: str) -> object: ...
    async def aclose(self) -> None: ...


def bare_httpx(size: int | None) -> Stack:
    if size is None:
        return httpx.AsyncClient()
    return httpx.AsyncClient(limits=httpx.Limits(max_connections=size))


def bare_httpx2(size: int | None) -> Stack:
    import httpx2

    if size is None:
        return httpx2.AsyncClient()
    return httpx2.AsyncClient(limits=httpx2.Limits(max_connections=size))


def httpx_aiohttp(size: int | None) -> Stack:
    from httpx_aiohttp import HttpxAiohttpClient

    if size is None:
        return HttpxAiohttpClient()
    return HttpxAiohttpClient(limits=httpx.Limits(max_connections=size))


class Ours:
    """What the library does."""

    def __init__(self, size: int | None) -> None:
        self._sender = AsyncSender(max_connections=size or 100)
        self._timeout = Timeout()

    async def get(self, url: str) -> object:
        return await self._sender.send(Request.to("GET", url, [], None), self._timeout, None)

    async def aclose(self) -> None:
        await self._sender.aclose()


class HttpcorePool(httpx.AsyncBaseTransport):
    """Single connections of httpcore, the pool around them our own.

    It knows no proxy: those connections of httpcore that go through one are not public.
    """

    def __init__(self, size: int) -> None:
        self._slots = asyncio.Semaphore(size)
        self._idle: list[httpcore.AsyncHTTPConnection] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        async with self._slots:
            connection = await self._connection(url)
            sent = httpcore.Request(
                request.method,
                url,
                headers=request.headers.raw,
                content=await request.aread(),
                extensions=request.extensions,
            )
            try:
                answer = await connection.handle_async_request(sent)
                try:
                    content = await answer.aread()
                finally:
                    await answer.aclose()
            finally:
                if connection.is_idle():
                    self._idle.append(connection)
        return httpx.Response(answer.status, headers=answer.headers, content=content)

    async def _connection(self, url: httpcore.URL) -> httpcore.AsyncHTTPConnection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            url.origin,
            network_backend=httpcore.AnyIOBackend(),  # pyright: ignore[reportArgumentType]
        )

    async def aclose(self) -> None:
        for connection in self._idle:
            await connection.aclose()


def httpcore_connections(size: int | None) -> Stack:
    return httpx.AsyncClient(transport=HttpcorePool(size or 100))


class BareAiohttp:
    """The floor: aiohttp's own API, nothing of httpx."""

    def __init__(self, size: int | None) -> None:
        import aiohttp

        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=size or 100))

    async def get(self, url: str) -> object:
        async with self._session.get(url) as answer:
            return await answer.read()

    async def aclose(self) -> None:
        await self._session.close()


STACKS: dict[str, Callable[[int | None], Stack]] = {
    "httpx": bare_httpx,
    "httpx2": bare_httpx2,
    "httpx-aiohttp": httpx_aiohttp,
    "ours over httpcore connections": httpcore_connections,
    "ours over aiohttp": Ours,
    "aiohttp alone": BareAiohttp,
}
"""The argument is the size of the pool, None for the default: 100 connections."""

IMPORTS: dict[str, str] = {
    "httpx": "httpx, httpcore, anyio",
    "httpx2": "httpx2, httpcore2, anyio",
    "httpx-aiohttp": "httpx_aiohttp",
    "ours over httpcore connections": "httpx, httpcore, anyio",
    "ours over aiohttp": "httpx, poolse._http.async_transport",
    "aiohttp alone": "aiohttp",
}
