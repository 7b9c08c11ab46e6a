# Printed from poolse/_rest/async_raw_calls.py by "make generate". Do not edit.
"""Untyped calls, for endpoints that have no typed method yet: `chat.rest`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from poolse._json.codec import read_json
from poolse._rest.calls import Calls
from poolse._rest.endpoint import Endpoint
from poolse._rest.retry import SAFE_METHODS
from poolse._support.argument_checks import TOKEN, checked_instance, checked_text
from poolse.errors import UsageError
from poolse.options import CallOptions
from poolse.types import UNSET, Json, Unset

__all__ = ["Rest", "raw_endpoint"]

PERCENT_ENCODED: Final = re.compile(r"[!-\"$-~]*")
IDEMPOTENCY_HEADER: Final = "Idempotency-Key"


class Rest:
    """Untyped calls with the same retries, credentials and idempotency as the typed methods."""

    def __init__(self, core: Calls) -> None:
        self._core = core

    def request(
        self,
        *,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, object] | None = None,
        idempotency_key: str | None | Unset = UNSET,
        max_retries: int | Unset = UNSET,
        options: CallOptions | None = None,
    ) -> Json:
        """Call any endpoint.

        Args:
            method: The HTTP method.
            path: The path under the API's base URL, `/v1/...`, already percent-encoded.
            body: Sent as JSON; None sends no body.
            query: Query parameters; those that are None are left out.
            idempotency_key: Left out, everything but GET carries a fresh one; None sends none.
            max_retries: Attempts after the first, for this call.
            options: Options of this call only.

        Returns:
            The parsed JSON, None for an empty answer.

        Raises:
            ApiError: The server refused the call.
            NetworkError: No answer came.
            UsageError: An argument that cannot be sent. Nothing was sent.
        """
        options = _options(idempotency_key, max_retries, options)
        return self._core.call(
            raw_endpoint(method, path, body), query=query, body=body, options=options
        )


def raw_endpoint(method: str, path: str, body: object = None) -> Endpoint[Json]:
    """An untyped endpoint. `path` is taken as it stands, its braces too."""
    method = checked_text("method", method).upper()
    if not TOKEN.fullmatch(method):
        raise UsageError(f"method must be a plain word such as GET, not {method!r}")
    if method == "CONNECT":
        raise UsageError("CONNECT asks for a tunnel, which no endpoint is: use another method")
    if body is not None and method in SAFE_METHODS:
        raise UsageError(f"a {method} carries no body: put it into query, or use another method")
    if not checked_text("path", path):
        raise UsageError("path is empty: give the one of an endpoint, such as /v1/me")
    path = "/" + path.removeprefix("/")
    if not PERCENT_ENCODED.fullmatch(path):
        raise UsageError(f"path must be percent-encoded, and have no fragment: {path!r}")
    return Endpoint(
        method=method,
        path=path,
        read=read_json,
        idempotency=None if method in SAFE_METHODS else IDEMPOTENCY_HEADER,
    )


def _options(
    idempotency_key: str | None | Unset, max_retries: int | Unset, options: CallOptions | None
) -> CallOptions:
    """`options`, with the arguments that were given in their place."""
    if options is None:
        options = CallOptions()
    checked_instance("options", options, CallOptions, "a CallOptions")
    return CallOptions(
        timeout=options.timeout,
        max_retries=options.max_retries if max_retries is UNSET else max_retries,
        idempotency_key=options.idempotency_key if idempotency_key is UNSET else idempotency_key,
        headers=options.headers,
        cancel=options.cancel,
    )
