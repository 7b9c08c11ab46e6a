"""How a fault is applied to one request, between the server and the application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poolse.sandbox.faults import CutDownload, CutUpload, Drip, Drop, Fail, Hang, Replacement
from poolse.sandbox.uvicorn_protocols import HttpConnection, connection_of, cut

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
            await app(scope, receive, _dripping(fault.interval, connection, send))
        case CutUpload():
            await app(scope, _cut_request(fault.after, connection, receive), send)
        case CutDownload():
            await app(scope, receive, _cut_response(fault.after, connection, send))


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


def _dripping(interval: float, connection: HttpConnection, send: Send) -> Send:
    """Return what sends a body one byte at a time."""

    async def drip(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        body: bytes = message.get("body", b"")
        for index in range(len(body)):
            byte = body[index : index + 1]
            await send({"type": "http.response.body", "body": byte, "more_body": True})
            if not await _unless_gone(connection, asyncio.sleep(interval)):
                return
        await send({**message, "body": b""})

    return drip


def _cut_request(after: int, connection: HttpConnection, receive: Receive) -> Receive:
    """Return what reads a body up to some byte."""
    left = after

    async def read() -> Message:
        nonlocal left
        if left > 0:
            message = await receive()
            left -= len(message.get("body", b""))
            if left > 0:
                return message
        await _cut(connection)
        return {"type": "http.disconnect"}

    return read


def _cut_response(after: int, connection: HttpConnection, send: Send) -> Send:
    """Return what sends a body up to some byte. That much arrives; then the connection ends."""
    left = after

    async def write(message: Message) -> None:
        nonlocal left
        if message["type"] != "http.response.body":
            await send(message)
            return
        body: bytes = message.get("body", b"")[:left]
        left -= len(body)
        await send({**message, "body": body, "more_body": True})
        if left <= 0 or not message.get("more_body", False):
            connection.transport.close()
            await connection.gone.wait()

    return write


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
    """Discard a response that is not sent."""
