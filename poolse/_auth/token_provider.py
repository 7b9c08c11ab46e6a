"""Tokens for users of your own: what turns an external id into a `get_token`."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

from poolse._auth.sync_tokens import SyncTokens
from poolse._auth.tokens import FetchedTokens
from poolse._generated.endpoints import CREATE_USER, CREATE_USER_TOKEN
from poolse._json.parsing import needed
from poolse._rest.call import call
from poolse._rest.request_io import Lifetime, RequestIO, run_sync
from poolse._rest.settings import Settings
from poolse._support.fork_safety import renew_after_fork
from poolse._support.ids import checked_id
from poolse.errors import NotFoundError

__all__ = ["BaseProvider", "SyncTokenMinter", "TokenMinter", "TokenProvider"]

T = TypeVar("T", bound=FetchedTokens)

MAX_USERS = 10_000
"""Users whose tokens are kept; the one asked for longest ago makes room."""


@attrs.define
class Account:
    """A user as the backend knows it."""

    external_id: str
    user_id: str = ""
    """The poolse id; "" until the user was created, or found."""


async def issue_token(hands: RequestIO, settings: Settings, account: Account) -> str:
    """A new token of a user, who is created when there is none with that external id.

    Raises:
        ApiError: The server refused.
        NetworkError: No answer came.
    """
    if account.user_id:
        try:
            return await _token(hands, settings, account)
        except NotFoundError:
            # Deleted since, so that the external id is free again.
            account.user_id = ""
    body = {"external_id": account.external_id}
    user = await call(hands, settings, CREATE_USER, {}, body=body)
    account.user_id = needed(user.id, "$.id")
    return await _token(hands, settings, account)


async def _token(hands: RequestIO, settings: Settings, account: Account) -> str:
    path = {"user_id": account.user_id}
    return needed((await call(hands, settings, CREATE_USER_TOKEN, path)).token, "$.token")


class TokenMinter(Generic[T]):
    """The tokens of the users that were asked for last: each made once per token life."""

    def __init__(
        self,
        kind: Callable[[Callable[[], object], Lifetime], T],
        hands: RequestIO,
        settings: Settings,
        lifetime: Lifetime,
    ) -> None:
        self._kind = kind
        self._hands = hands
        self._settings = settings
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._tokens = OrderedDict[str, T]()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child."""
        self._lock = threading.Lock()

    def tokens(self, external_id: str) -> T:
        """Those of one user.

        Raises:
            UsageError: The client is closed.
        """
        self._lifetime.check()
        with self._lock:
            tokens = self._tokens.get(external_id)
            if tokens is None:
                fetch = self._fetch(Account(external_id))
                tokens = self._tokens[external_id] = self._kind(fetch, self._lifetime)
            self._tokens.move_to_end(external_id)
            if len(self._tokens) > MAX_USERS:
                self._tokens.popitem(last=False)
        return tokens

    def all(self) -> list[T]:
        """Those of all users."""
        with self._lock:
            return list(self._tokens.values())

    def _fetch(self, account: Account) -> Callable[[], object]:
        def fetch() -> object:
            return issue_token(self._hands, self._settings, account)

        return fetch


class SyncTokenMinter(TokenMinter[SyncTokens]):
    """Mints in the thread that first needs a token."""

    def _fetch(self, account: Account) -> Callable[[], object]:
        return lambda: run_sync(issue_token(self._hands, self._settings, account))


class BaseProvider(Generic[T]):
    """What both flavours have in common."""

    def __init__(self, mint: TokenMinter[T], external_id: object) -> None:
        self._mint = mint
        self.external_id: str = checked_id("external_id", external_id, "user.external_id")
        """Your own id of the user."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.external_id!r})"

    def reject(self, token: str | None) -> None:
        """TokenMinter a new one next time: the server has refused this one.

        A client that has the provider as its `get_token` calls this by itself.

        Args:
            token: The one that was refused. Another one, made since, stays.
        """
        self._mint.tokens(self.external_id).reject(token)


class TokenProvider(BaseProvider[SyncTokens]):
    """The `get_token` of one user. Thread-safe."""

    def __call__(self) -> str:
        """Return a token of the user.

        The first call creates the user, if there is none with that external ID. Callers at the same
        time share one request, and a token is returned again until it is about to expire.

        `POST /v1/users`, then `POST /v1/users/{user_id}/tokens`

        Raises:
            ApiError: The server refused, with `code` `validation_failed` or `invalid_api_key`.
            NetworkError: No answer came, even after the retries.
        """
        return str(run_sync(self._mint.tokens(self.external_id).get(None)))
