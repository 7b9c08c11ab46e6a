"""The async clients: who wires what to what. No decision is made here."""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

import attrs
import httpx

from poolse._auth.async_token_provider import AsyncTokenProvider
from poolse._auth.async_tokens import AsyncTokens
from poolse._auth.token_provider import TokenMinter
from poolse._client.async_base import AsyncClientBase
from poolse._client.constructors import BackendClient, UserClient
from poolse._client.follow import AsyncFollowMethods
from poolse._generated.async_backend_resources import AsyncBackendResources
from poolse._generated.async_resources import AsyncResources
from poolse._profiles.resolver import AsyncResolver
from poolse._support.lazy import Lazy
from poolse.rest import AsyncRest
from poolse.stats import FollowStats, RealtimeStats
from poolse.types import AsyncGetToken

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._generated.async_channels import AsyncPoolseRealtime
    from poolse._generated.models import Me, User
    from poolse._profiles.async_profiles import AsyncProfiles
    from poolse.profiles import AsyncUsersResource

__all__ = ["AsyncHttpClient", "AsyncPoolse", "AsyncPoolseBackend"]

AsyncHttpClient = httpx.AsyncClient
"""What may be given as `http_client`."""


class AsyncPoolse(
    AsyncClientBase,
    UserClient[
        AsyncGetToken,
        AsyncResolver,
        AsyncHttpClient,
    ],
    AsyncResources,
    AsyncFollowMethods,
):
    """The async client of the poolse chat backend, for one event loop. Make one and share it.

    Example:
        >>> async with AsyncPoolse(get_token=mint) as chat:
        ...     await chat.me.show()
    """

    def _assemble(self) -> None:
        super()._assemble()
        # In the context of where the client is made, whoever needs it first.
        self._realtime = self._once(partial(copy_context().run, self._make_realtime))
        self._profiles = Lazy(self._make_profiles)
        self._users = Lazy(self._make_users)

    def _expose(self) -> None:
        calls = attrs.evolve(self._calls(), followed=self._followed)
        AsyncResources.__init__(self, calls)
        self._rest = AsyncRest(calls)

    @property
    def rest(self) -> AsyncRest:
        """Calls that this release has no method for."""
        return self._rest

    def _make_profiles(self) -> AsyncProfiles:
        # Only now: most programs ask for no profiles.
        from poolse._profiles.async_profiles import AsyncProfiles

        return AsyncProfiles(self._profile_settings, self._lifetime)

    def _make_users(self) -> AsyncUsersResource:
        from poolse.profiles import AsyncUsersResource

        return AsyncUsersResource(self._profiles.get(), self._lifetime)

    @property
    def users(self) -> AsyncUsersResource:
        """Users' names and pictures, as your `user_resolver` finds them."""
        return self._users.get()

    def _make_realtime(self) -> AsyncPoolseRealtime:
        # Only now: a script that sends a message needs no WebSocket library.
        from poolse._generated.async_channels import AsyncPoolseRealtime

        return AsyncPoolseRealtime(
            self._realtime_settings(), self._socket_token, self._on_socket_error
        )

    async def _socket_token(self, stale: str | None) -> str | None:
        if stale is not None:
            self._tokens.reject(stale)
        return await self._tokens.get(None)

    @property
    def realtime(self) -> AsyncPoolseRealtime:
        """Live events, typing and presence. The socket opens with the first channel."""
        made = self._realtime.get()
        # After it is made: then a `close` at the same time either sees it or is seen here.
        if self._lifetime.closed:
            from poolse._realtime.client import client_of

            client_of(made).close()
        return made

    def _realtime_stats(self) -> RealtimeStats | None:
        made = self._realtime.made
        if made is None:
            return None
        from poolse._realtime.client import client_of

        return client_of(made).stats()

    def _follow_stats(self) -> FollowStats | None:
        made = self._realtime.made
        if made is None:
            return None
        from poolse._realtime.client import client_of

        return client_of(made).feeds.stats()

    async def _close_more(self) -> None:
        try:
            if self._profiles.made is not None:
                await self._profiles.made.aclose()
        finally:
            if self._realtime.made is not None:
                await self._realtime.made.aclose()


class AsyncPoolseBackend(AsyncClientBase, BackendClient[AsyncHttpClient], AsyncBackendResources):
    """The async client for your own server, which makes users and tokens. For one event loop.

    Example:
        >>> async with AsyncPoolseBackend(api_key=key) as backend:
        ...     user = await backend.users.create(external_id="ann", display_name="Ann")
        ...     token = (await backend.users.create_token(user.id)).token
    """

    def _assemble(self) -> None:
        super()._assemble()
        hands = self._hands(self._sender, self._tokens)
        self._mint = TokenMinter(AsyncTokens, hands, self._settings, self._lifetime)

    def _expose(self) -> None:
        calls = self._calls()
        AsyncBackendResources.__init__(self, calls)
        self._rest = AsyncRest(calls)

    @property
    def rest(self) -> AsyncRest:
        """Calls that this release has no method for."""
        return self._rest

    def token_provider(self, external_id: str | UUID | User | Me) -> AsyncTokenProvider:
        """A `get_token` for one of your users, for a route of yours or a client in this process.

        Nothing is sent before it is called. It can be asked for again and again: tokens are kept
        per user, for 10,000 users.

        Args:
            external_id: Your own ID of the user, a str or `uuid.UUID`, or an object that has it.
                A user who does not exist yet is created.

        Raises:
            UsageError: The ID is empty, or no ID.

        Example:
            >>> await backend.token_provider("u-1")()
        """
        return AsyncTokenProvider(self._mint, external_id)

    async def _close_more(self) -> None:
        for tokens in self._mint.all():
            await tokens.aclose()
