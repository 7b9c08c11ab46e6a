"""What every request passes first: the journal, its id, and the faults that are armed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poolse.sandbox.connections import connection_of
from poolse.sandbox.faults import Drip, Drop, Fail, Faults, Hang
from poolse.sandbox.journal import Journal, Request
from poolse.sandbox.jsontext import dump
from poolse.sandbox.refusals import envelope
from poolse.sandbox.rest import json_response

__all__ = ["Front", "as_request"]


class Front:
    """The ASGI application: WebSockets go one way, requests the other."""

    def __init__(self, rest: ASGIApp, sockets: ASGIApp, faults: Faults, journal: Journal) -> None:
        self._rest = rest
        self._sockets = sockets
        self._faults = faults
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one WebSocket from its handshake to its end."""
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send)
            return
        body = await _read_body(receive)
        if body is not None:
            await self._serve(scope, body, receive, send)

    async def _serve(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        request = as_request(scope, body)
        fault = self._faults.take(scope["path"])
        self._journal.request(request)

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                tag = (b"x-request-id", str(uuid.uuid4()).encode())
                message = {**message, "headers": [*message["headers"], tag]}
                self._journal.answered(request, message["status"])
            await send(message)

        match fault:
            case Fail():
                await _failure(fault)(scope, replay, tagged)
            case Drop():
                if fault.executed:
                    await self._rest(scope, replay, _nowhere)
                await _cut(scope, receive)
            case Hang():
                if await _unless_gone(receive, fault.released.wait()):
                    await self._rest(scope, replay, tagged)
            case Drip():
                await self._rest(scope, replay, _Dripping(fault.interval, receive, tagged))
            case None:
                await self._rest(scope, replay, tagged)
        if request.status is None:
            self._journal.cut(request)


def as_request(scope: Scope, body: bytes = b"") -> Request:
    """What came, for the journal."""
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    return Request(
        method=scope.get("method", "GET"),
        path=(scope["raw_path"] + query).decode("ascii", "replace"),
        headers={name.decode(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


class _Dripping:
    """Sends a body one byte at a time."""

    def __init__(self, interval: float, receive: Receive, send: Send) -> None:
        self._interval = interval
        self._receive = receive
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        body: bytes = message.get("body", b"")
        for index in range(len(body)):
            byte = body[index : index + 1]
            await self._send({"type": "http.response.body", "body": byte, "more_body": True})
            if not await _unless_gone(self._receive, asyncio.sleep(self._interval)):
                return
        await self._send({**message, "body": b""})


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or None when the client went away meanwhile."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _failure(fault: Fail) -> ASGIApp:
    headers = {} if fault.retry_after is None else {"retry-after": f"{fault.retry_after:g}"}
    body = envelope(fault.code, f"the sandbox was told to answer {fault.status}")
    return json_response(fault.status, dump(body), headers)


async def _cut(scope: Scope, receive: Receive) -> None:
    connection_of(scope).transport.abort()
    # uvicorn takes an application that returns before the connection is gone for a broken one.
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unless_gone(receive: Receive, wanted: Coroutine[Any, Any, object]) -> bool:
    """Wait for something; False when the client went away before."""
    gone = asyncio.ensure_future(receive())
    waiting = asyncio.ensure_future(wanted)
    try:
        await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.done()
    finally:
        gone.cancel()
        waiting.cancel()
        await asyncio.gather(gone, waiting, return_exceptions=True)


async def _nowhere(_message: Message) -> None:
    """Take an answer that nobody is going to get."""
