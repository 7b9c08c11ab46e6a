"""REST: what is the same for all routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from poolse.sandbox import rules, tokens
from poolse.sandbox.api.call import Call, Event, Eviction
from poolse.sandbox.errors import ApiRefusal, envelope
from poolse.sandbox.routes import Auth, Match, match
from poolse.sandbox.store import Store
from poolse.sandbox.store.idempotency import IdempotencyKey
from poolse.sandbox.strict_json import JsonObject, dump, parse
from poolse.sandbox.urls import requested_url

if TYPE_CHECKING:
    from poolse.sandbox.spec import Operation

__all__ = ["Rest", "json_response"]


class Rest:
    """The REST half of the backend, an ASGI application."""

    def __init__(self, store: Store, publish: Callable[[Event | Eviction], None]) -> None:
        """Take what it stands on; `publish` is called with each effect after its commit."""
        self._store = store
        self._publish = publish

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        body = await request.body()
        try:
            response = self._answer(request, body)
        except ApiRefusal as refusal:
            response = _refuse(refusal)
        except Exception:
            # The server logs what is raised, but not before there is an answer.
            bug = ApiRefusal("internal_error", "the sandbox failed; its log says more")
            await _refuse(bug)(scope, receive, send)
            raise
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Response:
        """Answer one request. There is no await in here, so that no other one comes in between."""
        path = request.scope["raw_path"].decode("latin-1")
        if path == "/socket/websocket":
            raise ApiRefusal("bad_request", "this is a WebSocket endpoint")
        found = match(request.method, path)
        tenant_id, user = self._authenticate(found.endpoint.auth, request)
        if found.endpoint.auth == "user" and found.endpoint.path != "/v1/me":
            rules.check_not_blocked(user)
        key = _key(tenant_id, request, path)
        kept = None if key is None else self._store.answer(key)
        if kept is not None:
            return json_response(kept["status"], kept["body"])
        return self._carry_out(found, _call(tenant_id, user, found, request, body), key)

    def _carry_out(self, found: Match, call: Call, key: IdempotencyKey | None) -> Response:
        with self._store.transaction():
            answer = found.endpoint.handle(self._store, call)
            text = "" if answer.body is None else dump(answer.body)
            if key is not None:
                self._store.keep_answer(key, answer.status, text)
        for effect in answer.effects:
            self._publish(effect)
        return json_response(answer.status, text)

    def _authenticate(self, auth: Auth, request: Request) -> tuple[str, JsonObject]:
        """The tenant, and the user where the route wants one."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        secret = secret.strip() if scheme.lower() == "bearer" else ""
        if auth == "api key":
            tenant = self._store.tenant_of_key(secret)
            if tenant is None:
                raise ApiRefusal("invalid_api_key", "the API key is missing or invalid")
            return tenant["id"], {}
        claims = tokens.read(secret, self._store.signing_key, self._store.clock.now())
        user = self._store.user(claims.tenant_id, claims.user_id)
        if user is None:
            raise ApiRefusal("invalid_user_token", "the token's user does not exist")
        return claims.tenant_id, user


def json_response(status: int, body: str, headers: dict[str, str] | None = None) -> Response:
    """An answer with a JSON text, or without a body when that is empty."""
    return Response(body, status, headers, "application/json" if body else None)


def _refuse(refusal: ApiRefusal) -> Response:
    body = envelope(refusal.code, refusal.message, refusal.details)
    return json_response(refusal.status, dump(body), refusal.headers)


def _key(tenant_id: str, request: Request, path: str) -> IdempotencyKey | None:
    """What the answer is kept by, when it is to be kept."""
    if request.method in {"GET", "HEAD"}:
        return None
    key = request.headers.get("idempotency-key")
    return IdempotencyKey(tenant_id, request.method, path, key) if key else None


def _call(tenant_id: str, user: JsonObject, found: Match, request: Request, body: bytes) -> Call:
    """The request as the spec wants it, or a `ApiRefusal`."""
    # Loaded by the first request: what checks schemas takes longer than all the rest of the start.
    from poolse.sandbox.spec import operation

    told = operation(found.endpoint.method, found.endpoint.path)
    told.check_path(found.path)
    query = told.read_query(request.query_params)
    content = _read_body(told, request, body)
    return Call(tenant_id, user, found.path, query, content, requested_url(request))


def _read_body(told: Operation, request: Request, body: bytes) -> JsonObject:
    """The JSON object of the body; empty where none is wanted."""
    if told.body is None:
        return {}
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and content_type != "application/json":
        raise ApiRefusal("unsupported_media_type", "the body has to be application/json")
    try:
        value = parse(body) if body else None
    except ValueError as error:
        raise ApiRefusal("bad_request", f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ApiRefusal("validation_failed", "the body has to be a JSON object")
    told.check_body(value)
    return value
