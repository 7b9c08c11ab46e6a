"""The calls of a user: what each signal means for them.

Events and the user's own actions go in; what changed, and what has to be sent, comes out. The
server keeps no timer, so that each side ends an unanswered call by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, Literal

import attrs

from poolse._generated.events import (
    CallAccepted,
    CallBusy,
    CallCancelled,
    CallDeclined,
    CallEnded,
    CallIncoming,
)
from poolse.errors import CallStateError

__all__ = [
    "RING_TIME",
    "Answer",
    "CallRecord",
    "CallRegistry",
    "CallStatus",
    "Changed",
    "Effect",
    "Refusal",
]

CallStatus = Literal["ringing", "accepted", "declined", "busy", "cancelled", "ended", "missed"]
"""Status of a call. It is `ringing`, may become `accepted`, and ends with one of the others."""

Refusal = Literal["declined", "busy"]
Signal = CallAccepted | CallBusy | CallCancelled | CallDeclined | CallEnded

RING_TIME: Final = 45.0
"""Seconds until an unanswered call is missed."""

_REMEMBERED: Final = 1000
"""How many calls that are over are known, so that a late ring does not start them again."""

_EARLY: Final = 1000
"""How many signals are kept that came before the reply to the invitation."""


@attrs.define(eq=False, kw_only=True)
class CallRecord:
    """One call, as last known."""

    id: str
    conversation_id: str
    caller_user_id: str
    media: str
    is_incoming: bool
    deadline: float
    """Time at which it is missed, unless it is answered."""
    callee_user_ids: tuple[str, ...] = ()
    """Of an outgoing call: who is called; empty if the server does not say."""
    status: CallStatus = "ringing"
    accepted_by: str | None = None
    refusals: dict[str, Refusal] = attrs.field(factory=dict[str, Refusal])
    """By the user who refused."""
    is_answering: bool = False
    """Whether the server has yet to confirm that it is accepted."""
    is_cancelled: bool = False
    """Whether it was cancelled in the meantime."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status not in ("ringing", "accepted")


@attrs.frozen
class Changed:
    """The status of a call is another one, or it rings for the first time."""

    call: CallRecord


@attrs.frozen
class Answer:
    """The server must be told of what was decided here."""

    call: CallRecord
    action: Literal["busy", "cancel", "decline"]


Effect = Changed | Answer


