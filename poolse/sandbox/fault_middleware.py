"""How a fault is applied to one request, between the server and the application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import attrs
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poolse.sandbox.connections import HttpConnection, connection_of, cut
from poolse.sandbox.faults import CutDownload, CutUpload, Drip, Drop, Fail, Hang, Replacement

__all__ = ["Refuse", "apply_fault", "delayed"]

Refuse = Callable[[Fail], Response]
"""Returns the response of a `Fail`, in the format of the application behind it."""


async def apply_fault(
    fault: Replacement | None,
    app: ASGIApp,
    refuse: Refuse,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Serve one request with a fault."""
    connection = connection_of(scope)
    match fault:
        case None:
            await app(scope, receive, send)
        case Fail():
            await refuse(fault)(scope, receive, send)
        case Drop():
            if fault.executed:
                await app(scope, receive, _discard)
            await _cut(connection)
        case Hang():
            if await _unless_gone(connection, fault.released.wait()):
                await app(scope, receive, send)
        case Drip():
            await app(scope, receive, _Drip(connection, send, fault.interval))
        case CutUpload():
            await app(scope, _CutRequest(fault.after, connection, receive), send)
        case CutDownload():
            await app(scope, receive, _CutResponse(connection, send, fault.after))


def delayed(seconds: float, scope: Scope, send: Send) -> Send:
    """Return what sends a response later, unless the client is gone by then."""
    if seconds <= 0:
        return send
    connection = connection_of(scope)

    async def later(message: Message) -> None:
        if message["type"] == "http.response.start":
            await _unless_gone(connection, asyncio.sleep(seconds))
        if not connection.gone.is_set():
            await send(message)

    return later


@attrs.define(eq=False)
class _BodySender:
    """Sends the head of a response as it is, and its body otherwise."""

    _connection: HttpConnection
    _send: Send

    async def __call__(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            await self._send(message)
        else:
            await self._send_body(message, message.get("body", b""))

    async def _send_body(self, message: Message, body: bytes) -> None:
        raise NotImplementedError


@attrs.define(eq=False)
class _Drip(_BodySender):
    """Sends a body one byte at a time."""

    _interval: float

    async def _send_body(self, message: Message, body: bytes) -> None:
        for index in range(len(body)):
            byte = body[index : index + 1]
            await self._send({"type": "http.response.body", "body": byte, "more_body": True})
            if not await _unless_gone(self._connection, asyncio.sleep(self._interval)):
                return
        await self._send({**message, "body": b""})


class _CutRequest:
    """Reads a body up to some byte."""

    def __init__(self, after: int, connection: HttpConnection, receive: Receive) -> None:
        self._left = after
        self._connection = connection
        self._receive = receive

    async def __call__(self) -> Message:
        if self._left > 0:
            message = await self._receive()
            self._left -= len(message.get("body", b""))
            if self._left > 0:
                return message
        await _cut(self._connection)
        return {"type": "http.disconnect"}


@attrs.define(eq=False)
class _CutResponse(_BodySender):
    """Sends a body up to some byte. What was sent arrives; then the connection ends."""

    _left: int

    async def _send_body(self, message: Message, body: bytes) -> None:
        body = body[: self._left]
        self._left -= len(body)
        await self._send({**message, "body": body, "more_body": True})
        if self._left <= 0 or not message.get("more_body", False):
            self._connection.transport.close()
            await self._connection.gone.wait()


async def _cut(connection: HttpConnection) -> None:
    cut(connection)
    # uvicorn takes an application that returns before the connection is gone for a broken one.
    await connection.gone.wait()


async def _unless_gone(connection: HttpConnection, wanted: Coroutine[Any, Any, object]) -> bool:
    """Wait for something; False when the client went away before."""
    gone = asyncio.ensure_future(connection.gone.wait())
    waiting = asyncio.ensure_future(wanted)
    try:
        await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.done()
    finally:
        gone.cancel()
        waiting.cancel()
        await asyncio.gather(gone, waiting, return_exceptions=True)


async def _discard(_message: Message) -> None:
    """Discard a response that nobody gets."""
