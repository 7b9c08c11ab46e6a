"""The parts of the backend, put together. Lives on the loop of its server."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from starlette.types import Receive, Scope, Send

from poolse.sandbox import tokens
from poolse.sandbox.api.call import Effect, Event, Eviction, Typing
from poolse.sandbox.channel_registry import ChannelRegistry
from poolse.sandbox.clock import Clock
from poolse.sandbox.faults import Faults, ForgetKeys, Match
from poolse.sandbox.middleware import Middleware, allow_all_origins
from poolse.sandbox.object_storage import Storage
from poolse.sandbox.phoenix import Phoenix
from poolse.sandbox.request_arguments import NewUser
from poolse.sandbox.request_log import RequestLog
from poolse.sandbox.response_validation import ValidatedRest
from poolse.sandbox.rest import Rest
from poolse.sandbox.sockets import Sockets
from poolse.sandbox.store import Store
from poolse.sandbox.typing_indicators import TypingIndicators

__all__ = ["Backend"]


class Backend:
    """The ASGI application, and what can be done to it from outside the wire."""

    def __init__(
        self,
        log: RequestLog,
        clock: Clock,
        *,
        data: Path | None,
        idle_timeout: float,
        typing_timeout: float,
        max_attachment_bytes: int,
    ) -> None:
        self._clock = clock
        self._store = Store(data, clock, max_attachment_bytes)
        self._tenant = self._store.first_tenant()
        self.faults: Faults = Faults(clock)
        self.registry: ChannelRegistry = ChannelRegistry(self.faults.broadcasts)
        self.phoenix: Phoenix = Phoenix(
            self._store,
            self.registry,
            publish=self._publish,
            refuse_join=self.faults.refuse_join,
            on_join=log.joined,
        )
        self._typing = TypingIndicators(self.registry, typing_timeout)
        self._sockets = Sockets(
            self._store, self.registry, self.phoenix, self.faults, log, idle_timeout=idle_timeout
        )
        rest = ValidatedRest(Rest(self._store, self._publish))
        middleware = Middleware(rest, Storage(self._store), self._sockets, self.faults, log)
        self._app = allow_all_origins(middleware)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        await self._app(scope, receive, send)

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    def add_tenant(self) -> str:
        """Id of a new tenant."""
        return str(self._store.add_tenant()["id"])

    def api_key(self, tenant_id: str | None = None) -> str:
        """Return the API key of a tenant; of the first one when None."""
        return str(self._tenant_of(tenant_id)["api_key"])

    def user_id(self, external_id: str, tenant_id: str | None = None) -> str:
        """Id of a user, who is created if missing."""
        tenant_id = str(self._tenant_of(tenant_id)["id"])
        with self._store.transaction():
            user = self._store.user_named(tenant_id, external_id)
            if user is None:
                user = self._store.add_user(tenant_id, NewUser(external_id, None, {}))
        return str(user["id"])

    def block(self, external_id: str, blocked: bool) -> None:
        """Block or unblock a user, who is created if missing."""
        self._store.set_blocked(self.user_id(external_id), blocked)

    def token(self, external_id: str, lifetime: float, tenant_id: str | None = None) -> str:
        """Return a token of a user, who is created if missing."""
        tenant = self._tenant_of(tenant_id)
        claims = tokens.Claims(self.user_id(external_id, tenant_id), tenant["id"])
        return tokens.mint(claims, lifetime, tenant["signing_key"], self._clock.now())[0]

    def forget_idempotency(self, times: int | None, match: Match) -> None:
        """Forget the responses kept for requests that match, and ignore the next keys."""
        self._store.forget_responses(match.fits)
        self.faults.arm(ForgetKeys(), times, match)

    def drop_sockets(self, code: int | None, external_id: str | None) -> None:
        """End all sockets, or one user's, with a close frame or, without a code, without a word."""
        wanted = None if external_id is None else self.user_id(external_id)
        for session in list(self.registry.sessions):
            if wanted not in (None, session.user_id):
                continue
            self._sockets.drop(session)
            if code is None:
                session.connection.transport.abort()
            else:
                session.close(code)

    def _tenant_of(self, tenant_id: str | None) -> sqlite3.Row:
        if tenant_id is None:
            return self._tenant
        tenant = self._store.tenant(tenant_id)
        if tenant is None:
            raise LookupError("the tenant belongs to an earlier run without a data file")
        return tenant

    def _publish(self, effect: Effect) -> None:
        match effect:
            case Event(topic, name, payload):
                self.registry.broadcast(topic, name, payload)
            case Eviction(topic, user_id):
                channels = self.registry.members(topic)
                of_user = [channel for channel in channels if channel.session.user_id == user_id]
                self.phoenix.close(of_user)
            case Typing():
                self._typing.show(effect)
