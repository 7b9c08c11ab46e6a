"""Token providers: a `get_token` for a user of your own, by external ID."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

import attrs

from poolse._auth.fetched_tokens import FetchedTokens
from poolse._auth.single_flight import Flight
from poolse._generated.endpoints import CREATE_USER, CREATE_USER_TOKEN
from poolse._json.parsing import needed
from poolse._rest.async_calls import AsyncCalls

# sync: from poolse._rest.request_io import run_sync
from poolse._support.fork_safety import renew_after_fork
from poolse._support.id_arguments import checked_id
from poolse.errors import NotFoundError

__all__ = ["AsyncTokenMinter", "AsyncTokenProvider"]

MAX_USERS: Final = 10_000
"""Maximum number of users whose tokens are cached. The least recently used is evicted."""


@attrs.define
class Account:
    """A user of the backend."""

    external_id: str
    user_id: str = ""
    """The poolse ID; "" until the user is created or found."""


class AsyncTokenMinter:
    """Cache of users' tokens: each token is issued once per lifetime."""

    def __init__(self, calls: AsyncCalls, begin: Callable[[], Flight[str | None]]) -> None:
        self._calls = calls
        self._begin = begin
        self._lock = threading.Lock()
        self._tokens = OrderedDict[str, FetchedTokens]()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Renew the lock in a forked child."""
        self._lock = threading.Lock()

    def tokens(self, external_id: str) -> FetchedTokens:
        """Return the tokens of one user.

        Raises:
            UsageError: The client is closed.
        """
        self._calls.io.lifetime.raise_if_cancelled()
        with self._lock:
            tokens = self._tokens.get(external_id)
            if tokens is None:
                issue = partial(self._issue, Account(external_id))
                tokens = self._tokens[external_id] = FetchedTokens(issue, self._begin)
            self._tokens.move_to_end(external_id)
            if len(self._tokens) > MAX_USERS:
                self._tokens.popitem(last=False)
        return tokens

    async def _issue(self, account: Account) -> str:
        """Issue a token for a user, who is created if the external ID is unknown."""
        if account.user_id:
            try:
                return await self._token(account)
            except NotFoundError:
                # Deleted since, so that the external ID is free again.
                account.user_id = ""
        user = await self._calls.call(CREATE_USER, body={"external_id": account.external_id})
        account.user_id = needed(user.id, "$.id")
        return await self._token(account)

    async def _token(self, account: Account) -> str:
        path = {"user_id": account.user_id}
        return needed((await self._calls.call(CREATE_USER_TOKEN, path)).token, "$.token")


class AsyncTokenProvider:
    """`get_token` of one user, for an event loop."""

    def __init__(self, minter: AsyncTokenMinter, external_id: object) -> None:
        self._minter = minter
        self.external_id: str = checked_id("external_id", external_id, "user.external_id")
        """Your own ID for the user."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.external_id!r})"

    async def __call__(self) -> str:
        """Return a token of the user.

        The first call creates the user if the external ID is unknown. Concurrent calls share one
        request. The token is cached until it is about to expire.

        `POST /v1/users`, then `POST /v1/users/{user_id}/tokens`

        Raises:
            ApiError: The server refused the request, with `code` `validation_failed` or
                `invalid_api_key`.
            NetworkError: No response was received, even after the retries.
        """
        tokens = self._minter.tokens(self.external_id)
        return str(await tokens.get(None))  # sync: return str(run_sync(tokens.get(None)))

    def reject(self, token: str | None) -> None:
        """Discard a token that the server refused, so that the next call issues a new one.

        Clients that use the provider as `get_token` call this automatically.

        Args:
            token: The refused token. A newer token stays cached.
        """
        self._minter.tokens(self.external_id).reject(token)
