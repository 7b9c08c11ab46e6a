"""Who listens to what: open sockets, the channels they joined, and what goes out to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from poolse.sandbox import frames, presence
from poolse.sandbox.broadcast_faults import BroadcastFaults
from poolse.sandbox.connections import WebSocketConnection
from poolse.sandbox.presence import Present
from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["Channel", "ChannelRegistry", "Session"]


@dataclass(eq=False)
class Channel:
    """One join of one session."""

    session: Session
    topic: str
    join_ref: Json
    present: Present | None
    """What its topic is told of its coming and going; None where nobody is told."""

    def push(self, event: str, payload: JsonObject) -> None:
        """Send an event to this channel alone."""
        self.session.send(frames.encode(self.join_ref, None, self.topic, event, payload))

    def end(self, event: str, payload: JsonObject) -> None:
        """Tell the client that the channel is over: both refs are the join's."""
        self.session.send(frames.encode(self.join_ref, self.join_ref, self.topic, event, payload))


@dataclass(eq=False)
class Session:
    """One open socket."""

    tenant_id: str
    user_id: str
    external_id: str
    connection: WebSocketConnection
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    """By topic."""
    outbox: asyncio.Queue[str | int] = field(default_factory=asyncio.Queue[str | int])
    """Frames to send, in order; a number is the code to close with."""

    def send(self, frame: str) -> None:
        """Queue a frame."""
        self.outbox.put_nowait(frame)

    def close(self, code: int) -> None:
        """Close the socket once everything before has gone out."""
        self.outbox.put_nowait(code)


class ChannelRegistry:
    """All sessions and all channels."""

    def __init__(self, losses: BroadcastFaults) -> None:
        self._losses = losses
        self.sessions: dict[Session, None] = {}
        self._topics: dict[str, dict[Channel, None]] = {}

    def members(self, topic: str) -> list[Channel]:
        """The channels of a topic, in the order of their joins."""
        return list(self._topics.get(topic, ()))

    def add(self, channel: Channel) -> None:
        """Let a channel hear its topic."""
        channel.session.channels[channel.topic] = channel
        self._topics.setdefault(channel.topic, {})[channel] = None

    def remove(self, channels: Iterable[Channel]) -> None:
        """End channels, and tell those who stay that they are gone."""
        ended = list(channels)
        for channel in ended:
            if channel.session.channels.get(channel.topic) is channel:
                del channel.session.channels[channel.topic]
            listeners = self._topics[channel.topic]
            del listeners[channel]
            if not listeners:
                del self._topics[channel.topic]
        for channel in ended:
            if channel.present is not None:
                self.broadcast(channel.topic, "presence_diff", presence.gone(channel.present))

    def drop(self, session: Session) -> bool:
        """Forget a session; False when that has been done."""
        if session not in self.sessions:
            return False
        del self.sessions[session]
        self.remove(session.channels.values())
        return True

    def broadcast(
        self, topic: str, event: str, payload: JsonObject, *, but_user: str | None = None
    ) -> None:
        """Send an event to a topic, or to all there but one user."""
        listeners = self._topics.get(topic)
        if not listeners:
            return
        frame = frames.encode(None, None, topic, event, payload)
        for channel in listeners:
            if channel.session.user_id != but_user:
                self._losses.carry(event, partial(channel.session.send, frame))
