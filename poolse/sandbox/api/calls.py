"""Signalling of calls: pushes to one's own topic, events to the topics of the others."""

from __future__ import annotations

from typing import NamedTuple

from poolse.sandbox import rules
from poolse.sandbox.api.call import Event
from poolse.sandbox.api.channel_push import Push, Reply
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.store import Store
from poolse.sandbox.store.calls import Answer, LiveCall
from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["accept", "cancel", "decline", "hang_up", "invite", "report_busy"]


class _Callee(NamedTuple):
    """The user as a callee of a call that is not over."""

    call: LiveCall
    answer: Answer


def invite(store: Store, push: Push) -> Reply:
    """`call:invite` rings all other members of a conversation."""
    conversation_id = str(push.payload["conversation_id"]).lower()
    _check_member(store, push, conversation_id)
    members = store.memberships(conversation_id)
    callee_ids = [str(one["user_id"]) for one in members if one["user_id"] != push.user_id]
    call = store.calls.add(conversation_id, push.user_id, callee_ids)
    media = push.payload.get("media", "audio")
    ring: JsonObject = {
        "call_id": call.id,
        "conversation_id": conversation_id,
        "caller_user_id": push.user_id,
        "media": media,
    }
    callees: list[Json] = [*callee_ids]
    invitation: JsonObject = {
        "call_id": call.id,
        "conversation_id": conversation_id,
        "callee_user_ids": callees,
        "media": media,
    }
    events = (Event(f"user:{user_id}", "call:incoming", ring) for user_id in callee_ids)
    return Reply(invitation, tuple(events))


def accept(store: Store, push: Push) -> Reply:
    """`call:accept` of a callee who has not answered yet."""
    call, answer = _callee(store, push)
    if answer is not Answer.NONE:
        return _refusal("already_answered")
    call.answers[push.user_id] = Answer.ACCEPTED
    payload = _by_user(call, push)
    # The user's other devices stop ringing; the one that accepted gets the reply.
    own = Event(push.topic, "call:accepted", payload, but=push.session)
    return Reply({}, (Event(f"user:{call.caller_id}", "call:accepted", payload), own))


def decline(store: Store, push: Push) -> Reply:
    """`call:decline` of a callee who has not answered yet."""
    return _refuse(store, push, "call:declined")


def report_busy(store: Store, push: Push) -> Reply:
    """`call:busy` of a callee who has not answered yet."""
    return _refuse(store, push, "call:busy")


def cancel(store: Store, push: Push) -> Reply:
    """`call:cancel` of the caller, before anybody has accepted."""
    call = _call(store, push)
    if call.caller_id != push.user_id:
        raise ApiRefusal("forbidden", "only the caller may cancel a call")
    if call.accepted:
        return _refusal("already_accepted")
    store.calls.end(call)
    payload: JsonObject = {
        "call_id": call.id,
        "conversation_id": call.conversation_id,
        "caller_user_id": call.caller_id,
    }
    _, *ringing = call.user_ids
    events = (Event(f"user:{user_id}", "call:cancelled", payload) for user_id in ringing)
    return Reply({}, tuple(events))


def hang_up(store: Store, push: Push) -> Reply:
    """`call:hangup` of somebody who is in the call ends it for all."""
    call = _call(store, push)
    in_call = push.user_id == call.caller_id or call.answers.get(push.user_id) is Answer.ACCEPTED
    if not in_call:
        raise ApiRefusal("forbidden", "you are not in this call")
    if not call.accepted:
        return _refusal("not_accepted")
    store.calls.end(call)
    payload = _by_user(call, push)
    others = [user_id for user_id in call.user_ids if user_id != push.user_id]
    events = (Event(f"user:{user_id}", "call:ended", payload) for user_id in others)
    return Reply({}, tuple(events))


def _refuse(store: Store, push: Push, event: str) -> Reply:
    call, answer = _callee(store, push)
    if answer is not Answer.NONE:
        return _refusal("already_answered")
    call.answers[push.user_id] = Answer.REFUSED
    if call.refused_by_all:
        store.calls.end(call)
    return Reply({}, (Event(f"user:{call.caller_id}", event, _by_user(call, push)),))


def _call(store: Store, push: Push) -> LiveCall:
    conversation_id = str(push.payload["conversation_id"]).lower()
    _check_member(store, push, conversation_id)
    call = store.calls.get(str(push.payload["call_id"]), conversation_id)
    if call is None:
        raise ApiRefusal("not_found", "there is no such call, or it is over")
    return call


def _callee(store: Store, push: Push) -> _Callee:
    call = _call(store, push)
    if call.caller_id != str(push.payload["caller_user_id"]).lower():
        raise ApiRefusal("not_found", "that user does not call")
    answer = call.answers.get(push.user_id)
    if answer is None:
        raise ApiRefusal("forbidden", "you are not called")
    return _Callee(call, answer)


def _check_member(store: Store, push: Push, conversation_id: str) -> None:
    conversation = store.conversation(push.tenant_id, conversation_id)
    rules.membership_of(conversation, store.membership(conversation_id, push.user_id))


def _by_user(call: LiveCall, push: Push) -> JsonObject:
    return {
        "call_id": call.id,
        "conversation_id": call.conversation_id,
        "user_id": push.user_id,
    }


def _refusal(reason: str) -> Reply:
    return Reply({"reason": reason}, status="error")
