"""The routes of messages, reactions and read markers."""

from __future__ import annotations

from collections.abc import Mapping

from poolse.sandbox import request_arguments, rules
from poolse.sandbox.api.attachments import attach
from poolse.sandbox.api.call import Call, Event, Result, conversation_of, message_of
from poolse.sandbox.errors import ApiRefusal, invalid
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = [
    "add_reaction",
    "delete_message",
    "list_messages",
    "list_replies",
    "mark_read",
    "remove_reaction",
    "send_message",
    "update_message",
]


def list_messages(store: Store, call: Call) -> Result:
    """GET /v1/conversations/:id/messages."""
    row, _ = conversation_of(store, call)
    return Result(200, {"data": [*store.page(str(row["id"]), request_arguments.page(call.query))]})


def send_message(store: Store, call: Call) -> Result:
    """POST /v1/conversations/:id/messages; who sends has read up to there."""
    conversation, _ = conversation_of(store, call)
    conversation_id = str(conversation["id"])
    new = request_arguments.new_message(call.body)
    known = None if new.id is None else store.message(new.id)
    if known is not None:
        if (known["conversation_id"], known["sender_id"]) != (conversation["id"], call.user_id):
            raise invalid(id="has already been taken")
        return Result(200, known)
    _in_conversation(store, conversation, "quoted_message_id", new.quoted_message_id)
    parent = _in_conversation(store, conversation, "reply_to_id", new.reply_to_id)
    root = None if parent is None else str(parent["thread_root_id"] or parent["id"])
    row = store.add_message(conversation, call.user_id, root, new)
    if store.options.api.sending_is_reading:
        store.read_up_to(row, call.user_id)
    if new.attachment_ids:
        row = attach(store, row, new.attachment_ids)
    unread = store.unread_counts(conversation_id)
    others = unread.keys() - {call.user_id}
    mentioned = [user_id for user_id in new.mentions if user_id in others]
    events = _event("message:new", row), *_mentions(row, mentioned)
    return Result(201, row, (*events, *_updated(store, call, conversation_id, unread)))


def mark_read(store: Store, call: Call) -> Result:
    """POST /v1/conversations/:id/read; the mark never moves backwards."""
    conversation, _ = conversation_of(store, call)
    message = store.message(request_arguments.message_id_of(call.body))
    if message is None or message["conversation_id"] != conversation["id"]:
        raise ApiRefusal("not_found", "no such message in this conversation")
    moved = store.read_up_to(message, call.user_id)
    if moved is None:
        return Result(204)
    names = ("user_id", "conversation_id", "last_read_message_id", "last_read_at")
    payload = {name: moved[name] for name in names}
    return Result(204, effects=(Event(_topic(message), "member:read", payload),))


def update_message(store: Store, call: Call) -> Result:
    """PATCH /v1/messages/:id."""
    message, _ = message_of(store, call)
    rules.check_edit(message, call.user_id)
    row = store.edit_message(str(message["id"]), request_arguments.text_of(call.body, "body"))
    return Result(200, row, (_event("message:updated", row),))


def delete_message(store: Store, call: Call) -> Result:
    """DELETE /v1/messages/:id; a deleted message stays so, without another event."""
    message, membership = message_of(store, call)
    rules.check_delete(message, membership)
    if message["deleted_at"] is not None:
        return Result(204)
    conversation_id = str(message["conversation_id"])
    before = store.unread_counts(conversation_id)
    row = store.delete_message(str(message["id"]))
    payload = {name: row[name] for name in ("id", "conversation_id", "deleted_at")}
    after = store.unread_counts(conversation_id)
    changed = {user_id: count for user_id, count in after.items() if count != before[user_id]}
    deleted = Event(_topic(row), "message:deleted", payload)
    return Result(204, effects=(deleted, *_updated(store, call, conversation_id, changed)))


def list_replies(store: Store, call: Call) -> Result:
    """GET /v1/messages/:id/replies."""
    message, _ = message_of(store, call)
    page = store.replies(str(message["id"]), request_arguments.replies_page(call.query))
    return Result(200, {"data": [*page]})


def _in_conversation(
    store: Store, conversation: JsonObject, field: str, message_id: str | None
) -> JsonObject | None:
    """Return the message that a field names, which must be of the same conversation."""
    if message_id is None:
        return None
    message = store.message(message_id)
    if message is None or message["conversation_id"] != conversation["id"]:
        raise invalid(**{field: "is not a message of this conversation"})
    return message


def _topic(message: JsonObject) -> str:
    return f"conversation:{message['conversation_id']}"


def _event(name: str, message: JsonObject) -> Event:
    """Return the event for a message; broadcasts do not count replies."""
    return Event(_topic(message), name, {**message, "reply_count": 0})


def _updated(
    store: Store, call: Call, conversation_id: str, unread: Mapping[str, int]
) -> list[Event]:
    """Return `conversation:updated` for members, each with the number of messages not read."""
    row = store.conversation(call.tenant_id, conversation_id)
    return [
        Event(
            f"user:{user_id}",
            "conversation:updated",
            {"conversation": {**(row or {}), "unread_count": count}, "by_user_id": call.user_id},
        )
        for user_id, count in unread.items()
    ]


def _mentions(message: JsonObject, user_ids: list[str]) -> list[Event]:
    payload = {
        "message_id": message["id"],
        "conversation_id": message["conversation_id"],
        "sender_id": message["sender_id"],
    }
    return [Event(f"user:{user_id}", "mention:new", payload) for user_id in user_ids]


def add_reaction(store: Store, call: Call) -> Result:
    """POST /v1/messages/:id/reactions; 200 when it was there."""
    message, _ = message_of(store, call)
    rules.check_not_deleted(message)
    emoji = request_arguments.emoji_of(call.body)
    if not store.add_reaction(str(message["id"]), emoji, call.user_id):
        return Result(200, message)
    return _changed(store, call, 201, "reaction:added", message, emoji)


def remove_reaction(store: Store, call: Call) -> Result:
    """DELETE /v1/messages/:id/reactions/:emoji; nothing happens when there is none."""
    message, _ = message_of(store, call)
    rules.check_not_deleted(message)
    emoji = call.path["emoji"]
    if not store.remove_reaction(str(message["id"]), emoji, call.user_id):
        return Result(200, message)
    return _changed(store, call, 200, "reaction:removed", message, emoji)


def _changed(
    store: Store, call: Call, status: int, event: str, message: JsonObject, emoji: str
) -> Result:
    """Return the message as it is now, and the event for the others."""
    conversation_id = message["conversation_id"]
    payload: JsonObject = {
        "message_id": message["id"],
        "conversation_id": conversation_id,
        "emoji": emoji,
        "user_id": call.user_id,
    }
    change = Event(f"conversation:{conversation_id}", event, payload)
    return Result(status, store.message(str(message["id"])), (change,))
