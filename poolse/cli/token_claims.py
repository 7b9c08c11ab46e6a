"""What a token says about itself. Nothing is verified: that is the server's task."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import cast

__all__ = ["expiry_of", "looks_like_api_key", "looks_like_token", "period"]

API_KEY_PREFIX = "pk_"


def looks_like_api_key(secret: str) -> bool:
    """Return whether this is an API key; a token is a JWT, three parts with dots between them."""
    return secret.startswith(API_KEY_PREFIX) and "." not in secret


def looks_like_token(secret: str) -> bool:
    """Return whether this is a JWT."""
    return secret.startswith("eyJ") and secret.count(".") == 2


def expiry_of(token: str) -> datetime | None:
    """Return when the token expires, None if it does not say."""
    try:
        payload = token.split(".")[1]
        claims: object = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(cast("dict[str, float]", claims)["exp"], UTC)
    except (ValueError, TypeError, LookupError, OverflowError, OSError):
        return None


def period(seconds: float) -> str:
    """Return a length of time in words."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
