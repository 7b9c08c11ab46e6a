"""Conversations."""

from __future__ import annotations

from poolse.sandbox import requests, rules
from poolse.sandbox.api.call import Answer, Call, Event, conversation_of, users_named
from poolse.sandbox.store import Store

__all__ = [
    "create_conversation",
    "list_conversations",
    "show_conversation",
    "update_conversation",
]


def list_conversations(store: Store, call: Call) -> Answer:
    """GET /v1/conversations."""
    return Answer(200, {"data": [*store.conversations_of(call.user_id)]})


def create_conversation(store: Store, call: Call) -> Answer:
    """POST /v1/conversations."""
    new = requests.new_conversation(call.body)
    found = users_named(store, call, new.member_external_ids)
    others = [user_id for user_id in found if user_id != call.user_id]
    rules.check_circle(new.type, new.member_limit, 1 + len(others), "member_external_ids")
    row = store.add_conversation(call.tenant_id, call.user_id, new)
    store.add_members(str(row["id"]), [call.user_id], "owner")
    store.add_members(str(row["id"]), others, "member")
    told = (f"user:{user_id}" for user_id in (call.user_id, *others))
    return Answer(201, row, tuple(Event(topic, "conversation:created", row) for topic in told))


def show_conversation(store: Store, call: Call) -> Answer:
    """GET /v1/conversations/:id."""
    return Answer(200, conversation_of(store, call)[0])


def update_conversation(store: Store, call: Call) -> Answer:
    """PATCH /v1/conversations/:id; nobody is told of it."""
    row, membership = conversation_of(store, call)
    conversation_id = str(row["id"])
    changes = requests.conversation_changes(call.body)
    members = len(store.members(conversation_id))
    rules.check_changes(row, membership["role"], changes, members)
    if changes:
        row = store.change_conversation(conversation_id, changes)
    return Answer(200, row)
