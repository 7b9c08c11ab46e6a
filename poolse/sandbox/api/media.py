"""The routes of what calls are carried by: ICE servers, and tokens for LiveKit."""

from __future__ import annotations

from poolse.sandbox import issued_tokens, rules
from poolse.sandbox.api.call import Call, Result, conversation_of
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = ["create_call_token", "list_ice_servers"]


def list_ice_servers(store: Store, _call: Call) -> Result:
    """GET /v1/ice-servers."""
    servers = [*store.options.ice_servers]
    return Result(200, {"ice_servers": servers, "ttl_seconds": rules.ICE_LIFETIME})


def create_call_token(store: Store, call: Call) -> Result:
    """POST /v1/conversations/:id/call-token; 503 when there is no LiveKit server."""
    row, _ = conversation_of(store, call)
    url, key = store.options.livekit_url, store.signing_key(call.tenant_id)
    if url is None or key is None:
        raise ApiRefusal("service_unavailable", "the service has no LiveKit server")
    # With the key of the tenant's other tokens, which no LiveKit server knows.
    claims = issued_tokens.Claims(call.user_id, call.tenant_id)
    token, end = issued_tokens.mint(claims, rules.TOKEN_LIFETIME, key, store.clock.now())
    connection: JsonObject = {"url": url, "token": token, "room": str(row["id"]), "expires_at": end}
    return Result(200, connection)
