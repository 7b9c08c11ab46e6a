"""What every request passes first: CORS, its ID, the request log, and the faults that are armed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poolse.sandbox import fault_middleware, object_storage
from poolse.sandbox.clock import Clock
from poolse.sandbox.errors import envelope
from poolse.sandbox.fault_middleware import Refuse
from poolse.sandbox.faults import Fail, Faults, SelectedFaults
from poolse.sandbox.request_log import Request, RequestLog
from poolse.sandbox.rest import json_response
from poolse.sandbox.strict_json import dump

__all__ = ["Middleware", "allow_origins", "as_request"]

_METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_REQUEST_HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-Range", "Range")
_RESPONSE_HEADERS: Final = (
    "Accept-Ranges",
    "Content-Range",
    "ETag",
    "Retry-After",
    "X-Request-Id",
)
_MAX_AGE: Final = 600
"""Seconds that a browser may remember the response to a preflight."""
_HEADERS: Final = 1_000
"""Headers that are remembered, as they are kept in the request log."""


def allow_origins(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Wrap an application so that pages of these origins may call it and read its responses.

    `*` is every origin. Preflights are answered here and never reach the application. Credentials
    in the sense of CORS (cookies) are not allowed: tokens travel in a header.
    """
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_RESPONSE_HEADERS,
        max_age=_MAX_AGE,
    )


class Route(NamedTuple):
    """Where requests go, and the format of errors there."""

    app: ASGIApp
    refuse: Refuse


class Middleware:
    """The ASGI application: WebSockets, files and all other requests go their ways."""

    def __init__(
        self,
        rest: ASGIApp,
        files: ASGIApp,
        sockets: ASGIApp,
        faults: Faults,
        log: RequestLog,
        clock: Clock,
    ) -> None:
        self._rest = Route(rest, _in_json)
        self._files = Route(files, _in_xml)
        self._sockets = sockets
        self._faults = faults
        self._log = log
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one WebSocket from its handshake to its end."""
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send)
            return
        request = as_request(scope)
        if scope["path"].startswith(object_storage.PREFIX):
            await self._serve(self._files, request, scope, _counted(request, receive), send)
        elif await _read_body(request, receive):
            await self._serve(self._rest, request, scope, _replayed(request, receive), send)

    async def _serve(
        self, route: Route, request: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        has_key = "idempotency-key" in request.headers
        selected = self._faults.select(scope["method"], scope["path"], has_key=has_key)
        self._log.request(request)

        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                tag = (b"x-request-id", str(uuid.uuid4()).encode())
                date = (b"date", formatdate(self._clock.now(), usegmt=True).encode())
                message = {**message, "headers": [*message["headers"], tag, date]}
                self._log.responded(request, message["status"])
            await send(message)

        send_later = fault_middleware.delayed(selected.latency, scope, tagged)
        scope = _altered(selected, scope)
        await fault_middleware.apply_fault(
            selected.replacement, route.app, route.refuse, scope, receive, send_later
        )
        if request.status is None:
            self._log.cut(request)


def as_request(scope: Scope) -> Request:
    """Return the entry of a request for the log, without its body."""
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    return Request(
        method=scope.get("method", "GET"),
        path=(scope["raw_path"] + query).decode("ascii", "replace"),
        headers=dict(_header(name, value) for name, value in scope["headers"]),
    )


@lru_cache(_HEADERS)
def _header(name: bytes, value: bytes) -> tuple[str, str]:
    """Return a header as text. Requests of one client share most of theirs."""
    return name.decode(), value.decode("latin-1")


def _altered(selected: SelectedFaults, scope: Scope) -> Scope:
    """Return the request as the application gets to see it."""
    if selected.key_ignored:
        kept = [header for header in scope["headers"] if header[0] != b"idempotency-key"]
        scope = {**scope, "headers": kept}
    if selected.page_cap is not None:
        scope = {**scope, "query_string": _capped(scope["query_string"], selected.page_cap)}
    return scope


def _capped(query: bytes, cap: int) -> bytes:
    """Return the query string of a page, with a limit that is at most the cap."""
    values = dict(parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True))
    asked = values.get("limit", str(cap))
    if asked.isdecimal():
        # Python refuses to read numbers of some thousand digits.
        values["limit"] = str(min(int(asked[:18]), cap))
    return urlencode(values).encode()


async def _read_body(request: Request, receive: Receive) -> bool:
    """Read the whole body; False when the client went away meanwhile."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            request.body = b"".join(chunks)
            request.size = len(request.body)
            return True


def _replayed(request: Request, receive: Receive) -> Receive:
    """Gives the body that was read, and then what else comes."""
    bodies = [request.body]

    async def replay() -> Message:
        if not bodies:
            return await receive()
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    return replay


def _counted(request: Request, receive: Receive) -> Receive:
    """Gives a body piece by piece, so that none is ever held as a whole."""

    async def count() -> Message:
        message = await receive()
        request.size += len(message.get("body", b""))
        return message

    return count


def _in_json(fault: Fail) -> Response:
    body = dump(envelope(fault.code, fault.message))
    return json_response(fault.status, body, _retry_after(fault))


def _in_xml(fault: Fail) -> Response:
    code = "".join(word.capitalize() for word in fault.code.split("_"))
    return object_storage.xml_error(fault.status, code, fault.message, _retry_after(fault))


def _retry_after(fault: Fail) -> dict[str, str]:
    if fault.retry_after is None:
        return {}
    # Not `:g`, which writes a million and more with an exponent.
    return {"retry-after": f"{fault.retry_after:f}".rstrip("0").rstrip(".")}
