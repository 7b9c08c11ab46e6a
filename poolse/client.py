"""The sync clients: who wires what to what. No decision is made here."""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

import attrs
import httpx

from poolse._auth.sync_tokens import SyncTokens
from poolse._client.constructors import BackendClient, UserClient
from poolse._client.follow import FollowMethods
from poolse._client.sync_base import SyncClientBase
from poolse._generated.backend_resources import BackendResources
from poolse._generated.resources import Resources
from poolse._profiles.resolver import Resolver
from poolse._rest.request_io import run_sync
from poolse._support.lazy import Lazy
from poolse.rest import Rest
from poolse.types import GetToken

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._auth.token_provider import TokenProvider
    from poolse._generated.channels import PoolseRealtime
    from poolse._generated.models import Me, User
    from poolse.profiles import UsersResource
    from poolse.stats import FollowStats, RealtimeStats

__all__ = ["HttpClient", "Poolse", "PoolseBackend"]

HttpClient = httpx.Client
"""What may be given as `http_client`."""


class Poolse(
    SyncClientBase,
    UserClient[GetToken, Resolver, HttpClient],
    Resources,
    FollowMethods,
):
    """The sync client of the poolse chat backend. Thread-safe: make one and share it.

    Example:
        >>> with Poolse(get_token=mint) as chat:
        ...     chat.me.show()
    """

    def _assemble(self) -> None:
        super()._assemble()
        # In the context of where the client is made, whoever needs it first.
        self._realtime = self._once(partial(copy_context().run, self._make_realtime))
        self._users = Lazy(self._make_users)

    def _expose(self) -> None:
        calls = attrs.evolve(self._calls(), followed=self._followed)
        Resources.__init__(self, calls)
        self._rest = Rest(calls)

    @property
    def rest(self) -> Rest:
        """Calls that this release has no method for."""
        return self._rest

    def _make_users(self) -> UsersResource:
        # Only now: most programs ask for no profiles.
        from poolse._profiles.sync_profiles import SyncProfiles
        from poolse.profiles import UsersResource

        return UsersResource(SyncProfiles(self._profile_settings, self._lifetime), self._lifetime)

    @property
    def users(self) -> UsersResource:
        """Users' names and pictures, as your `user_resolver` finds them."""
        return self._users.get()

    def _make_realtime(self) -> PoolseRealtime:
        # Only now: a script that sends a message needs no WebSocket library.
        from poolse._generated.channels import PoolseRealtime

        return PoolseRealtime(self._realtime_settings(), self._socket_token, self._on_socket_error)

    def _socket_token(self, stale: str | None) -> str | None:
        if stale is not None:
            self._tokens.reject(stale)
        return run_sync(self._tokens.get(None))

    @property
    def realtime(self) -> PoolseRealtime:
        """Live events, typing and presence. The socket opens with the first channel."""
        made = self._realtime.get()
        # After it is made: then a `close` at the same time either sees it or is seen here.
        if self._lifetime.closed:
            from poolse._realtime.public_base import hub_of

            hub_of(made).close()
        return made

    def _realtime_stats(self) -> RealtimeStats | None:
        made = self._realtime.made
        if made is None:
            return None
        from poolse._realtime.public_base import hub_of

        return hub_of(made).stats()

    def _follow_stats(self) -> FollowStats | None:
        made = self._realtime.made
        if made is None:
            return None
        from poolse._realtime.public_base import hub_of

        return hub_of(made).feeds.stats()

    def _close_realtime(self) -> None:
        if self._realtime.made is not None:
            self._realtime.made.close()


class PoolseBackend(SyncClientBase, BackendClient[HttpClient], BackendResources):
    """The sync client for your own server, which makes users and their tokens. Thread-safe.

    Example:
        >>> with PoolseBackend(api_key=key) as backend:
        ...     user = backend.users.create(external_id="ann", display_name="Ann")
        ...     token = backend.users.create_token(user.id).token
    """

    def _assemble(self) -> None:
        super()._assemble()
        # Only now: a program of users' has none of this.
        from poolse._auth.token_provider import SyncTokenMinter

        hands = self._hands(self._sender, self._tokens)
        self._mint = SyncTokenMinter(SyncTokens, hands, self._settings, self._lifetime)

    def _expose(self) -> None:
        calls = self._calls()
        BackendResources.__init__(self, calls)
        self._rest = Rest(calls)

    @property
    def rest(self) -> Rest:
        """Calls that this release has no method for."""
        return self._rest

    def token_provider(self, external_id: str | UUID | User | Me) -> TokenProvider:
        """A `get_token` for one of your users, for a route of yours or a client in this process.

        Nothing is sent before it is called. It can be asked for again and again: tokens are kept
        per user, for 10,000 users.

        Args:
            external_id: Your own ID of the user, a str or `uuid.UUID`, or an object that has it.
                A user who does not exist yet is created.

        Raises:
            UsageError: The ID is empty, or no ID.

        Example:
            >>> backend.token_provider("u-1")()
        """
        from poolse._auth.token_provider import TokenProvider

        return TokenProvider(self._mint, external_id)
