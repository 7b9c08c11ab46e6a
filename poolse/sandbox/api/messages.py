"""Messages of a conversation, and how far its members have read."""

from __future__ import annotations

from poolse.sandbox import request_fields as fields
from poolse.sandbox import requests, rules
from poolse.sandbox.api.attachments import attach
from poolse.sandbox.api.call import Answer, Call, Event, conversation_of, message_of
from poolse.sandbox.errors import ApiRefusal, invalid
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = [
    "delete_message",
    "list_messages",
    "list_replies",
    "mark_read",
    "send_message",
    "update_message",
]


def list_messages(store: Store, call: Call) -> Answer:
    """GET /v1/conversations/:id/messages."""
    row, _ = conversation_of(store, call)
    return Answer(200, {"data": [*store.page(str(row["id"]), requests.page(call.query))]})


def send_message(store: Store, call: Call) -> Answer:
    """POST /v1/conversations/:id/messages; who sends has read up to there."""
    conversation, _ = conversation_of(store, call)
    new = requests.new_message(call.body)
    known = None if new.id is None else store.message(new.id)
    if known is not None:
        if (known["conversation_id"], known["sender_id"]) != (conversation["id"], call.user_id):
            raise invalid(id="has already been taken")
        return Answer(200, known)
    _neighbour(store, conversation, "quoted_message_id", new.quoted_message_id)
    parent = _neighbour(store, conversation, "reply_to_id", new.reply_to_id)
    root = None if parent is None else str(parent["thread_root_id"] or parent["id"])
    row = store.add_message(conversation, call.user_id, root, new)
    store.read_up_to(row, call.user_id)
    if new.attachment_ids:
        row = attach(store, row, new.attachment_ids)
    members = store.members(str(conversation["id"])) - {call.user_id}
    mentioned = [user_id for user_id in new.mentions if user_id in members]
    return Answer(201, row, (_told("message:new", row), *_mentions(row, mentioned)))


def mark_read(store: Store, call: Call) -> Answer:
    """POST /v1/conversations/:id/read; the mark never moves backwards."""
    conversation, _ = conversation_of(store, call)
    message = store.message(fields.uuid(call.body, "message_id") or "")
    if message is None or message["conversation_id"] != conversation["id"]:
        raise ApiRefusal("not_found", "no such message in this conversation")
    moved = store.read_up_to(message, call.user_id)
    if moved is None:
        return Answer(204)
    told = ("user_id", "conversation_id", "last_read_message_id", "last_read_at")
    payload = {name: moved[name] for name in told}
    return Answer(204, effects=(Event(_topic(message), "member:read", payload),))


def update_message(store: Store, call: Call) -> Answer:
    """PATCH /v1/messages/:id."""
    message, _ = message_of(store, call)
    rules.check_edit(message, call.user_id)
    row = store.edit_message(str(message["id"]), requests.text_of(call.body, "body"))
    return Answer(200, row, (_told("message:updated", row),))


def delete_message(store: Store, call: Call) -> Answer:
    """DELETE /v1/messages/:id; what is deleted stays so, and nobody is told again."""
    message, membership = message_of(store, call)
    rules.check_delete(message, membership)
    if message["deleted_at"] is not None:
        return Answer(204)
    row = store.delete_message(str(message["id"]))
    payload = {name: row[name] for name in ("id", "conversation_id", "deleted_at")}
    return Answer(204, effects=(Event(_topic(row), "message:deleted", payload),))


def list_replies(store: Store, call: Call) -> Answer:
    """GET /v1/messages/:id/replies."""
    message, _ = message_of(store, call)
    page = store.replies(str(message["id"]), requests.replies_page(call.query))
    return Answer(200, {"data": [*page]})


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


def _topic(message: JsonObject) -> str:
    return f"conversation:{message['conversation_id']}"


def _told(name: str, message: JsonObject) -> Event:
    """The row as it is broadcast: replies are not counted for that."""
    return Event(_topic(message), name, {**message, "reply_count": 0})


def _mentions(message: JsonObject, user_ids: list[str]) -> list[Event]:
    payload = {
        "message_id": message["id"],
        "conversation_id": message["conversation_id"],
        "sender_id": message["sender_id"],
    }
    return [Event(f"user:{user_id}", "mention:new", payload) for user_id in user_ids]
