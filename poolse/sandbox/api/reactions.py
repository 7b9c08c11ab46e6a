"""Reactions to a message."""

from __future__ import annotations

from poolse.sandbox import requests, rules
from poolse.sandbox.api.call import Answer, Call, Event, message_of
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = ["add_reaction", "remove_reaction"]


def add_reaction(store: Store, call: Call) -> Answer:
    """POST /v1/messages/:id/reactions; 200 when it was there."""
    message, _ = message_of(store, call)
    rules.check_not_deleted(message)
    emoji = requests.emoji_of(call.body)
    if not store.add_reaction(str(message["id"]), emoji, call.user_id):
        return Answer(200, message)
    return _answer(store, call, 201, "reaction:added", message, emoji)


def remove_reaction(store: Store, call: Call) -> Answer:
    """DELETE /v1/messages/:id/reactions/:emoji; nothing happens when there is none."""
    message, _ = message_of(store, call)
    rules.check_not_deleted(message)
    emoji = call.path["emoji"]
    if not store.remove_reaction(str(message["id"]), emoji, call.user_id):
        return Answer(200, message)
    return _answer(store, call, 200, "reaction:removed", message, emoji)


def _answer(
    store: Store, call: Call, status: int, event: str, message: JsonObject, emoji: str
) -> Answer:
    """The message as it is now; the others are told what changed."""
    conversation_id = message["conversation_id"]
    payload: JsonObject = {
        "message_id": message["id"],
        "conversation_id": conversation_id,
        "emoji": emoji,
        "user_id": call.user_id,
    }
    told = Event(f"conversation:{conversation_id}", event, payload)
    return Answer(status, store.message(str(message["id"])), (told,))
