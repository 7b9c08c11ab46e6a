"""Who may join a topic, and what its pushes do."""

from __future__ import annotations

from poolse.sandbox.api.call import Typing
from poolse.sandbox.api.channel_push import Push, Reply
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = ["is_member", "is_oneself", "show_typing"]


def is_member(store: Store, push: Push) -> bool:
    """Return whether the user is a member of the conversation of the topic."""
    row = store.conversation(push.tenant_id, push.topic_id)
    return row is not None and store.membership(push.topic_id, push.user_id) is not None


def is_oneself(_: Store, push: Push) -> bool:
    """Return whether the topic is the user's own."""
    return push.topic_id == push.user_id


def show_typing(_: Store, push: Push) -> Reply:
    """`typing` in conversations."""
    payload: JsonObject = {"user_id": push.user_id, "external_id": push.external_id}
    return Reply(effects=(Typing(push.topic, push.user_id, payload),))