class CallRegistry:
    """All calls of a user that are not over."""

    def __init__(self, *, ring_time: float = RING_TIME, auto_busy: bool = True) -> None:
        """Start without calls.

        Args:
            ring_time: Seconds until an unanswered call is missed.
            auto_busy: Whether a call that comes during another one is answered with busy.
        """
        self.user_id: str = ""
        """Whose calls they are; empty until it is known."""
        self.calls: dict[str, CallRecord] = {}
        """Those that are not over, by their IDs."""
        self._ring_time = ring_time
        self._auto_busy = auto_busy
        self._over = deque[str](maxlen=_REMEMBERED)
        self._inviting = 0
        self._early = deque[Signal](maxlen=_EARLY)

    @property
    def deadline(self) -> float | None:
        """Time of the next `expire`; None without a call that rings."""
        return min((call.deadline for call in self._ringing()), default=None)

    def begin_invite(self) -> None:
        """An invitation is sent, whose reply has the ID of the call. Signals may come before it."""
        self._inviting += 1

    def end_invite(self) -> None:
        """The invitation has its reply, or will have none."""
        self._inviting -= 1
        if not self._inviting:
            self._early.clear()

    def invited(
        self,
        call_id: str,
        conversation_id: str,
        media: str | None,
        callees: Iterable[str],
        now: float,
    ) -> tuple[CallRecord, list[Effect]]:
        """Add the call of an invitation that the server accepted."""
        call = CallRecord(
            id=call_id,
            conversation_id=conversation_id,
            caller_user_id=self.user_id,
            media=_media_of(media),
            is_incoming=False,
            deadline=now + self._ring_time,
            callee_user_ids=tuple(callees),
        )
        self.calls[call_id] = call
        early = [signal for signal in self._early if signal.call_id == call_id]
        return call, [effect for signal in early for effect in self.receive(signal, now)]

    def receive(self, event: object, now: float) -> list[Effect]:
        """Take an event of the user's channel. All but those of calls are ignored."""
        match event:
            case CallIncoming():
                return self._incoming(event, now)
            case CallAccepted() | CallBusy() | CallCancelled() | CallDeclined() | CallEnded():
                call = self.calls.get(event.call_id)
                if call is not None:
                    return self._signal(call, event)
                if self._inviting:
                    self._early.append(event)
            case _:
                pass
        return []

    def _incoming(self, ring: CallIncoming, now: float) -> list[Effect]:
        known = ring.call_id in self.calls or ring.call_id in self._over
        if known or ring.caller_user_id == self.user_id:
            return []
        call = CallRecord(
            id=ring.call_id,
            conversation_id=ring.conversation_id,
            caller_user_id=ring.caller_user_id,
            media=_media_of(ring.media),
            is_incoming=True,
            deadline=now + self._ring_time,
        )
        if self._auto_busy and (self.calls or self._inviting):
            call.status = "busy"
            self._over.append(call.id)
            return [Answer(call, "busy")]
        self.calls[call.id] = call
        return [Changed(call)]

    def _signal(self, call: CallRecord, signal: Signal) -> list[Effect]:
        match signal:
            case CallEnded():
                return self._end(call, "ended")
            case CallCancelled():
                # What was accepted is not cancelled any more: the two crossed.
                call.is_cancelled = call.is_answering
                is_late = call.status == "accepted" or call.is_answering
                return [] if is_late else self._end(call, "cancelled")
            case _ if call.is_incoming:
                # The user answered on another device.
                is_open = call.status == "ringing" and not call.is_answering
                elsewhere = is_open and signal.user_id == self.user_id
                return self._end(call, "ended") if elsewhere else []
            case CallAccepted():
                return self._accepted(call, signal.user_id)
            case CallDeclined() | CallBusy():
                refusal: Refusal = "busy" if isinstance(signal, CallBusy) else "declined"
                return self._refused(call, signal.user_id, refusal)

    def _accepted(self, call: CallRecord, user_id: str) -> list[Effect]:
        call.refusals.pop(user_id, None)
        if call.status != "ringing":
            return []
        call.status, call.accepted_by = "accepted", user_id
        return [Changed(call)]

    def _refused(self, call: CallRecord, user_id: str, refusal: Refusal) -> list[Effect]:
        """A group rings until all have refused."""
        if call.status != "ringing":
            return []
        call.refusals[user_id] = refusal
        if not set(call.callee_user_ids) <= call.refusals.keys():
            return []
        is_busy = set(call.refusals.values()) == {"busy"}
        return self._end(call, "busy" if is_busy else "declined")

    def begin_accept(self, call: CallRecord) -> None:
        """The user accepts an incoming call, which the server has to confirm.

        Raises:
            CallStateError: It does not ring, or is the user's own.
        """
        self._check(call, "accept", ("ringing",), is_incoming=True)
        call.is_answering = True

    def end_accept(self, call: CallRecord, *, is_confirmed: bool, is_refused: bool) -> list[Effect]:
        """The server has confirmed or refused it; neither, if it is not known."""
        call.is_answering = False
        if call.is_over:
            return []
        if is_confirmed:
            return self._accepted(call, self.user_id)
        if call.is_cancelled:
            return self._end(call, "cancelled")
        return self._end(call, "ended") if is_refused else []

    def refuse(self, call: CallRecord, refusal: Refusal) -> list[Effect]:
        """The user declines an incoming call, or is busy.

        Raises:
            CallStateError: It does not ring, or is the user's own.
        """
        self._check(call, "decline", ("ringing",), is_incoming=True)
        return self._end(call, refusal)

    def cancel(self, call: CallRecord) -> list[Effect]:
        """The user cancels an own call that rings.

        Raises:
            CallStateError: It does not ring, or is another user's.
        """
        self._check(call, "cancel", ("ringing",), is_incoming=False)
        return self._end(call, "cancelled")

    def hang_up(self, call: CallRecord) -> list[Effect]:
        """The user ends a call that was accepted.

        Raises:
            CallStateError: It was not accepted, or is over.
        """
        self._check(call, "hang up", ("accepted",), is_incoming=call.is_incoming)
        return self._end(call, "ended")

    def expire(self, now: float) -> list[Effect]:
        """End all calls that rang for too long. The server is told, as it keeps no timer."""
        effects: list[Effect] = []
        for call in [call for call in self._ringing() if call.deadline <= now]:
            effects += self._end(call, "missed")
            effects.append(Answer(call, "decline" if call.is_incoming else "cancel"))
        return effects

    def lost(self) -> list[Effect]:
        """End all calls: no signal will come any more."""
        return [effect for call in [*self.calls.values()] for effect in self._end(call, "ended")]

    def _ringing(self) -> list[CallRecord]:
        return [c for c in self.calls.values() if c.status == "ringing" and not c.is_answering]

    def _end(self, call: CallRecord, status: CallStatus) -> list[Effect]:
        call.status = status
        del self.calls[call.id]
        self._over.append(call.id)
        return [Changed(call)]

    def _check(
        self, call: CallRecord, action: str, statuses: tuple[CallStatus, ...], *, is_incoming: bool
    ) -> None:
        if call.status not in statuses or call.is_incoming != is_incoming or call.is_answering:
            direction = "incoming" if call.is_incoming else "outgoing"
            state = "being accepted" if call.is_answering else call.status
            text = f"cannot {action} an {direction} call that is {state}"
            raise CallStateError(text, call.status)


def _media_of(media: str | None) -> str:
    """Return the media of a call, of which an older server says nothing, and a newer one more."""
    return "video" if media == "video" else "audio"
