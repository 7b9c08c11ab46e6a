"""The routes of conversations and their members."""

from __future__ import annotations

from poolse.sandbox import request_arguments, rules
from poolse.sandbox.api.call import (
    Call,
    Event,
    Eviction,
    Result,
    conversation_of,
    users_named,
)
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = [
    "add_members",
    "create_conversation",
    "list_conversations",
    "list_members",
    "remove_member",
    "show_conversation",
    "update_conversation",
]


def list_conversations(store: Store, call: Call) -> Result:
    """GET /v1/conversations."""
    return Result(200, {"data": [*store.conversations_of(call.user_id)]})


def create_conversation(store: Store, call: Call) -> Result:
    """POST /v1/conversations."""
    new = request_arguments.new_conversation(call.body)
    members = users_named(store, call, "member_external_ids", new.member_external_ids)
    others = [user_id for user_id in members if user_id != call.user_id]
    rules.check_circle(new.type, new.member_limit, 1 + len(others), "member_external_ids")
    row = store.add_conversation(call.tenant_id, call.user_id, new)
    store.add_members(str(row["id"]), [call.user_id], "owner")
    store.add_members(str(row["id"]), others, "member")
    return Result(201, row, _created(store, row, [call.user_id, *others]))


def show_conversation(store: Store, call: Call) -> Result:
    """GET /v1/conversations/:id."""
    return Result(200, conversation_of(store, call)[0])


def update_conversation(store: Store, call: Call) -> Result:
    """PATCH /v1/conversations/:id; without an event."""
    row, membership = conversation_of(store, call)
    conversation_id = str(row["id"])
    changes = request_arguments.conversation_changes(call.body)
    members = len(store.members(conversation_id))
    rules.check_changes(row, membership["role"], changes, members)
    if changes:
        row = store.change_conversation(conversation_id, changes)
    return Result(200, row)


def list_members(store: Store, call: Call) -> Result:
    """GET /v1/conversations/:id/members."""
    row, _ = conversation_of(store, call)
    return Result(200, {"data": [*store.memberships(str(row["id"]))]})


def add_members(store: Store, call: Call) -> Result:
    """POST /v1/conversations/:id/members; who is a member already stays as it is."""
    row, own = conversation_of(store, call)
    conversation_id = str(row["id"])
    wanted = request_arguments.new_members(call.body)
    rules.check_add(own["role"], wanted.role)
    user_ids = users_named(store, call, "external_ids", wanted.external_ids)
    members = store.members(conversation_id)
    new = [user_id for user_id in user_ids if user_id not in members]
    if new:
        total = len(members) + len(new)
        rules.check_circle(str(row["type"]), row["member_limit"], total, "external_ids")
        store.add_members(conversation_id, new, wanted.role)
    memberships = [store.membership(conversation_id, user_id) for user_id in user_ids]
    return Result(201, {"data": [*memberships]}, _created(store, row, new))


def remove_member(store: Store, call: Call) -> Result:
    """DELETE /v1/conversations/:id/members/:user_id."""
    row, own = conversation_of(store, call)
    conversation_id, user_id = str(row["id"]), call.id("user_id")
    target = store.membership(conversation_id, user_id)
    if target is None:
        raise ApiRefusal("not_found", "no such member")
    rules.check_removal(row, own, target, store.memberships(conversation_id))
    store.remove_member(conversation_id, user_id)
    topics = (f"conversation:{conversation_id}", f"voice:conversation:{conversation_id}")
    return Result(204, effects=tuple(Eviction(topic, user_id) for topic in topics))


def _created(store: Store, row: JsonObject, user_ids: list[str]) -> tuple[Event, ...]:
    """Return the event for users who are members from now on."""
    names = store.member_names(str(row["id"]))
    payload: JsonObject = {**row, "member_external_ids": [*names]}
    return tuple(Event(f"user:{user_id}", "conversation:created", payload) for user_id in user_ids)
