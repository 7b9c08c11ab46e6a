"""What every route takes and returns, and what several of them look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from poolse.sandbox import rules
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.request_arguments import NewUser
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = [
    "Call",
    "Direct",
    "Effect",
    "Event",
    "Eviction",
    "Result",
    "Typing",
    "conversation_of",
    "message_of",
    "users_named",
]


@dataclass(frozen=True)
class Call:
    """One request: parsed, authenticated and validated by the spec."""

    tenant_id: str
    user: JsonObject
    """Whose token it is; empty on routes that take the API key."""
    token: str
    """The token, or the API key."""
    path: Mapping[str, str]
    query: JsonObject
    body: JsonObject
    base_url: str
    """The address of the sandbox as the client knows it, without a slash at the end."""

    @property
    def user_id(self) -> str:
        """Id of the user whose token it is."""
        return str(self.user["id"])

    def id(self, name: str) -> str:
        """Return an ID of the path."""
        return self.path[name].lower()


@dataclass(frozen=True)
class Event:
    """An event that is broadcast to a topic."""

    topic: str
    name: str
    payload: JsonObject
    but: object = None
    """The session that does not receive it; None if all do."""


@dataclass(frozen=True)
class Direct:
    """An event that is sent to one session alone."""

    session: object
    topic: str
    name: str
    payload: JsonObject


@dataclass(frozen=True)
class Eviction:
    """The channels of a user who may not listen to a topic any more are closed."""

    topic: str
    user_id: str


@dataclass(frozen=True)
class Typing:
    """Notify the others in the topic that a user is typing, until shortly after the last push."""

    topic: str
    user_id: str
    payload: JsonObject
    """Of `typing:start` and `typing:stop`."""


Effect = Event | Direct | Eviction | Typing


@dataclass(frozen=True)
class Result:
    """A 2xx response, and its effects once it is committed."""

    status: int
    body: JsonObject | None = None
    effects: tuple[Effect, ...] = ()


def conversation_of(store: Store, call: Call) -> tuple[JsonObject, JsonObject]:
    """Return the conversation that the path names, and the user's membership in it."""
    conversation_id = call.id("conversation_id")
    row = store.conversation(call.tenant_id, conversation_id)
    membership = rules.membership_of(row, store.membership(conversation_id, call.user_id))
    assert row is not None  # noqa: S101  (or the rule had refused it)
    return row, membership


def message_of(store: Store, call: Call) -> tuple[JsonObject, JsonObject]:
    """Return the message that the path names, and the user's membership in its conversation."""
    message = store.message(call.id("message_id"))
    if message is None or message["tenant_id"] != call.tenant_id:
        raise ApiRefusal("not_found", "no such message")
    membership = store.membership(str(message["conversation_id"]), call.user_id)
    return message, rules.membership_of(message, membership)


def users_named(store: Store, call: Call, field: str, external_ids: list[str]) -> list[str]:
    """Return the IDs of the tenant's users that a field names.

    Those who are missing are created, unless the version of the API does not do that.
    """
    users = {name: store.user_named(call.tenant_id, name) for name in external_ids}
    missing = [name for name, user in users.items() if user is None]
    if missing and not store.options.api.creates_members:
        message = f"no such user: {', '.join(missing)}"
        raise ApiRefusal("user_not_found", message, {"external_ids": [*missing]})
    if missing:
        now = store.clock.now()
        earlier = store.provisions(call.token, now - rules.PROVISION_WINDOW)
        rules.check_provision(earlier, missing, field, now)
        for name in missing:
            users[name] = store.add_user(call.tenant_id, NewUser(name, None, {}))
        store.note_provisions(call.token, len(missing), now)
    return [str(user["id"]) for user in users.values() if user is not None]
