"""The signed-in user, and the two routes that take the API key."""

from __future__ import annotations

from datetime import UTC, datetime

from poolse.sandbox import issued_tokens, request_arguments, rules
from poolse.sandbox.api.call import Call, Result
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.store import Store

__all__ = ["create_token", "create_user", "show_me"]


def show_me(_store: Store, call: Call) -> Result:
    """GET /v1/me."""
    return Result(200, call.user)


def create_user(store: Store, call: Call) -> Result:
    """POST /v1/users; an external id that is known gives its user as it is."""
    new = request_arguments.new_user(call.body)
    known = store.user_named(call.tenant_id, new.external_id)
    if known is not None:
        return Result(200, known)
    return Result(201, store.add_user(call.tenant_id, new))


def create_token(store: Store, call: Call) -> Result:
    """POST /v1/users/:user_id/tokens."""
    user_id = call.id("user_id")
    key = store.signing_key(call.tenant_id)
    if key is None or store.user(call.tenant_id, user_id) is None:
        raise ApiRefusal("not_found", "no such user")
    claims = issued_tokens.Claims(user_id, call.tenant_id)
    token, end = issued_tokens.mint(claims, rules.TOKEN_LIFETIME, key, store.clock.now())
    return Result(201, {"token": token, "expires_at": f"{datetime.fromtimestamp(end, UTC):%FT%TZ}"})
