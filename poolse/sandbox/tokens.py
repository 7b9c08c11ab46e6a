"""End-user tokens: HS256 JWTs with `sub`, `tenant_id` and `exp`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import jwt

from poolse.sandbox.refusals import Refusal

__all__ = ["Claims", "mint", "read"]

_CLAIMS = ["sub", "tenant_id", "exp"]


@dataclass(frozen=True)
class Claims:
    """Whom a token stands for."""

    user_id: str
    tenant_id: str


def mint(claims: Claims, lifetime: float, key: str) -> tuple[str, int]:
    """A token and the unix time at which it ends; a negative lifetime makes one that has ended."""
    now = time.time()
    # Whole seconds, as real issuers write them; rounded up, or a short life could be none at all.
    end = math.ceil(now + lifetime)
    payload = {
        "sub": claims.user_id,
        "tenant_id": claims.tenant_id,
        "iat": int(now),
        "exp": end,
    }
    return jwt.encode(payload, key, algorithm="HS256"), end


def read(token: str, key_of: Callable[[str], str | None]) -> Claims:
    """Whom the token stands for; `key_of` gives the signing key of a tenant, or None.

    Raises:
        Refusal: `invalid_user_token`, when it is not ours or has ended.
    """
    try:
        claimed = jwt.decode(token, options={"verify_signature": False, "require": _CLAIMS})
        key = key_of(str(claimed["tenant_id"]))
        if key is None:
            raise jwt.InvalidTokenError
        payload = jwt.decode(token, key, algorithms=["HS256"])
    except jwt.ExpiredSignatureError:
        raise Refusal("invalid_user_token", "the token has expired") from None
    except jwt.InvalidTokenError:
        raise Refusal("invalid_user_token", "the token is missing or invalid") from None
    return Claims(payload["sub"], payload["tenant_id"])
