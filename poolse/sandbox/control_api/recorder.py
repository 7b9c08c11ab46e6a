"""Writes the traffic of an ASGI application down, without changing it."""

from __future__ import annotations

import time
from itertools import count
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poolse.sandbox import frames
from poolse.sandbox.control_api.traffic import Entry, Part, Traffic

__all__ = ["Recorder"]


class Recorder:
    """The application, recorded."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic
        self._sockets = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        entry = _entry("request", scope)
        entry.method = scope["method"]
        start = time.monotonic()
        complete = False
        self._traffic.add(entry)

        async def read() -> Message:
            message = await receive()
            entry.request_body.add(message.get("body", b""))
            return message

        async def write(message: Message) -> None:
            nonlocal complete
            if message["type"] == "http.response.start":
                entry.status, entry.response_headers = message["status"], list(message["headers"])
            else:
                entry.response_body.add(message.get("body", b""))
                complete = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, read, write)
        finally:
            entry.seconds = time.monotonic() - start
            entry.cut = not complete
            self._traffic.update(entry)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        handshake = _entry("handshake", scope)
        handshake.socket = next(self._sockets)
        start = time.monotonic()
        self._traffic.add(handshake)

        async def read() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                text: str | None = message.get("text")
                self._frame("received", handshake, message["bytes"] if text is None else text)
            return message

        async def write(message: Message) -> None:
            status = _status(message)
            if message["type"] == "websocket.send":
                self._frame("sent", handshake, message["text"])
            elif handshake.status is None and status is not None:
                handshake.status, handshake.seconds = status, time.monotonic() - start
                handshake.response_headers = list(message.get("headers", ()))
                self._traffic.update(handshake)
            await send(message)

        try:
            await self._app(scope, read, write)
        finally:
            if handshake.status is None:
                handshake.cut = True
                self._traffic.update(handshake)

    def _frame(
        self, kind: Literal["received", "sent"], handshake: Entry, data: str | bytes
    ) -> None:
        entry = Entry(kind, frame=Part(data), socket=handshake.socket, handshake=handshake)
        if entry.frame.truncated:
            entry.topic, entry.event = _names(data)
        self._traffic.add(entry)


def _entry(kind: Literal["request", "handshake"], scope: Scope) -> Entry:
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    return Entry(
        kind,
        path=scope["raw_path"] + query,
        http_version=scope["http_version"],
        scheme=scope["scheme"],
        request_headers=scope["headers"],
        request_body=Part(),
        response_body=Part(),
    )


def _status(message: Message) -> int | None:
    """Return the HTTP status of a handshake that a message ends."""
    match message["type"]:
        case "websocket.accept":
            return 101
        case "websocket.http.response.start":
            return int(message["status"])
        case "websocket.close":
            return 403
        case _:
            return None


def _names(data: str | bytes) -> tuple[str | None, str | None]:
    """Return the topic and the event of a frame, if it is one."""
    try:
        frame = frames.decode(data)
    except frames.BadFrame:
        return None, None
    return frame.topic, frame.event
