"""What each route does: a function of the store and of one call, inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from poolse.sandbox import rules, tokens
from poolse.sandbox.jsontext import JsonObject
from poolse.sandbox.refusals import Refusal, invalid
from poolse.sandbox.store import Store

__all__ = [
    "Answer",
    "Call",
    "Event",
    "create_conversation",
    "create_token",
    "create_user",
    "list_messages",
    "send_message",
    "show_me",
]


@dataclass(frozen=True)
class Call:
    """One request, read and authenticated."""

    tenant_id: str
    user: JsonObject
    """Whose token it is; empty on routes that take the API key."""
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: JsonObject

    @property
    def user_id(self) -> str:
        """Id of the user whose token it is."""
        return str(self.user["id"])


@dataclass(frozen=True)
class Event:
    """What a channel is told."""

    topic: str
    name: str
    payload: JsonObject


@dataclass(frozen=True)
class Answer:
    """A 2xx answer, and what is broadcast once it is committed."""

    status: int
    body: JsonObject
    events: tuple[Event, ...] = ()


def show_me(_store: Store, call: Call) -> Answer:
    """GET /v1/me."""
    return Answer(200, call.user)


def create_user(store: Store, call: Call) -> Answer:
    """POST /v1/users; an external id that is known gives its user as it is."""
    new = rules.new_user(call.body)
    known = store.user_named(call.tenant_id, new.external_id)
    if known is not None:
        return Answer(200, known)
    return Answer(201, store.add_user(call.tenant_id, new))


def create_token(store: Store, call: Call) -> Answer:
    """POST /v1/users/:user_id/tokens."""
    user_id = call.path["user_id"].lower()
    key = store.signing_key(call.tenant_id)
    if key is None or store.user(call.tenant_id, user_id) is None:
        raise Refusal("not_found", "no such user")
    claims = tokens.Claims(user_id, call.tenant_id)
    token, end = tokens.mint(claims, rules.TOKEN_LIFETIME, key)
    return Answer(201, {"token": token, "expires_at": f"{datetime.fromtimestamp(end, UTC):%FT%TZ}"})


def create_conversation(store: Store, call: Call) -> Answer:
    """POST /v1/conversations."""
    new = rules.new_conversation(call.body)
    found = {name: store.user_named(call.tenant_id, name) for name in new.member_external_ids}
    missing = [name for name, user in found.items() if user is None]
    if missing:
        details = cast(JsonObject, {"external_ids": missing})
        raise Refusal("user_not_found", f"no such user: {', '.join(missing)}", details)
    others = {str(user["id"]) for user in found.values() if user is not None} - {call.user_id}
    rules.check_circle(new, 1 + len(others))
    row = store.add_conversation(call.tenant_id, call.user_id, sorted(others), new)
    return Answer(201, row)


def list_messages(store: Store, call: Call) -> Answer:
    """GET /v1/conversations/:id/messages."""
    conversation = _conversation(store, call)
    page = store.page(str(conversation["id"]), rules.page(call.query))
    return Answer(200, cast(JsonObject, {"data": page}))


def send_message(store: Store, call: Call) -> Answer:
    """POST /v1/conversations/:id/messages."""
    conversation = _conversation(store, call)
    new = rules.new_message(call.body)
    known = None if new.id is None else store.message(new.id)
    if known is not None:
        if (known["conversation_id"], known["sender_id"]) != (conversation["id"], call.user_id):
            raise invalid(id="has already been taken")
        return Answer(200, known)
    _neighbour(store, conversation, "quoted_message_id", new.quoted_message_id)
    parent = _neighbour(store, conversation, "reply_to_id", new.reply_to_id)
    root = None if parent is None else str(parent["thread_root_id"] or parent["id"])
    row = store.add_message(conversation, call.user_id, root, new)
    return Answer(201, row, (Event(f"conversation:{conversation['id']}", "message:new", row),))


def _conversation(store: Store, call: Call) -> JsonObject:
    """The conversation that the path names, when the user is one of its members."""
    conversation_id = call.path["id"].lower()
    row = store.conversation(call.tenant_id, conversation_id)
    rules.check_membership(row, store.members(conversation_id), call.user_id)
    return cast(JsonObject, row)


def _neighbour(
    store: Store, conversation: JsonObject, field: str, message_id: str | None
) -> JsonObject | None:
    """The message that a field names, which must be of the same conversation."""
    if message_id is None:
        return None
    message = store.message(message_id)
    if message is None or message["conversation_id"] != conversation["id"]:
        raise invalid(**{field: "is not a message of this conversation"})
    return message
