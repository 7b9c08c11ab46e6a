"""Errors of the API: which class a response raises, and what of it the error repeats."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from poolse._json.codec import parsed
from poolse._json.parsing import as_object
from poolse._rest.messages import Response
from poolse.errors import (
    ApiError,
    AuthError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    ValidationError,
)

__all__ = ["api_error"]

# Scheme, credentials, host and path, of bounded lengths: a server may be hostile.
LOCATION: Final = re.compile(r"((?:https?:)?//)?(?:[^/?#\s]{0,200}@)?([^?#\s]{1,200})")

LONGEST: Final = 1000
"""Characters of each text of a response that an error repeats: they end up in logs."""

BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    400: BadRequestError,
    401: AuthError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    422: ValidationError,
    429: RateLimitedError,
}


def api_error(response: Response, retry_after: float) -> ApiError:
    """Return the error of a response that is not 2xx. It may be a proxy's, without an envelope."""
    status = response.status
    envelope = _envelope(response.content)
    kind = BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
    return kind(
        status,
        _text(envelope.get("code")) or "unknown_error",
        _text(envelope.get("message")) or f"HTTP {status}{_redirect(response)}",
        _text(envelope.get("doc_url")),
        _showable(envelope.get("details")),
        _text(response.headers.get("x-request-id")) or None,
        retry_after,
    )


def _redirect(response: Response) -> str:
    """Where a redirect points, without what may be a secret: its query and credentials."""
    location = response.headers.get("location", "") if response.status < 400 else ""
    match = LOCATION.match(location)
    if match is None:
        return ""
    return f", a redirect to {match[1] or ''}{match[2]}, which is not followed: check api_url"


def _envelope(content: bytes) -> dict[str, object]:
    try:
        body = parsed(content)
    except ValueError:
        return {}
    error = as_object(body).get("error")
    # Some proxies say {"error": "text"}: the text is better than nothing.
    return {"message": error} if isinstance(error, str) else as_object(error)


def _text(value: object) -> str:
    """A value as text: a code may be a number, and a message an object."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:LONGEST]
    try:
        return json.dumps(value, ensure_ascii=False)[:LONGEST]
    except (ValueError, RecursionError):
        return ""


def _showable(details: object) -> object:
    """The details, unless they are nested so deeply that Python can neither print nor copy them."""
    try:
        json.dumps(details)
    except (ValueError, RecursionError):
        return None
    return details
