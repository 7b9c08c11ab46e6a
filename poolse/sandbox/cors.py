"""Cross-origin requests, so that a page of a development server may use the sandbox."""

from __future__ import annotations

from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

__all__ = ["allow_all_origins"]

_METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_REQUEST_HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-Range", "Range")
_RESPONSE_HEADERS: Final = (
    "Accept-Ranges",
    "Content-Range",
    "ETag",
    "Retry-After",
    "X-Request-Id",
)
_MAX_AGE: Final = 600
"""Seconds that a browser may remember the response to a preflight."""


def allow_all_origins(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that pages of every origin may call it and read its responses.

    Preflights are answered here and never reach the application. Credentials in the sense of CORS
    (cookies) are not allowed: tokens travel in a header.
    """
    return CORSMiddleware(
        app,
        allow_origins=("*",),
        allow_methods=_METHODS,
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_RESPONSE_HEADERS,
        max_age=_MAX_AGE,
    )
