"""Signalling of voice rooms. No push has a reply: what is refused is reported by `voice:error`."""

from __future__ import annotations

from poolse.sandbox.api.call import Direct, Effect, Event
from poolse.sandbox.api.channel_push import Push, Reply
from poolse.sandbox.store import Store
from poolse.sandbox.store.voice_rooms import VoiceConnection
from poolse.sandbox.strict_json import JsonObject

__all__ = ["enter", "leave", "left", "mute", "show_speaking", "signal"]


def enter(store: Store, push: Push) -> Reply:
    """`voice:join` makes a user who has joined the topic a participant of the room."""
    rooms, topic = store.voice_rooms, push.topic
    present = rooms.is_in(topic, push.user_id)
    connection = VoiceConnection(
        user_id=push.user_id,
        muted=push.payload["muted"] is True,
        speaking=push.payload["speaking"] is True,
        joined_at=int(store.clock.now() * 1000),
    )
    rooms.enter(topic, push.session, connection)
    joined: JsonObject = {"user_id": push.user_id}
    # To the user alone, and first: this is how clients learn who they are.
    own: tuple[Effect, ...] = (
        Direct(push.session, topic, "voice:joined", joined),
        Direct(push.session, topic, "voice:presence_state", rooms.presence_state(topic)),
    )
    if present:
        return Reply(effects=own)
    return Reply(effects=(*own, Event(topic, "voice:joined", joined, but=push.session)))


def leave(store: Store, push: Push) -> Reply:
    """`voice:leave`; the topic stays joined."""
    return Reply(effects=left(store, push.topic, push.session))


def left(store: Store, topic: str, session: object) -> tuple[Effect, ...]:
    """Remove a socket from a room; tell the others if it was the last one of its user."""
    connection = store.voice_rooms.leave(topic, session)
    if connection is None or store.voice_rooms.is_in(topic, connection.user_id):
        return ()
    return (Event(topic, "voice:left", {"user_id": connection.user_id}),)


def mute(store: Store, push: Push) -> Reply:
    """`voice:mute` and `voice:unmute`; both carry the state."""
    connection = store.voice_rooms.get(push.topic, push.session)
    if connection is None:
        return _refusal(push, "not_joined")
    connection.muted = push.payload["muted"] is True
    payload: JsonObject = {"user_id": push.user_id, "muted": connection.muted}
    return Reply(effects=(Event(push.topic, "voice:mute", payload),))


def show_speaking(store: Store, push: Push) -> Reply:
    """`voice:active_speaker`."""
    connection = store.voice_rooms.get(push.topic, push.session)
    if connection is None:
        return _refusal(push, "not_joined")
    connection.speaking = push.payload["speaking"] is True
    payload: JsonObject = {"user_id": push.user_id, "speaking": connection.speaking}
    return Reply(effects=(Event(push.topic, "voice:active_speaker", payload),))


def signal(store: Store, push: Push) -> Reply:
    """`voice:signal` goes to the whole room, the sender included."""
    if store.voice_rooms.get(push.topic, push.session) is None:
        return _refusal(push, "not_joined")
    if not push.payload["data"]:
        return _refusal(push, "invalid_signal")
    payload: JsonObject = {
        "from_user_id": push.user_id,
        "type": push.payload["type"],
        "target_user_id": push.payload["target_user_id"],
        "data": push.payload["data"],
    }
    return Reply(effects=(Event(push.topic, "voice:signal", payload),))


def _refusal(push: Push, reason: str) -> Reply:
    return Reply(effects=(Direct(push.session, push.topic, "voice:error", {"reason": reason}),))
