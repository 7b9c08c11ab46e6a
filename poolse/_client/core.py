# Printed from poolse/_client/async_core.py by "make generate". Do not edit.
"""What a client and all its views share: settings, sender, tokens, observers and lifetime."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

import attrs

from poolse._auth.fetched_tokens import FetchedTokens
from poolse._auth.sync_single_flight import SyncFlight
from poolse._auth.token_cache import FixedToken, subject
from poolse._client.options import ClientOptions, UserOptions
from poolse._http.sync_sender import SyncSender
from poolse._observe.observers import Observers, checked_hooks
from poolse._profiles.resolver import Known
from poolse._rest.calls import Calls
from poolse._rest.request_io import Lifetime, RequestIO, run_sync
from poolse._rest.translation import KnownIds
from poolse._support.lazy import Lazy
from poolse._support.open_resources import OpenResources, how_to_close, is_over
from poolse._support.secret import Secret

if TYPE_CHECKING:
    from poolse._client.realtime import PoolseRealtime
    from poolse._profiles.users import UsersResource
    from poolse._state.live_state import LiveState
    from poolse.stats import Stats

__all__ = ["BackendCore", "ClientCore", "UserCore"]


class ClientCore:
    """What every client is made of."""

    def __init__(self, options: ClientOptions, name: str, variable: str) -> None:
        """Create it.

        Args:
            options: What the constructor was given.
            name: The name of the client's class.
            variable: What such a client is called in the docs.
        """
        if level := os.environ.get("POOLSE_LOG"):
            # Imported lazily: rarely asked for.
            from poolse._observe.log_level import set_log_level

            set_log_level(level)
        self.lifetime = Lifetime()
        self.observers = Observers(
            checked_hooks(options.hooks, asynchronous=options.asynchronous),
            asynchronous=options.asynchronous,
        )
        self.open_resources = OpenResources(
            how_to_close(name, variable, asynchronous=options.asynchronous)
        )
        self.sender = SyncSender(
            http_client=options.http_client,
            proxy=options.proxy,
            ssl_context=options.ssl_context,
            max_connections=options.max_connections,
            max_response=options.max_response_bytes,
            resources=self.open_resources,
            lifetime=self.lifetime,
        )
        # What ends the flights: their tasks, or the waits of threads for them.
        self._owner = self.lifetime
        self._begin_fetch = partial(SyncFlight[str | None], self._owner, "poolse-token")
        secret = options.credential
        self.tokens = (
            FixedToken(secret)
            if isinstance(secret, Secret)
            else FetchedTokens(secret, self._begin_fetch)
        )
        self.io = RequestIO(
            self.sender,
            self.tokens,
            time.time,
            random.random,
            self.observers,
            self.lifetime,
        )
        self._closers: list[Callable[[], None]] = [self.sender.close]

    def stats(self) -> Stats:
        """Return the numbers of the client."""
        from poolse.stats import Stats

        calls, pool = self.observers.stats(), self.sender.pool()
        return Stats(calls=calls, pool=pool, realtime=None, follow=None)

    def close(self) -> None:
        """End what is under way and close all connections."""
        # No early return for a closed client: closing again ends what a cancelled one left.
        self.lifetime.close()
        # A stack, because a cancelled `close` must still close what comes after.
        with ExitStack() as stack:
            for close in self._closers:
                stack.callback(close)


class UserCore(ClientCore):
    """What a client that acts for a user is made of: profiles and realtime, too."""

    def __init__(self, options: UserOptions, name: str) -> None:
        super().__init__(options, name, "chat")
        self._options = options
        self.known_ids = KnownIds()
        self._users = Lazy(self._make_users)
        # In the context in which the client is created, not that of its first use.
        self._realtime = Lazy(partial(copy_context().run, self._make_realtime), is_over)
        self._closers.append(self._close_realtime)
        self._state: LiveState | None = None
        self._state_client: object = None

    @property
    def users(self) -> UsersResource:
        """The profiles of users."""
        return self._users.get()

    @property
    def realtime(self) -> PoolseRealtime:
        """Realtime, created when it is first asked for."""
        realtime = self._realtime.get()
        # After it is created: then a `close` at the same time either sees it or is seen here.
        if self.lifetime.closed:
            from poolse._realtime.client import client_of

            client_of(realtime).close()
        return realtime

    @property
    def state(self) -> LiveState:
        """Live state, created when it is first asked for, and again with another realtime."""
        # Imported lazily: few programs keep a state.
        from poolse._generated.resources import Resources
        from poolse._realtime.client import client_of
        from poolse._state.live_state import LiveState
        from poolse._state.state_core import StateRegistry

        realtime = self.realtime
        client = client_of(realtime)
        with client.lock:
            if self._state is None or self._state_client is not client:
                self._state_client = client
                calls = Calls(self.io, self._options.settings, known_ids=self.known_ids)
                states = StateRegistry(
                    Resources(calls),
                    client,
                    lambda: subject(self.tokens.last),
                )
                self._state = LiveState(states)
            return self._state

    def stats(self) -> Stats:
        """Return the numbers of the client, with those of realtime once it is used."""
        stats, realtime = super().stats(), self._realtime.made
        if realtime is None:
            return stats
        from poolse._realtime.client import client_of

        client = client_of(realtime)
        return attrs.evolve(stats, realtime=client.stats(), follow=client.feeds.stats())

    def _make_users(self) -> UsersResource:
        # Imported lazily: most programs ask for no profiles.
        from poolse._profiles.profile_loader import Profiles
        from poolse._profiles.users import UsersResource

        profiles = Profiles(self._options.profiles, self._begin_lookup)
        return UsersResource(profiles, self.lifetime, self._options.profiles.kind)

    def _begin_lookup(self) -> SyncFlight[Known]:
        return SyncFlight(self._owner, "poolse-profile")

    def _make_realtime(self) -> PoolseRealtime:
        # Imported lazily: REST-only scripts need no WebSocket library.
        from poolse._client.realtime import PoolseRealtime

        realtime = PoolseRealtime(
            self._options.realtime_settings(self.observers),
            self._socket_token,
            self._options.on_socket_error,
        )
        self.open_resources.watch(realtime)
        return realtime

    def _socket_token(self, stale: str | None) -> str | None:
        if stale is not None:
            self.tokens.reject(stale)
        return run_sync(self.tokens.get(None))

    def _close_realtime(self) -> None:
        if self._realtime.made is not None:
            self._realtime.made.close()


class BackendCore(ClientCore):
    """What a client that acts for a tenant is made of: tokens of its users, too."""

    def __init__(self, options: ClientOptions, name: str) -> None:
        super().__init__(options, name, "backend")
        # Imported lazily: only servers need it.
        from poolse._auth.token_provider import TokenMinter

        calls = Calls(self.io, options.settings)
        self.minter = TokenMinter(calls, self._begin_fetch)
