"""Members of a conversation."""

from __future__ import annotations

from poolse.sandbox import requests, rules
from poolse.sandbox.api.call import Answer, Call, Event, Eviction, conversation_of, users_named
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.store import Store

__all__ = ["add_members", "list_members", "remove_member"]


def list_members(store: Store, call: Call) -> Answer:
    """GET /v1/conversations/:id/members."""
    row, _ = conversation_of(store, call)
    return Answer(200, {"data": [*store.memberships(str(row["id"]))]})


def add_members(store: Store, call: Call) -> Answer:
    """POST /v1/conversations/:id/members; who is a member already stays as it is."""
    row, own = conversation_of(store, call)
    conversation_id = str(row["id"])
    wanted = requests.new_members(call.body)
    rules.check_add(own["role"], wanted.role)
    user_ids = users_named(store, call, wanted.external_ids)
    members = store.members(conversation_id)
    new = [user_id for user_id in user_ids if user_id not in members]
    if new:
        total = len(members) + len(new)
        rules.check_circle(str(row["type"]), row["member_limit"], total, "external_ids")
        store.add_members(conversation_id, new, wanted.role)
    found = [store.membership(conversation_id, user_id) for user_id in user_ids]
    told = (Event(f"user:{user_id}", "conversation:created", row) for user_id in new)
    return Answer(201, {"data": [*found]}, tuple(told))


def remove_member(store: Store, call: Call) -> Answer:
    """DELETE /v1/conversations/:id/members/:user_id."""
    row, own = conversation_of(store, call)
    conversation_id, user_id = str(row["id"]), call.id("user_id")
    target = store.membership(conversation_id, user_id)
    if target is None:
        raise ApiRefusal("not_found", "no such member")
    rules.check_removal(row, own, target, store.memberships(conversation_id))
    store.remove_member(conversation_id, user_id)
    return Answer(204, effects=(Eviction(f"conversation:{conversation_id}", user_id),))
