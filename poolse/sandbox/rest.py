"""REST: what is the same for all routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from poolse.sandbox import issued_tokens, rules
from poolse.sandbox.api.call import Call, Effect
from poolse.sandbox.api_filter import ApiFilter
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

    def __init__(self, store: Store, publish: Callable[[Effect], None]) -> None:
        """Take what it stands on; `publish` is called with each effect after its commit."""
        self._store = store
        self._filter = ApiFilter(store.options.api)
        self._publish = publish

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        body = await request.body()
        try:
            response = self._respond(request, body)
        except ApiRefusal as refusal:
            response = _refuse(refusal)
        except Exception:
            # The server logs what is raised, but not before there is a response.
            bug = ApiRefusal("internal_error", "the sandbox failed; its log says more")
            await _refuse(bug)(scope, receive, send)
            raise
        await response(scope, receive, send)

    def _respond(self, request: Request, body: bytes) -> Response:
        """Respond to one request. Without any await, so that no other request comes in between."""
        path = request.scope["raw_path"].decode("latin-1")
        if path == "/socket/websocket":
            raise ApiRefusal("bad_request", "this is a WebSocket endpoint")
        route = match(request.method, path, self._filter)
        tenant_id, user = self._authenticate(route.endpoint.auth, request)
        if route.endpoint.auth == "user" and route.endpoint.path != "/v1/me":
            rules.check_not_blocked(user)
        key = _key(tenant_id, request, path)
        kept = None if key is None else self._store.kept_response(key)
        if kept is not None:
            return json_response(kept["status"], kept["body"])
        return self._execute(route, self._call(tenant_id, user, route, request, body), key)

    def _execute(self, route: Match, call: Call, key: IdempotencyKey | None) -> Response:
        with self._store.transaction():
            endpoint = route.endpoint
            result = endpoint.handle(self._store, call)
            shown = self._filter.response(
                endpoint.method, endpoint.path, result.status, result.body
            )
            text = "" if shown is None else dump(shown)
            if key is not None:
                self._store.keep_response(key, result.status, text)
        for effect in result.effects:
            self._publish(effect)
        return json_response(result.status, text)

    def _call(
        self, tenant_id: str, user: JsonObject, route: Match, request: Request, body: bytes
    ) -> Call:
        """Return the request validated by the spec, or raise `ApiRefusal`."""
        # Loaded by the first request: it takes longer than all the rest of the start.
        from poolse.sandbox.spec import operation

        spec = operation(route.endpoint.method, route.endpoint.path, self._filter.version)
        spec.check_path(route.path)
        query = spec.read_query(request.query_params)
        content = _read_body(spec, request, body)
        token = _credential(request)
        return Call(tenant_id, user, token, route.path, query, content, requested_url(request))

    def _authenticate(self, auth: Auth, request: Request) -> tuple[str, JsonObject]:
        """Return the tenant, and the user where the route wants one."""
        secret = _credential(request)
        if auth == "api key":
            tenant = self._store.tenant_of_key(secret)
            if tenant is None:
                raise ApiRefusal("invalid_api_key", "the API key is missing or invalid")
            return tenant["id"], {}
        claims = issued_tokens.read(secret, self._store.signing_key, self._store.clock.now())
        user = self._store.user(claims.tenant_id, claims.user_id)
        if user is None:
            raise ApiRefusal("invalid_user_token", "the token's user does not exist")
        return claims.tenant_id, user


def json_response(status: int, body: str, headers: dict[str, str] | None = None) -> Response:
    """Return a response with a JSON text, or without a body if that is empty."""
    return Response(body, status, headers, "application/json" if body else None)


def _refuse(refusal: ApiRefusal) -> Response:
    body = envelope(refusal.code, refusal.message, refusal.details)
    return json_response(refusal.status, dump(body), refusal.headers)


def _key(tenant_id: str, request: Request, path: str) -> IdempotencyKey | None:
    """Return what the response is kept by, if it is to be kept."""
    if request.method in {"GET", "HEAD"}:
        return None
    key = request.headers.get("idempotency-key")
    return IdempotencyKey(tenant_id, request.method, path, key) if key else None


def _credential(request: Request) -> str:
    """Return the token or the API key of a request; empty when there is none."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _read_body(spec: Operation, request: Request, body: bytes) -> JsonObject:
    """Return the JSON object of the body; empty where none is wanted."""
    if spec.body is None:
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
    spec.check_body(value)
    return value
