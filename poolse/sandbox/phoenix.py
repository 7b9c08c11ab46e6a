"""Phoenix channels: what each frame of a client leads to."""

from __future__ import annotations

from collections.abc import Callable

from poolse.sandbox import frames, rules
from poolse.sandbox.api.call import Effect
from poolse.sandbox.api_filter import ApiFilter
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
from poolse.sandbox.pushes import Pushes, UnhandledPush, as_push
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject
from poolse.sandbox.topics import TopicMatch, match_topic

__all__ = ["CRASHED", "Phoenix"]

CRASHED: JsonObject = {"reason": "channel_crash"}
"""Payload of `phx_error`."""

_UNMATCHED: JsonObject = {"reason": "unmatched topic"}
_TOO_MANY: JsonObject = {"reason": "too many channels joined"}


class Phoenix:
    """The channels of the backend."""

    def __init__(
        self,
        store: Store,
        registry: ChannelRegistry,
        *,
        publish: Callable[[Effect], None],
        refuse_join: Callable[[str], str | None],
        on_join: Callable[[str], None],
    ) -> None:
        """Handle the frames of clients.

        Args:
            store: The database.
            registry: Sockets and channels.
            publish: Called with each effect of a push after its commit.
            refuse_join: Returns a reason to refuse the join of a topic, or None.
            on_join: Called with the topic of each join that worked.
        """
        self._store = store
        self._registry = registry
        self._filter = ApiFilter(store.options.api)
        self._pushes = Pushes(store, publish)
        self._refuse_join = refuse_join
        self._on_join = on_join

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
            self._push(channel, frame)

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
        match = match_topic(frame.topic)
        if match is None or not self._filter.has_topic(match.topic.address):
            session.send(frames.reply(frame, None, "error", _UNMATCHED))
            return
        if old is not None:
            # Out of the registry first: the new join gets no event that the old one left.
            self._registry.remove([old])
        refused = self._refused(session, match, frame)
        if refused is not None:
            session.send(frames.reply(frame, frame.join_ref, "error", refused))
        else:
            session.send(frames.reply(frame, frame.join_ref, "ok", {}))
        if old is not None:
            old.end("phx_close", {})
        if refused is None:
            self._enter(session, frame, match)

    def _refused(self, session: Session, match: TopicMatch, frame: Frame) -> JsonObject | None:
        if len(session.channels) >= rules.CHANNELS_PER_SOCKET:
            return _TOO_MANY
        reason = self._refuse_join(frame.topic)
        if reason is None:
            wish = as_push(session, match, frame)
            reason = None if match.topic.may_join(self._store, wish) else "unauthorized"
        return None if reason is None else {"reason": reason}

    def _enter(self, session: Session, frame: Frame, match: TopicMatch) -> None:
        join_ref = frame.ref if frame.join_ref is None else frame.join_ref
        presence = None
        if match.topic.presence:
            meta = new_meta(session.external_id, self._store.clock.now())
            presence = Presence(session.user_id, meta)
        channel = Channel(session, frame.topic, match, join_ref, presence)
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

    def _push(self, channel: Channel, frame: Frame) -> None:
        try:
            reply = self._pushes.carry_out(channel.session, channel.match, frame)
        except UnhandledPush:
            self.crash([channel])
            return
        if reply.response is not None:
            answer = frames.reply(frame, channel.join_ref, reply.status, reply.response)
            channel.session.send(answer)
