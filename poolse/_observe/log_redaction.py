"""Redaction of what the HTTP libraries log of our requests and their responses."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import Final

from poolse._rest.http_messages import Request

__all__ = ["redacting"]

# httpx logs each URL at INFO, httpcore the headers of each response at DEBUG.
LOGGERS: Final = tuple(
    f"{library}{version}{part}"
    for library, parts in (("httpx", ("",)), ("httpcore", (".http11", ".http2", ".proxy")))
    for version in ("", "2")
    for part in parts
)

QUERY: Final = re.compile(r"\?[^\s'\"]+")
HEADERS: Final = re.compile(r"\[\(b['\"].*", re.DOTALL)

redacting: Final[ContextVar[Request | None]] = ContextVar("poolse_redacting", default=None)
"""The request of ours that is sent: then neither the query of a URL is logged, which opens a file
if it is signed, nor a secret in its path, nor the headers of a response, where a redirect has one.
The log records of the caller's own requests are left alone."""


class _Redaction(logging.Filter):
    """Shortens records of our requests, and drops none."""

    def filter(self, record: logging.LogRecord) -> bool:
        if (request := redacting.get()) is not None:
            text = record.getMessage().replace(request.target, request.shown)
            record.msg = QUERY.sub("?...", HEADERS.sub("[...]", text))
            record.args = ()
        return True


for _name in LOGGERS:
    logging.getLogger(_name).addFilter(_Redaction())
