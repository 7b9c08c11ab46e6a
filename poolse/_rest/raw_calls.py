# Printed from poolse/_rest/async_raw_calls.py by "make generate". Do not edit.
"""Untyped calls with `chat.rest`, for endpoints without a typed method."""

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
            method: HTTP method.
            path: Path below the base URL of the API, such as `/v1/me`, percent-encoded.
            body: JSON body; None sends no body.
            query: Query parameters; None values are left out.
            idempotency_key: Idempotency key; None sends none. Default: a generated key, except for
                GET, HEAD and OPTIONS.
            max_retries: Retries after the first attempt, for this call.
            options: Timeout, retries and other options of this call only.

        Returns:
            The parsed JSON; None for an empty response.

        Raises:
            ApiError: The server refused the request.
            NetworkError: No response was received, even after the retries.
            DecodeError: The response is not JSON.
            UsageError: An argument is invalid. No request was made.
        """
        options = _options(idempotency_key, max_retries, options)
        return self._core.call(
            raw_endpoint(method, path, body), query=query, body=body, options=options
        )


def raw_endpoint(method: str, path: str, body: object = None) -> Endpoint[Json]:
    """Return an untyped endpoint. `path` is used unchanged, including braces."""
    method = checked_text("method", method).upper()
    if not TOKEN.fullmatch(method):
        raise UsageError(f"method must be a plain word such as GET, not {method!r}")
    if method == "CONNECT":
        raise UsageError("CONNECT is for tunnels, not endpoints: use another method")
    if body is not None and method in SAFE_METHODS:
        raise UsageError(f"a {method} has no body: pass it as query, or use another method")
    if not checked_text("path", path):
        raise UsageError("path is empty: pass the path of an endpoint, such as /v1/me")
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
    """Return `options` with the arguments that override them."""
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
