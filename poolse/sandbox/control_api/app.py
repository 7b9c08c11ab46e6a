"""The ASGI application of control and of its page."""

from __future__ import annotations

from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poolse.sandbox.control_api.call import Call, Service
from poolse.sandbox.control_api.checks import read_body, read_query
from poolse.sandbox.control_api.guards import check_content_type, check_visitor
from poolse.sandbox.errors import ApiRefusal, envelope
from poolse.sandbox.path_matching import match_route
from poolse.sandbox.rest import json_response
from poolse.sandbox.strict_json import dump

__all__ = ["ControlApp"]

_LARGEST_BODY: Final = 8_000_000

_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
)
"""Sent with every response: no page of another origin may embed it."""


class ControlApp:
    """Serves control, to those who may use it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        try:
            response = await self._respond(scope, receive)
        except ApiRefusal as refusal:
            response = _refuse(refusal)
        except ClientDisconnect:
            return
        except Exception:
            # The server logs what is raised, but not before there is a response.
            bug = ApiRefusal("internal_error", "the sandbox failed; its log says more")
            await _refuse(bug)(scope, receive, protected)
            raise
        await response(scope, receive, protected)

    async def _respond(self, scope: Scope, receive: Receive) -> ASGIApp:
        check_visitor(scope, self._service.settings)
        path = scope["raw_path"].decode("latin-1")
        route, values = match_route(self._service.routes, scope["method"], path)
        request = Request(scope, receive)
        query = read_query(route.query, request.query_params)
        body = await _body(request)
        content = {} if route.body is None else read_body(route.body, body)
        return await route.handle(Call(self._service, scope, values, query, content))


async def _body(request: Request) -> bytes:
    """Return the body; refuse one that is not JSON, or too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise ApiRefusal("bad_request", f"the body is larger than {_LARGEST_BODY} bytes")
    if body:
        check_content_type(request.scope)
    return bytes(body)


def _refuse(refusal: ApiRefusal) -> ASGIApp:
    body = envelope(refusal.code, refusal.message, refusal.details)
    return json_response(refusal.status, dump(body), refusal.headers)
