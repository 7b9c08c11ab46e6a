"""Tokens of one's own users for an event loop."""

from __future__ import annotations

from poolse._auth.async_tokens import AsyncTokens
from poolse._auth.token_provider import BaseProvider

__all__ = ["AsyncTokenProvider"]


class AsyncTokenProvider(BaseProvider[AsyncTokens]):
    """The `get_token` of one user, for an event loop."""

    async def __call__(self) -> str:
        """Return a token of the user.

        The first call creates the user, if there is none with that external ID. Callers at the same
        time share one request, and a token is returned again until it is about to expire.

        `POST /v1/users`, then `POST /v1/users/{user_id}/tokens`

        Raises:
            ApiError: The server refused, with `code` `validation_failed` or `invalid_api_key`.
            NetworkError: No answer came, even after the retries.
        """
        return str(await self._mint.tokens(self.external_id).get(None))
