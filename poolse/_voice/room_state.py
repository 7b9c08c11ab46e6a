"""One voice room as this client sees it: am I in, who else is, and which signals are for me.

Channel changes, events and the user's own actions go in; effects come out: what to push, and what
to tell the handlers. It holds no lock, does no I/O and has no timers.

- Entering takes two steps: the channel is joined, then `voice:join` is pushed. Events from before
  that push belong to an earlier stay, such as a presence that the channel replays.
- The server names a user who enters to that user before all others, so that the first
  `voice:joined` after the push is one's own. A broadcast about somebody else may be on its way
  already: where the subject of the token is known, it settles which of them is oneself.
- There is no event for changes of the presence: it comes once, and the room keeps it current from
  the other events. `voice:joined` does not say who is muted, so that who enters announces it.
- With the connection the server forgets the stay, and all peers close theirs. So nobody is left
  here either, and after the rejoin everybody has to be offered a connection anew.
- Signals go to the whole room. Candidates may overtake the description that they belong to, and a
  peer connection refuses them before that, so they wait for it here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal

import attrs

from poolse._generated.events import (
    VoiceActiveSpeaker,
    VoiceFailed,
    VoiceJoined,
    VoiceLeft,
    VoiceMute,
    VoicePresenceState,
    VoiceSignal,
)
from poolse._generated.models import VoicePresenceMeta
from poolse.errors import PoolseError, VoiceError

__all__ = [
    "Effect",
    "ErrorReported",
    "ParticipantsChanged",
    "Push",
    "RoomState",
    "SignalReceived",
    "StatusChanged",
    "VoiceParticipant",
    "VoiceStatus",
]

VoiceStatus = Literal["idle", "joining", "joined", "left", "failed"]
"""Status of a voice room. After a lost connection it is `joining` again until it is rejoined."""

_EARLY: Final = 1000
"""How many signals wait at most, of all peers together."""

_CANDIDATE: Final = "ice-candidate"


@attrs.frozen
class VoiceParticipant:
    """A user in a voice room."""

    user_id: str
    """poolse ID of the user."""
    muted: bool = False
    """Whether the microphone is muted."""
    speaking: bool = False
    """Whether the user is speaking."""
    joined_at: datetime | None = None
    """Time of the join. None for users who joined after you: the event has no time."""


@attrs.frozen
class Push:
    """A push to send. It has no reply."""

    event: str
    payload: Mapping[str, object]


@attrs.frozen
class StatusChanged:
    """The room has another status."""

    status: VoiceStatus


@attrs.frozen
class ParticipantsChanged:
    """Other users are in the room, or their state is another one."""

    participants: Mapping[str, VoiceParticipant]


@attrs.frozen
class SignalReceived:
    """A signal for this user."""

    signal: VoiceSignal


@attrs.frozen
class ErrorReported:
    """An error for the handlers of errors: a refusal, or what ended the room."""

    error: PoolseError


Effect = Push | StatusChanged | ParticipantsChanged | SignalReceived | ErrorReported
Participants = Mapping[str, VoiceParticipant]

_NOBODY: Final[Participants] = MappingProxyType({})


class RoomState:
    """The state of one room."""

    def __init__(self) -> None:
        self.status: VoiceStatus = "idle"
        self.participants: Participants = _NOBODY
        """By user ID, those who were there first at the front. Empty unless joined."""
        self.user_id: str | None = None
        """Own user ID, once the server has said it."""
        self.error: PoolseError | None = None
        """Why it has failed."""
        self.stay: int = 0
        """Number of the current stay: from the first holder to the last one."""
        self.muted: bool = False
        self.speaking: bool = False
        self._holders = 0
        self._subject: str | None = None
        self._entered = False
        """Whether `voice:join` was pushed on the current join of the channel."""
        self._members: dict[str, VoiceParticipant] = {}
        self._first: str | None = None
        self._has_presence = False
        self._described: set[str] = set()
        """Peers whose offer or answer was passed on."""
        self._early = deque[VoiceSignal](maxlen=_EARLY)
        """Candidates without a description, and signals from before the user ID is known."""

    @property
    def is_held(self) -> bool:
        """Whether anybody wants to be in the room."""
        return self._holders > 0

    def hold(self, subject: str | None, *, muted: bool) -> list[Effect]:
        """Note one holder more; the first one begins a stay.

        Args:
            subject: The user ID in the token, if there is one.
            muted: Whether to enter with the microphone muted. Later holders change nothing.
        """
        self._holders += 1
        if self._holders > 1:
            return []
        self.stay += 1
        self.error = None
        self.user_id = None
        self.muted, self.speaking = muted, False
        self._subject = subject
        return self._become("joining")

    def release(self, stay: int) -> list[Effect]:
        """Note one holder less. The last one of a stay leaves; one of an earlier stay is none."""
        if stay != self.stay or not self._holders:
            return []
        self._holders -= 1
        return [] if self._holders else self.leave()

    def leave(self) -> list[Effect]:
        """Leave, even if the room is still held."""
        goodbye: list[Effect] = [Push("voice:leave", {})] if self._entered else []
        return [*goodbye, *self.ended(None)]

    def ended(self, error: PoolseError | None) -> list[Effect]:
        """Note that the channel has ended: left without an error, or by one."""
        if self.status not in ("joining", "joined"):
            return []
        self._holders = 0
        self.error = error
        effects = [*self._forget(), *self._become("left" if error is None else "failed")]
        return effects if error is None else [*effects, ErrorReported(error)]

    def channel_joined(self) -> list[Effect]:
        """Note that the channel is joined, for the first time or again: enter the room."""
        if not self.is_held:
            return []
        effects = self._forget()
        self._entered = True
        muted, speaking = {"muted": self.muted}, {"speaking": self.speaking}
        effects.append(Push("voice:join", {**muted, **speaking}))
        # Those who are in the room get `voice:joined`, which says neither.
        if self.muted:
            effects.append(Push("voice:mute", muted))
        if self.speaking:
            effects.append(Push("voice:active_speaker", speaking))
        return effects

    def channel_lost(self) -> list[Effect]:
        """Note that the channel is not joined any more, but will be again."""
        return [*self._forget(), *self._become("joining")] if self._entered else []

    def set_muted(self, muted: bool) -> list[Effect]:
        """Mute or unmute the own microphone. Who is muted does not speak.

        Raises:
            VoiceError: Nobody holds the room.
        """
        self._check(self.is_held)
        if muted == self.muted:
            return []
        silence = self.set_speaking(False) if muted else []
        self.muted = muted
        event = "voice:mute" if muted else "voice:unmute"
        return [*silence, *self._announce(event, {"muted": muted})]

    def set_speaking(self, speaking: bool) -> list[Effect]:
        """Start or stop speaking: only transitions are sent, and none while muted.

        Raises:
            VoiceError: Nobody holds the room.
        """
        self._check(self.is_held)
        if speaking == self.speaking or (speaking and self.muted):
            return []
        self.speaking = speaking
        return self._announce("voice:active_speaker", {"speaking": speaking})

    def send_signal(self, payload: Mapping[str, object]) -> list[Effect]:
        """Send a signal.

        Raises:
            VoiceError: The room is not joined, so that no peer could answer.
        """
        self._check(self.status == "joined")
        return [Push("voice:signal", payload)]

    def offers_to(self, peer: str) -> bool:
        """Return whether this user offers the connection to a peer: the lower ID does."""
        return self.user_id is not None and self.user_id < peer

    def receive(self, event: object) -> list[Effect]:
        """Take an event of the channel."""
        if not self._entered:
            return []
        match event:
            case VoiceSignal():
                return self._signals([event])
            case VoiceFailed():
                reason = event.reason or "no reason given"
                return [ErrorReported(VoiceError(f"the voice room refused: {reason}", reason))]
            case VoicePresenceState():
                return self._presence(event)
            case VoiceJoined():
                return self._joined(event.user_id)
            case VoiceLeft() if event.user_id != self.user_id:
                # If the peer comes again, it has a new connection to describe.
                self._described.discard(event.user_id)
                self._forget_early(event.user_id)
                self._members.pop(event.user_id, None)
            case VoiceMute():
                self._change(event.user_id, muted=event.muted)
            case VoiceActiveSpeaker():
                self._change(event.user_id, speaking=event.speaking)
            case _:
                pass
        return self._publish()

    def _joined(self, user_id: str) -> list[Effect]:
        self._first = self._first or user_id
        # Maybe with another device. Connections to the first one stay as they are.
        self._members.setdefault(user_id, VoiceParticipant(user_id))
        return [*self._identify(), *self._publish()]

    def _presence(self, state: VoicePresenceState) -> list[Effect]:
        self._has_presence = True
        present = [_participant(user_id, one.metas) for user_id, one in state.items()]
        present.sort(key=lambda one: (one.joined_at is None, one.joined_at or _LATEST, one.user_id))
        self._members = {one.user_id: one for one in present}
        return [*self._identify(), *self._publish()]

    def _identify(self) -> list[Effect]:
        """Find the own user ID, and be joined with it."""
        if self._first is None or not self._has_presence:
            return []
        if self._subject is not None and self._subject in self._members:
            self.user_id = self._subject
        # What the server says wins over a subject that the room does not know.
        self.user_id = self.user_id or self._first
        if self.status == "joined":
            return []
        early = [*self._early]
        self._early.clear()
        return [*self._become("joined"), *self._publish(), *self._signals(early)]

    def _signals(self, signals: Iterable[VoiceSignal]) -> list[Effect]:
        effects: list[Effect] = []
        for signal in signals:
            effects += self._signal(signal)
        return effects

    def _signal(self, signal: VoiceSignal) -> list[Effect]:
        peer = signal.from_user_id
        if self.status != "joined":
            self._early.append(signal)
            return []
        if peer == self.user_id or signal.target_user_id not in (None, self.user_id):
            return []
        if signal.type != _CANDIDATE:
            self._described.add(peer)
            waiting = [early for early in self._early if early.from_user_id == peer]
            self._forget_early(peer)
            return [SignalReceived(signal), *map(SignalReceived, waiting)]
        if peer not in self._described:
            self._early.append(signal)
            return []
        return [SignalReceived(signal)]

    def _change(
        self, user_id: str, *, muted: bool | None = None, speaking: bool | None = None
    ) -> None:
        member = self._members.get(user_id)
        if member is not None:
            self._members[user_id] = attrs.evolve(
                member,
                muted=member.muted if muted is None else muted,
                speaking=member.speaking if speaking is None else speaking,
            )

    def _announce(self, event: str, payload: Mapping[str, object]) -> list[Effect]:
        """Push a change of one's own. Until the room is entered, `voice:join` will say it."""
        return [Push(event, payload), *self._publish()] if self._entered else []

    def _publish(self) -> list[Effect]:
        """Report the participants, if there is something new."""
        members: dict[str, VoiceParticipant] = {}
        if self.status == "joined" and self.user_id is not None:
            members = dict(self._members)
            # What was set here, since an echo of the server may be older.
            own = members.get(self.user_id, VoiceParticipant(self.user_id))
            members[self.user_id] = attrs.evolve(own, muted=self.muted, speaking=self.speaking)
        if members == self.participants:
            return []
        self.participants = MappingProxyType(members)
        return [ParticipantsChanged(self.participants)]

    def _forget(self) -> list[Effect]:
        """Forget all of the current stay on the server."""
        self._entered = self._has_presence = False
        self._first = None
        self._members = {}
        self._described.clear()
        self._early.clear()
        had_any, self.participants = bool(self.participants), _NOBODY
        return [ParticipantsChanged(_NOBODY)] if had_any else []

    def _forget_early(self, peer: str) -> None:
        rest = (signal for signal in self._early if signal.from_user_id != peer)
        self._early = deque(rest, maxlen=_EARLY)

    def _become(self, status: VoiceStatus) -> list[Effect]:
        if status == self.status:
            return []
        self.status = status
        return [StatusChanged(status)]

    def _check(self, is_allowed: bool) -> None:
        if not is_allowed:
            raise VoiceError(f"the voice room is {self.status}: join it first", "not_joined")


_LATEST: Final = datetime.max.replace(tzinfo=UTC)


def _participant(user_id: str, metas: Iterable[VoicePresenceMeta]) -> VoiceParticipant:
    """Return a user as one participant, whatever the number of connections."""
    metas = list(metas)
    times = [time for meta in metas if (time := _time(meta.joined_at)) is not None]
    return VoiceParticipant(
        user_id,
        muted=bool(metas) and all(meta.mute_state is True for meta in metas),
        speaking=any(meta.speaking_state is True for meta in metas),
        joined_at=min(times, default=None),
    )


def _time(milliseconds: int | None) -> datetime | None:
    try:
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        # A number that is no time is no reason to lose the participant.
        return None
