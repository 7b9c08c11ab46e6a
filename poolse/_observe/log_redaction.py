"""What the HTTP libraries may write down of a request of ours, and of its answer."""

from __future__ import annotations

import logging
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["redact_library_logs"]

# httpx logs each URL at INFO, httpcore the headers of each answer at DEBUG.
LOGGERS: Final = tuple(
    f"{library}{version}{part}"
    for library, parts in (("httpx", ("",)), ("httpcore", (".http11", ".http2", ".proxy")))
    for version in ("", "2")
    for part in parts
)

QUERY: Final = re.compile(r"\?[^\s'\"]+")
HEADERS: Final = re.compile(r"\[\(b['\"].*", re.DOTALL)

_ours: ContextVar[bool] = ContextVar("poolse_quiet", default=False)


@contextmanager
def redact_library_logs() -> Generator[None]:
    """While the block runs, neither the query of a URL is logged nor the headers of an answer.

    Whoever reads a signed URL has the file, and a redirect has it among its headers.

    What the caller's own requests are logged with is left alone.
    """
    mark = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(mark)


class _WithoutQueries(logging.Filter):
    """Shortens the records that are made within such a block, and keeps them all."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _ours.get():
            record.msg = QUERY.sub("?...", HEADERS.sub("[...]", record.getMessage()))
            record.args = ()
        return True


for _name in LOGGERS:
    logging.getLogger(_name).addFilter(_WithoutQueries())
