"""Untyped calls, for endpoints that have no typed method yet: `chat.rest`."""

from __future__ import annotations

from collections.abc import Mapping

from poolse._rest.async_calls import AsyncCalls
from poolse._rest.raw_endpoint import raw_endpoint, raw_options
from poolse.options import CallOptions
from poolse.types import UNSET, Json, Unset

__all__ = ["AsyncRest"]


class AsyncRest:
    """Untyped calls with the same retries, credentials and idempotency as the typed methods."""

    def __init__(self, core: AsyncCalls) -> None:
        self._core = core

    async def request(
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
        options = raw_options(idempotency_key, max_retries, options)
        return await self._core.call(
            raw_endpoint(method, path, body), query=query, body=body, options=options
        )
