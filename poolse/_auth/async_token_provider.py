"""Tokens for users of your own: what turns an external ID into a `get_token`."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

import attrs

from poolse._auth.single_flight import Flight
from poolse._auth.tokens import FetchedTokens
from poolse._generated.endpoints import CREATE_USER, CREATE_USER_TOKEN
from poolse._json.parsing import needed
from poolse._rest.async_calls import AsyncCalls

# sync: from poolse._rest.request_io import run_sync
from poolse._support.fork_safety import renew_after_fork
from poolse._support.ids import checked_id
from poolse.errors import NotFoundError

__all__ = ["AsyncTokenMinter", "AsyncTokenProvider"]

MAX_USERS: Final = 10_000
"""Users whose tokens are kept; the one asked for longest ago makes room."""


@attrs.define
class Account:
    """A user as the backend knows it."""

    external_id: str
    user_id: str = ""
    """The poolse ID; "" until the user was created, or found."""


class AsyncTokenMinter:
    """The tokens of the users that were asked for last: each issued once per token life."""

    def __init__(self, calls: AsyncCalls, begin: Callable[[], Flight[str | None]]) -> None:
        self._calls = calls
        self._begin = begin
        self._lock = threading.Lock()
        self._tokens = OrderedDict[str, FetchedTokens]()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child."""
        self._lock = threading.Lock()

    def tokens(self, external_id: str) -> FetchedTokens:
        """Return those of one user.

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
        """Issue a token for a user, who is created when there is none with that external ID."""
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
    """The `get_token` of one user, for an event loop."""

    def __init__(self, minter: AsyncTokenMinter, external_id: object) -> None:
        self._minter = minter
        self.external_id: str = checked_id("external_id", external_id, "user.external_id")
        """Your own ID of the user."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.external_id!r})"

    async def __call__(self) -> str:
        """Return a token of the user.

        The first call creates the user, if there is none with that external ID. Callers at the same
        time share one request, and a token is returned again until it is about to expire.

        `POST /v1/users`, then `POST /v1/users/{user_id}/tokens`

        Raises:
            ApiError: The server refused, with `code` `validation_failed` or `invalid_api_key`.
            NetworkError: No answer came, even after the retries.
        """
        tokens = self._minter.tokens(self.external_id)
        return str(await tokens.get(None))  # sync: return str(run_sync(tokens.get(None)))

    def reject(self, token: str | None) -> None:
        """Issue a new one next time: the server has refused this one.

        A client that has the provider as its `get_token` calls this by itself.

        Args:
            token: The one that was refused. Another one, issued since, stays.
        """
        self._minter.tokens(self.external_id).reject(token)
