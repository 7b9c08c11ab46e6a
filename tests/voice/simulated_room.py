"""A voice room on a simulated server, and clients whose connections lose what was on its way."""

from __future__ import annotations

from collections import deque
from typing import Any

import attrs

from poolse import (
    VoiceActiveSpeaker,
    VoiceJoined,
    VoiceLeft,
    VoiceMute,
    VoicePresence,
    VoicePresenceMeta,
    VoicePresenceState,
    VoiceSignal,
    VoiceSignalType,
)
from poolse._voice.room_state import (
    Effect,
    ParticipantsChanged,
    Push,
    RoomState,
    SignalReceived,
    StatusChanged,
)

__all__ = ["Client", "Server"]


@attrs.define(eq=False)
class Client:
    """One device of a user: its core, its connection, and what its handlers were called with."""

    user_id: str
    subject: str | None
    state: RoomState = attrs.field(factory=RoomState)
    wants: int = 0
    joined: bool = False
    """Whether its channel is joined, as it sees it."""
    inbox: deque[object] = attrs.field(factory=deque[object])
    """Events that are on their way to it."""
    outbox: deque[Push] = attrs.field(factory=deque[Push])
    """Pushes that are on their way to the server."""
    statuses: list[str] = attrs.field(factory=list[str])
    seen: dict[str, Any] = attrs.field(factory=dict[str, Any])
    signals: list[VoiceSignal] = attrs.field(factory=list[VoiceSignal])
    described: set[str] = attrs.field(factory=set[str])
    entered: int = 0

    def act(self, effects: list[Effect]) -> None:
        """Carry out effects, and judge each."""
        for effect in effects:
            match effect:
                case Push("voice:join"):
                    assert self.joined
                    self.entered += 1
                    self.outbox.append(effect)
                case Push():
                    assert self.joined
                    self.outbox.append(effect)
                case StatusChanged(status):
                    assert [status] != self.statuses[-1:]
                    self.statuses.append(status)
                case ParticipantsChanged(participants):
                    assert dict(participants) != self.seen
                    self.seen = dict(participants)
                case SignalReceived(signal):
                    self.check(signal)
                    self.signals.append(signal)
                case _:
                    raise AssertionError(effect)
        assert dict(self.state.participants) == self.seen
        assert [self.state.status] == (self.statuses or ["idle"])[-1:]
        assert (self.state.status == "joined") or not self.seen
        assert self.state.is_held == (self.wants > 0)

    def check(self, signal: VoiceSignal) -> None:
        """A signal is for this user, from somebody else, and no candidate comes first."""
        assert self.state.status == "joined"
        assert signal.target_user_id == self.user_id != signal.from_user_id
        if signal.type != "ice-candidate":
            self.described.add(signal.from_user_id)
        assert signal.from_user_id in self.described


@attrs.define(eq=False)
class Server:
    """What the sandbox does, one message at a time."""

    clients: list[Client]
    room: dict[Client, VoicePresenceMeta] = attrs.field(factory=dict[Client, VoicePresenceMeta])
    channels: set[Client] = attrs.field(factory=set[Client])
    """Those whose channel is joined on the server, in the order of their joins."""
    time: int = 1_780_000_000_000

    def join(self, client: Client) -> None:
        """Join the channel of a client that wants to be in."""
        if client.wants and not client.joined:
            self.channels.add(client)
            client.joined = True
            client.described.clear()
            client.act(client.state.channel_joined())

    def drop(self, client: Client) -> None:
        """Lose the connection of a client, and all that is on its way."""
        client.inbox.clear()
        client.outbox.clear()
        if client.joined:
            client.joined = False
            client.act(client.state.channel_lost())
        self.gone(client)

    def gone(self, client: Client) -> None:
        """The server notices that a channel has ended."""
        self.channels.discard(client)
        self.leave(client)

    def leave(self, client: Client) -> None:
        if self.room.pop(client, None) and not self.is_in(client.user_id):
            self.broadcast(VoiceLeft(user_id=client.user_id))

    def is_in(self, user_id: str) -> bool:
        return any(one.user_id == user_id for one in self.room)

    def broadcast(self, event: object, but: Client | None = None) -> None:
        for client in self.clients:
            if client in self.channels and client is not but:
                client.inbox.append(event)

    def take(self, client: Client) -> None:
        """Work off the next push of a client."""
        if not client.outbox:
            return
        push = client.outbox.popleft()
        if client not in self.channels:
            return
        match push:
            case Push("voice:join", payload):
                self.enter(client, payload)
            case Push("voice:leave"):
                self.leave(client)
                if not client.wants:
                    self.gone(client)
            case Push("voice:mute" | "voice:unmute", payload):
                self.change(client, mute_state=payload["muted"])
                self.broadcast(VoiceMute(user_id=client.user_id, muted=bool(payload["muted"])))
            case Push("voice:active_speaker", payload):
                speaking = bool(payload["speaking"])
                self.change(client, speaking_state=speaking)
                self.broadcast(VoiceActiveSpeaker(user_id=client.user_id, speaking=speaking))
            case Push("voice:signal", payload):
                signal: Any = payload
                self.broadcast(VoiceSignal(from_user_id=client.user_id, **signal))
            case _:
                raise AssertionError(push)

    def enter(self, client: Client, payload: Any) -> None:
        was_in = self.is_in(client.user_id)
        self.time += 1
        self.room[client] = VoicePresenceMeta(
            user_id=client.user_id,
            mute_state=payload["muted"],
            speaking_state=payload["speaking"],
            joined_at=self.time,
        )
        joined = VoiceJoined(user_id=client.user_id)
        client.inbox += [joined, self.presence()]
        if not was_in:
            self.broadcast(joined, but=client)

    def change(self, client: Client, **changes: Any) -> None:
        if client in self.room:
            self.room[client] = attrs.evolve(self.room[client], **changes)

    def presence(self) -> VoicePresenceState:
        metas: dict[str, list[VoicePresenceMeta]] = {}
        for client, meta in self.room.items():
            metas.setdefault(client.user_id, []).append(meta)
        return VoicePresenceState(
            {user_id: VoicePresence(metas=of_user) for user_id, of_user in metas.items()}
        )

    def give(self, client: Client) -> None:
        """Deliver the next event to a client."""
        if client.inbox:
            event = client.inbox.popleft()
            if isinstance(event, VoiceLeft):
                client.described.discard(event.user_id)
            client.act(client.state.receive(event))

    def settle(self) -> None:
        """Let everything arrive."""
        for client in self.clients:
            self.join(client)
        while any(client.inbox or client.outbox for client in self.clients):
            for client in self.clients:
                self.take(client)
                self.give(client)


def signal_to(user_id: str, kind: str) -> dict[str, object]:
    """The payload of a signal."""
    return {"type": VoiceSignalType(kind), "target_user_id": user_id, "data": {"sdp": "v=0"}}
