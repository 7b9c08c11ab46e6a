"""The parts of the backend, put together. Lives on the loop of its server."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send

from poolse.sandbox import issued_tokens
from poolse.sandbox.api import voice
from poolse.sandbox.api.call import Direct, Effect, Event, Eviction, Typing
from poolse.sandbox.api_filter import ApiFilter
from poolse.sandbox.channel_registry import Channel, ChannelRegistry
from poolse.sandbox.clock import Clock
from poolse.sandbox.faults import Faults, ForgetKeys, Match
from poolse.sandbox.middleware import Middleware, allow_origins
from poolse.sandbox.object_storage import Storage
from poolse.sandbox.options import Options
from poolse.sandbox.phoenix import Phoenix
from poolse.sandbox.request_arguments import NewUser
from poolse.sandbox.request_log import RequestLog
from poolse.sandbox.response_validation import ValidatedRest
from poolse.sandbox.rest import Rest
from poolse.sandbox.seed import Sower
from poolse.sandbox.sockets import Sockets
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject
from poolse.sandbox.typing_indicators import TypingIndicators

__all__ = ["Backend"]


class Backend:
    """The ASGI application, and what can be done to it from outside the wire."""

    def __init__(
        self, log: RequestLog, clock: Clock, *, data: Path | None, options: Options
    ) -> None:
        self._clock = clock
        self.api_version: str = options.api.name
        self._store = Store(data, clock, options)
        self._tenant = self._store.first_tenant(options.api_key)
        self.faults: Faults = Faults(clock)
        api_filter = ApiFilter(options.api)
        self.registry: ChannelRegistry = ChannelRegistry(
            self.faults.broadcasts, api_filter, on_end=self._leave_voice_room
        )
        self.phoenix: Phoenix = Phoenix(
            self._store,
            self.registry,
            publish=self._publish,
            refuse_join=self.faults.refuse_join,
            on_join=log.joined,
        )
        self._typing = TypingIndicators(self.registry, options.typing_timeout)
        self._sockets = Sockets(
            self._store,
            self.registry,
            self.phoenix,
            self.faults,
            log,
            idle_timeout=options.idle_timeout,
        )
        rest = ValidatedRest(Rest(self._store, self._publish), api_filter)
        middleware = Middleware(rest, Storage(self._store), self._sockets, self.faults, log, clock)
        self._app = allow_origins(middleware, options.cors_origins)

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

    def users(self) -> list[JsonObject]:
        """Return the users of the first tenant, by the time of their creation."""
        return self._store.users(str(self._tenant["id"]))

    def user_named(self, external_id: str) -> JsonObject | None:
        """Return a user of the first tenant."""
        return self._store.user_named(str(self._tenant["id"]), external_id)

    def create_user(self, external_id: str, display_name: str | None) -> tuple[bool, JsonObject]:
        """Return whether a user had to be created, and the user."""
        known = self.user_named(external_id)
        if known is not None:
            return False, known
        new = NewUser(external_id, display_name, {})
        with self._store.transaction():
            return True, self._store.add_user(str(self._tenant["id"]), new)

    def external_id_of(self, token: str) -> str | None:
        """Return the external ID of a token's user, even if the token has expired."""
        claims = issued_tokens.read_expired(token, self._store.signing_key)
        user = None if claims is None else self._store.user(claims.tenant_id, claims.user_id)
        return None if user is None else str(user["external_id"])

    def api_keys(self) -> list[str]:
        """Return the API keys of all tenants."""
        return self._store.api_keys()

    def block(self, external_id: str, blocked: bool) -> None:
        """Block or unblock a user, who is created if missing."""
        self._store.set_blocked(self.user_id(external_id), blocked)

    def token(self, external_id: str, lifetime: float, tenant_id: str | None = None) -> str:
        """Return a token of a user, who is created if missing."""
        tenant = self._tenant_of(tenant_id)
        claims = issued_tokens.Claims(self.user_id(external_id, tenant_id), tenant["id"])
        return issued_tokens.mint(claims, lifetime, tenant["signing_key"], self._clock.now())[0]

    def seed(self, content: Mapping[str, Any]) -> dict[str, str]:
        """Create what a seed has, and return the IDs of the conversations by name."""
        return Sower(self._store, str(self._tenant["id"]), self._publish).sow(content)

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

    def _leave_voice_room(self, channel: Channel) -> None:
        """A channel that ends takes its user out of the room, however it ended."""
        for effect in voice.left(self._store, channel.topic, channel.session):
            self._publish(effect)

    def _publish(self, effect: Effect) -> None:
        match effect:
            case Event(topic, name, payload, but):
                self.registry.broadcast(topic, name, payload, but=but)
            case Direct(session, topic, name, payload):
                for channel in self.registry.members(topic):
                    if channel.session is session:
                        channel.push(name, payload)
            case Eviction(topic, user_id):
                channels = self.registry.members(topic)
                of_user = [channel for channel in channels if channel.session.user_id == user_id]
                self.phoenix.close(of_user)
            case Typing():
                self._typing.show(effect)
