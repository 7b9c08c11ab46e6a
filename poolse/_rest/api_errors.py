"""Errors of the API: which class a response raises, and what of it the error repeats."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, cast

from poolse._json.codec import parsed
from poolse._json.parsing import as_object
from poolse._rest.endpoint import ErrorPaths
from poolse._rest.http_messages import Response, rate_limit_of
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


def api_error(response: Response, retry_after: float, paths: ErrorPaths) -> ApiError:
    """Return the error of a response that is not 2xx. It may be a proxy's, without an envelope."""
    status = response.status
    body = _body(response.content)
    code, message, doc_url, details = (
        _at(body, steps) for steps in (paths.code, paths.message, paths.doc_url, paths.details)
    )
    # Some proxies say {"error": "text"}: the text is better than nothing.
    if message is None and isinstance(as_object(body).get("error"), str):
        message = as_object(body)["error"]
    kind = BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
    error = kind(
        status,
        _text(code) or "unknown_error",
        _text(message) or f"HTTP {status}{_redirect(response)}",
        _text(doc_url),
        _showable(details),
        _text(response.headers.get("x-request-id")) or None,
        retry_after,
    )
    limits = rate_limit_of(response.headers)
    error.rate_limit = {name[:LONGEST]: value[:LONGEST] for name, value in limits.items()}
    return error


def _redirect(response: Response) -> str:
    """Return the target of a redirect, without possible secrets: query and credentials."""
    location = response.headers.get("location", "") if response.status < 400 else ""
    match = LOCATION.match(location)
    if match is None:
        return ""
    return f", a redirect to {match[1] or ''}{match[2]}, which is not followed: check api_url"


def _body(content: bytes) -> object:
    try:
        return parsed(content)
    except ValueError:
        return None


def _at(value: object, steps: tuple[str | int, ...]) -> object:
    """Return the value that the steps lead to, None where there is none."""
    for step in steps:
        if isinstance(step, int):
            items = cast("list[object]", value) if isinstance(value, list) else []
            value = items[step] if step < len(items) else None
        else:
            value = as_object(value).get(step)
    return value if steps else None


def _text(value: object) -> str:
    """Return a value as text: a code may be a number, and a message an object."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:LONGEST]
    try:
        return json.dumps(value, ensure_ascii=False)[:LONGEST]
    except (ValueError, RecursionError):
        return ""


def _showable(details: object) -> object:
    """Return the details, unless they are nested too deeply for Python to print or copy."""
    try:
        json.dumps(details)
    except (ValueError, RecursionError):
        return None
    return details
