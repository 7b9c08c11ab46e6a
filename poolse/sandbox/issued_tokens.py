"""End-user tokens: HS256 JWTs with `sub`, `tenant_id` and `exp`.

Written out here because the usual library loads all of `cryptography`, a third of a cold start.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.strict_json import JsonObject, dump, parse

__all__ = ["Claims", "mint", "read", "read_expired"]

_HEADER: JsonObject = {"alg": "HS256", "typ": "JWT"}

_ALWAYS: Final = (1_767_225_600, 4_102_444_800)
"""2026 to 2100, the life of a token without an end."""


@dataclass(frozen=True)
class Claims:
    """The user of a token."""

    user_id: str
    tenant_id: str


def mint(claims: Claims, lifetime: float, key: str, now: float) -> tuple[str, int]:
    """Return a token and its expiry as Unix time; with a negative lifetime it has expired.

    With an infinite lifetime it is always the same token, whatever the time is.
    """
    start, end = _ALWAYS
    if math.isfinite(lifetime):
        # Whole seconds, as real issuers write them; rounded up, or a short life could be none.
        start, end = int(now), math.ceil(now + lifetime)
    payload: JsonObject = {
        "sub": claims.user_id,
        "tenant_id": claims.tenant_id,
        "iat": start,
        "exp": end,
    }
    signed = f"{_encode(dump(_HEADER).encode())}.{_encode(dump(payload).encode())}"
    return f"{signed}.{_encode(_signature(signed, key))}", end


def read(token: str, key_of: Callable[[str], str | None], now: float) -> Claims:
    """Return the claims of a token; `key_of` returns the signing key of a tenant, or None.

    Raises:
        ApiRefusal: `invalid_user_token`, when it is not ours or has ended.
    """
    claims, end = _verified(token, key_of)
    if end <= now:
        raise ApiRefusal("invalid_user_token", "the token has expired")
    return claims


def read_expired(token: str, key_of: Callable[[str], str | None]) -> Claims | None:
    """Return the claims of a token that we have signed, even if it has ended; None for others."""
    try:
        return _verified(token, key_of)[0]
    except ApiRefusal:
        return None


def _verified(token: str, key_of: Callable[[str], str | None]) -> tuple[Claims, float]:
    """Return the claims and the expiry of a token that we have signed."""
    signed, _, signature = token.rpartition(".")
    try:
        header, payload = (parse(_decode(part)) for part in signed.split("."))
        actual = _decode(signature)
    except ValueError:
        raise _invalid() from None
    match header, payload:
        case {"alg": "HS256"}, {"sub": str(user), "tenant_id": str(tenant), "exp": int() as end}:
            key = key_of(tenant)
        case _:
            raise _invalid()
    if key is None or not hmac.compare_digest(actual, _signature(signed, key)):
        raise _invalid()
    return Claims(user, tenant), end


def _invalid() -> ApiRefusal:
    return ApiRefusal("invalid_user_token", "the token is missing or invalid")


def _signature(signed: str, key: str) -> bytes:
    return hmac.digest(key.encode(), signed.encode(), hashlib.sha256)


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), "-_", validate=True)
