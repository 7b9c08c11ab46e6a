"""Phoenix channels: what each frame of a client leads to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from poolse.sandbox import frames, rules
from poolse.sandbox.channel_registry import (
    Channel,
    ChannelRegistry,
    Presence,
    Session,
    new_meta,
    presence_diff,
    presence_state,
)
from poolse.sandbox.frames import Frame
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = ["CRASHED", "Phoenix"]

CRASHED: JsonObject = {"reason": "channel_crash"}
"""Payload of `phx_error`."""

_UNMATCHED: JsonObject = {"reason": "unmatched topic"}
_TOO_MANY: JsonObject = {"reason": "too many channels joined"}


@dataclass(frozen=True)
class Kind:
    """One kind of channel. An event that it does not handle crashes it, as in Phoenix."""

    may_join: Callable[[Session, str], bool]
    """Takes what follows the colon of the topic."""
    presence: bool
    """Whether presence is tracked."""
    events: Mapping[str, Callable[[Channel], None]]


class Typing(NamedTuple):
    """A user who is typing in a conversation."""

    broadcast: float
    """When `typing:start` was sent last, by the loop's clock."""
    stop: asyncio.TimerHandle


class Phoenix:
    """The channels of the backend."""

    def __init__(
        self,
        store: Store,
        registry: ChannelRegistry,
        *,
        typing_timeout: float,
        refuse_join: Callable[[str], str | None],
        on_join: Callable[[str], None],
    ) -> None:
        """Handle the frames of clients.

        Args:
            store: The database.
            registry: Sockets and channels.
            typing_timeout: Seconds after the last `typing` until `typing:stop`.
            refuse_join: Returns a reason to refuse the join of a topic, or None.
            on_join: Called with the topic of each join that worked.
        """
        self._store = store
        self._registry = registry
        self._typing_timeout = typing_timeout
        self._refuse_join = refuse_join
        self._on_join = on_join
        self._typing: dict[tuple[str, str], Typing] = {}
        self._kinds = {
            "conversation": Kind(
                may_join=self._is_member, presence=True, events={"typing": self._on_typing}
            ),
            "user": Kind(may_join=_is_oneself, presence=False, events={}),
        }

    def handle(self, session: Session, frame: Frame) -> None:
        """Handle a frame."""
        channel = session.channels.get(frame.topic)
        if frame.topic == "phoenix" and frame.event == "heartbeat":
            session.send(frames.reply(frame, None, "ok", {}))
        elif frame.event == "phx_join":
            self._join(session, frame, channel)
        elif channel is None:
            self._miss(session, frame)
        elif frame.join_ref is not None and frame.join_ref != channel.join_ref:
            # Meant for an earlier join of the topic: dropped without a word.
            return
        elif frame.event == "phx_leave":
            self._leave(channel, frame)
        else:
            self._push(channel, frame.event)

    def crash(self, channels: list[Channel]) -> None:
        """End channels as if their processes had died; their sockets stay."""
        for channel in channels:
            channel.end("phx_error", CRASHED)
        self._registry.remove(channels)

    def close(self, channels: list[Channel]) -> None:
        """End channels on purpose."""
        for channel in channels:
            channel.end("phx_close", {})
        self._registry.remove(channels)

    def _join(self, session: Session, frame: Frame, old: Channel | None) -> None:
        prefix, colon, _ = frame.topic.partition(":")
        kind = self._kinds.get(prefix) if colon else None
        if kind is None:
            session.send(frames.reply(frame, None, "error", _UNMATCHED))
            return
        if old is not None:
            # Out of the registry first: the new join gets no event that the old one left.
            self._registry.remove([old])
        refused = self._refused(session, kind, frame.topic)
        if refused is not None:
            session.send(frames.reply(frame, frame.join_ref, "error", refused))
        else:
            session.send(frames.reply(frame, frame.join_ref, "ok", {}))
        if old is not None:
            old.end("phx_close", {})
        if refused is None:
            self._enter(session, frame, kind)

    def _refused(self, session: Session, kind: Kind, topic: str) -> JsonObject | None:
        if len(session.channels) >= rules.CHANNELS_PER_SOCKET:
            return _TOO_MANY
        reason = self._refuse_join(topic)
        if reason is None and not kind.may_join(session, topic.partition(":")[2]):
            reason = "unauthorized"
        return None if reason is None else {"reason": reason}

    def _enter(self, session: Session, frame: Frame, kind: Kind) -> None:
        join_ref = frame.ref if frame.join_ref is None else frame.join_ref
        presence = None
        if kind.presence:
            meta = new_meta(session.external_id, self._store.clock.now())
            presence = Presence(session.user_id, meta)
        channel = Channel(session, frame.topic, join_ref, presence)
        self._registry.add(channel)
        if presence is not None:
            # One's own arrival comes before the state, as from the usual track-then-push.
            diff = presence_diff(joined=[presence])
            self._registry.broadcast(frame.topic, "presence_diff", diff)
            channels = self._registry.members(frame.topic)
            present = [channel.presence for channel in channels if channel.presence is not None]
            channel.push("presence_state", presence_state(present))
        self._on_join(frame.topic)

    def _miss(self, session: Session, frame: Frame) -> None:
        """A frame for a topic that is not joined: to leave it is fine, all else is not."""
        if frame.event == "phx_leave":
            session.send(frames.reply(frame, frame.join_ref, "ok", {}))
        else:
            session.send(frames.reply(frame, None, "error", _UNMATCHED))

    def _leave(self, channel: Channel, frame: Frame) -> None:
        channel.session.send(frames.reply(frame, frame.join_ref, "ok", {}))
        self.close([channel])

    def _push(self, channel: Channel, event: str) -> None:
        kind = self._kinds[channel.topic.partition(":")[0]]
        handle = kind.events.get(event)
        if handle is None:
            self.crash([channel])
        else:
            handle(channel)

    def _is_member(self, session: Session, conversation_id: str) -> bool:
        row = self._store.conversation(session.tenant_id, conversation_id)
        own = self._store.membership(conversation_id, session.user_id)
        return row is not None and own is not None

    def _on_typing(self, channel: Channel) -> None:
        """Broadcast `typing:start`, once in each window while pushes continue. No reply is sent."""
        key = channel.topic, channel.session.user_id
        loop = asyncio.get_running_loop()
        now = broadcast = loop.time()
        if (running := self._typing.get(key)) is not None:
            running.stop.cancel()
            broadcast = running.broadcast
        if running is None or now - broadcast >= rules.TYPING_WINDOW:
            self._broadcast_typing("typing:start", *key)
            broadcast = now
        stop = loop.call_later(self._typing_timeout, self._stop_typing, *key)
        self._typing[key] = Typing(broadcast, stop)

    def _stop_typing(self, topic: str, user_id: str) -> None:
        del self._typing[topic, user_id]
        self._broadcast_typing("typing:stop", topic, user_id)

    def _broadcast_typing(self, event: str, topic: str, user_id: str) -> None:
        self._registry.broadcast(topic, event, {"user_id": user_id}, but_user=user_id)


def _is_oneself(session: Session, user_id: str) -> bool:
    return user_id == session.user_id
