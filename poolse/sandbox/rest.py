"""REST: the table of routes, and what is the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final, Literal, NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from poolse.sandbox import api, tokens
from poolse.sandbox.jsontext import JsonObject, dump, parse
from poolse.sandbox.refusals import Refusal, code_of, envelope
from poolse.sandbox.store import Store

__all__ = ["json_response", "refuse", "rest_app"]

Auth = Literal["user", "api key"]
Publish = Callable[[api.Event], None]


class Endpoint(NamedTuple):
    """One line of the table."""

    path: str
    method: str
    auth: Auth
    handle: Callable[[Store, api.Call], api.Answer]


ENDPOINTS: Final = (
    Endpoint("/v1/me", "GET", "user", api.show_me),
    Endpoint("/v1/conversations", "POST", "user", api.create_conversation),
    Endpoint("/v1/conversations/{id}/messages", "GET", "user", api.list_messages),
    Endpoint("/v1/conversations/{id}/messages", "POST", "user", api.send_message),
    Endpoint("/v1/users", "POST", "api key", api.create_user),
    Endpoint("/v1/users/{user_id}/tokens", "POST", "api key", api.create_token),
)


def rest_app(store: Store, publish: Publish) -> Starlette:
    """The REST half of the backend; `publish` is called with each event after its commit."""
    app = Starlette(
        routes=[*_routes(store, publish), Route("/socket/websocket", _not_a_websocket)],
        exception_handlers={
            Refusal: _on_refusal,
            HTTPException: _on_http_exception,
            Exception: _on_bug,
        },
    )
    app.router.redirect_slashes = False
    return app


def json_response(status: int, body: str, headers: dict[str, str] | None = None) -> Response:
    """An answer with a JSON text."""
    return Response(body, status, headers, "application/json")


def refuse(refusal: Refusal) -> Response:
    """A refusal as an answer."""
    body = envelope(refusal.code, refusal.message, refusal.details)
    return json_response(refusal.status, dump(body))


def _routes(store: Store, publish: Publish) -> Iterator[Route]:
    # One route per path, or the Allow header of a 405 would name the methods of the first only.
    for path, group in groupby(ENDPOINTS, lambda endpoint: endpoint.path):
        by_method = {endpoint.method: endpoint for endpoint in group}

        async def serve(request: Request, by_method: dict[str, Endpoint] = by_method) -> Response:
            endpoint = by_method["GET" if request.method == "HEAD" else request.method]
            return _answer(store, publish, endpoint, request, await request.body())

        yield Route(path, serve, methods=list(by_method))


def _answer(
    store: Store, publish: Publish, endpoint: Endpoint, request: Request, body: bytes
) -> Response:
    """Answer one request. There is no await in here, so that no other one comes in between."""
    tenant_id, user = _authenticate(store, endpoint.auth, request)
    key = request.headers.get("idempotency-key") if request.method != "GET" else None
    about = tenant_id, request.method, request.url.path, key or ""
    kept = store.answer(*about) if key else None
    if kept is not None:
        return json_response(kept["status"], kept["body"])
    content = _read_body(request, body)
    call = api.Call(tenant_id, user, request.path_params, request.query_params, content)
    with store.transaction():
        answer = endpoint.handle(store, call)
        text = dump(answer.body)
        if key:
            store.keep_answer(*about, answer.status, text)
    for event in answer.events:
        publish(event)
    return json_response(answer.status, text)


def _authenticate(store: Store, auth: Auth, request: Request) -> tuple[str, JsonObject]:
    """The tenant, and the user where the route wants one."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    secret = secret.strip() if scheme.lower() == "bearer" else ""
    if auth == "api key":
        tenant = store.tenant_of_key(secret)
        if tenant is None:
            raise Refusal("invalid_api_key", "the API key is missing or invalid")
        return tenant["id"], {}
    claims = tokens.read(secret, store.signing_key)
    user = store.user(claims.tenant_id, claims.user_id)
    if user is None:
        raise Refusal("invalid_user_token", "the token's user does not exist")
    return claims.tenant_id, user


def _read_body(request: Request, body: bytes) -> JsonObject:
    """The JSON object of the body; empty when there is no body."""
    if not body or request.method == "GET":
        return {}
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refusal("unsupported_media_type", "the body has to be application/json")
    try:
        value = parse(body)
    except ValueError as error:
        raise Refusal("bad_request", f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refusal("validation_failed", "the body has to be a JSON object")
    return value


async def _not_a_websocket(_request: Request) -> Response:
    return refuse(Refusal("bad_request", "this is a WebSocket endpoint"))


async def _on_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101  (it is registered for that type only)
    return refuse(error)


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = code_of(error.status_code)
    headers = dict(error.headers or {})
    return json_response(error.status_code, dump(envelope(code, error.detail)), headers)


async def _on_bug(_request: Request, _error: Exception) -> Response:
    return refuse(Refusal("internal_error", "the sandbox failed; its log says more"))
