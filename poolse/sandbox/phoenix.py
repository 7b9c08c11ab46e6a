"""Phoenix channels: what each frame of a client leads to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from poolse.sandbox import frames, presence, rules
from poolse.sandbox.channel_registry import Channel, ChannelRegistry, Session
from poolse.sandbox.frames import Frame
from poolse.sandbox.presence import Present
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
    present: bool
    """Whether those who joined see each other."""
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
        hub: ChannelRegistry,
        *,
        typing_timeout: float,
        refuse_join: Callable[[str], str | None],
        on_join: Callable[[str], None],
    ) -> None:
        """Take what the channels stand on.

        Args:
            store: The rows.
            hub: Who listens to what.
            typing_timeout: Seconds after the last `typing` until `typing:stop`.
            refuse_join: Returns a reason to refuse the join of a topic, or None.
            on_join: Called with the topic of each join that worked.
        """
        self._store = store
        self._hub = hub
        self._typing_timeout = typing_timeout
        self._refuse_join = refuse_join
        self._on_join = on_join
        self._typing: dict[tuple[str, str], Typing] = {}
        self._kinds = {
            "conversation": Kind(
                may_join=self._is_member, present=True, events={"typing": self._on_typing}
            ),
            "user": Kind(may_join=_is_oneself, present=False, events={}),
        }

    def handle(self, session: Session, frame: Frame) -> None:
        """Do what a frame asks for."""
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
        self._hub.remove(channels)

    def close(self, channels: list[Channel]) -> None:
        """End channels on purpose."""
        for channel in channels:
            channel.end("phx_close", {})
        self._hub.remove(channels)

    def _join(self, session: Session, frame: Frame, old: Channel | None) -> None:
        prefix, colon, _ = frame.topic.partition(":")
        kind = self._kinds.get(prefix) if colon else None
        if kind is None:
            session.send(frames.reply(frame, None, "error", _UNMATCHED))
            return
        if old is not None:
            # Out of the hub first: the new join does not hear that the old one went.
            self._hub.remove([old])
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
        present = None
        if kind.present:
            meta = presence.new_meta(session.external_id, self._store.clock.now())
            present = Present(session.user_id, meta)
        channel = Channel(session, frame.topic, join_ref, present)
        self._hub.add(channel)
        if present is not None:
            # One's own arrival comes before the state, as from the usual track-then-push.
            self._hub.broadcast(frame.topic, "presence_diff", presence.arrived(present))
            channel.push("presence_state", presence.state(self._present(frame.topic)))
        self._on_join(frame.topic)

    def _present(self, topic: str) -> Iterator[Present]:
        for channel in self._hub.members(topic):
            if channel.present is not None:
                yield channel.present

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
            self._tell_typing("typing:start", *key)
            broadcast = now
        stop = loop.call_later(self._typing_timeout, self._stop_typing, *key)
        self._typing[key] = Typing(broadcast, stop)

    def _stop_typing(self, topic: str, user_id: str) -> None:
        del self._typing[topic, user_id]
        self._tell_typing("typing:stop", topic, user_id)

    def _tell_typing(self, event: str, topic: str, user_id: str) -> None:
        self._hub.broadcast(topic, event, {"user_id": user_id}, but_user=user_id)


def _is_oneself(session: Session, user_id: str) -> bool:
    return user_id == session.user_id
