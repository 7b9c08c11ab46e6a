"""Open sockets, the channels they joined, presence, and broadcasts to them."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from poolse.sandbox import frames
from poolse.sandbox.api_filter import ApiFilter
from poolse.sandbox.channel_validation import check_event
from poolse.sandbox.faults import BroadcastFaults
from poolse.sandbox.strict_json import Json, JsonObject
from poolse.sandbox.topics import TopicMatch, match_topic
from poolse.sandbox.uvicorn_protocols import WebSocketConnection

__all__ = [
    "Channel",
    "ChannelRegistry",
    "Presence",
    "Session",
    "new_meta",
    "presence_diff",
    "presence_state",
]


class Presence(NamedTuple):
    """One joined channel of a user: Phoenix calls its details a meta."""

    user_id: str
    meta: JsonObject


def new_meta(external_id: str, now: float) -> JsonObject:
    """Return the meta of a channel that is joined now, a Unix time."""
    phx_ref = base64.urlsafe_b64encode(secrets.token_bytes(12)).decode()
    return {"external_id": external_id, "online_at": int(now), "phx_ref": phx_ref}


def presence_state(present: Iterable[Presence]) -> JsonObject:
    """Return the payload of `presence_state`: every user with all metas."""
    metas: dict[str, list[Json]] = {}
    for user_id, meta in present:
        metas.setdefault(user_id, []).append(meta)
    return {user_id: {"metas": of_user} for user_id, of_user in metas.items()}


def presence_diff(joined: Iterable[Presence] = (), left: Iterable[Presence] = ()) -> JsonObject:
    """Return the payload of `presence_diff`."""
    return {"joins": presence_state(joined), "leaves": presence_state(left)}


@dataclass(eq=False)
class Channel:
    """One join of one session."""

    session: Session
    topic: str
    match: TopicMatch
    join_ref: Json
    presence: Presence | None
    """Sent to its topic on join and leave; None in topics without presence."""

    def push(self, event: str, payload: JsonObject) -> None:
        """Send an event of the backend to this channel alone."""
        check_event(self.topic, event, payload)
        self.session.send(frames.encode(self.join_ref, None, self.topic, event, payload))

    def end(self, event: str, payload: JsonObject) -> None:
        """Send the end of the channel: both refs are the join's."""
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

    def __init__(
        self, faults: BroadcastFaults, api_filter: ApiFilter, on_end: Callable[[Channel], None]
    ) -> None:
        """Start without any; `on_end` is called with each channel that was removed."""
        self._faults = faults
        self._filter = api_filter
        self._on_end = on_end
        self.sessions: dict[Session, None] = {}
        self._topics: dict[str, dict[Channel, None]] = {}

    def members(self, topic: str) -> list[Channel]:
        """Return the channels of a topic, in the order of their joins."""
        return list(self._topics.get(topic, ()))

    def add(self, channel: Channel) -> None:
        """Add a channel to its topic."""
        channel.session.channels[channel.topic] = channel
        self._topics.setdefault(channel.topic, {})[channel] = None

    def remove(self, channels: Iterable[Channel]) -> None:
        """Remove channels, and broadcast that they have left."""
        ended = list(channels)
        for channel in ended:
            if channel.session.channels.get(channel.topic) is channel:
                del channel.session.channels[channel.topic]
            listeners = self._topics[channel.topic]
            del listeners[channel]
            if not listeners:
                del self._topics[channel.topic]
        for channel in ended:
            if channel.presence is not None:
                diff = presence_diff(left=[channel.presence])
                self.broadcast(channel.topic, "presence_diff", diff)
            self._on_end(channel)

    def drop(self, session: Session) -> bool:
        """Remove a session; return False if that was done before."""
        if session not in self.sessions:
            return False
        del self.sessions[session]
        self.remove(session.channels.values())
        return True

    def broadcast(
        self,
        topic: str,
        event: str,
        payload: JsonObject,
        *,
        but_user: str | None = None,
        but: object = None,
    ) -> None:
        """Send an event of the backend to a topic, or to all but one user or one session."""
        match = match_topic(topic)
        if match is not None:
            shown = self._filter.event(match.topic.address, event, payload)
        else:
            shown = payload
        if shown is not None:
            check_event(topic, event, shown, self._filter.version)
            self.deliver(topic, event, shown, but_user=but_user, but=but)

    def deliver(
        self,
        topic: str,
        event: str,
        payload: JsonObject,
        *,
        but_user: str | None = None,
        but: object = None,
    ) -> None:
        """Send an event to a topic, whatever the spec says."""
        listeners = self._topics.get(topic)
        if not listeners:
            return
        frame = frames.encode(None, None, topic, event, payload)
        for channel in listeners:
            if channel.session.user_id != but_user and channel.session is not but:
                self._faults.deliver(event, partial(channel.session.send, frame))
