"""The escape hatch: a call that the spec does not know, as an endpoint made on the spot."""

from __future__ import annotations

from poolse._core.codec import read_json
from poolse._core.endpoint import Endpoint
from poolse._core.judge import SAFE_METHODS
from poolse.errors import UsageError
from poolse.options import CallOptions
from poolse.types import UNSET, Json, Unset

__all__ = ["raw_endpoint", "raw_options"]

IDEMPOTENCY_HEADER = "Idempotency-Key"


def raw_endpoint(method: str, path: str) -> Endpoint[Json]:
    """An untyped endpoint. `path` is taken as it stands, its braces too."""
    method = method.upper()
    if not path.startswith("/"):
        raise UsageError(f"path must start with a slash, not {path!r}")
    return Endpoint(
        method=method,
        path=path,
        read=read_json,
        idempotency=None if method in SAFE_METHODS else IDEMPOTENCY_HEADER,
    )


def raw_options(
    idempotency_key: str | None | Unset, max_retries: int | Unset, options: CallOptions | None
) -> CallOptions:
    """`options`, with the arguments that were given in their place."""
    options = options or CallOptions()
    return CallOptions(
        timeout=options.timeout,
        max_retries=options.max_retries if max_retries is UNSET else max_retries,
        idempotency_key=options.idempotency_key if idempotency_key is UNSET else idempotency_key,
        headers=options.headers,
        cancel=options.cancel,
    )
