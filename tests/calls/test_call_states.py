"""The core of calls, by random schedules of two users' signals and of single rules."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from poolse import (
    CallAccepted,
    CallBusy,
    CallCancelled,
    CallDeclined,
    CallEnded,
    CallIncoming,
    CallStateError,
)
from poolse._calls.call_states import Answer, CallRecord, CallRegistry, Changed

ME, ANN, BOB, TALK = "me", "ann", "bob", "talk"
SIGNALS: list[Any] = [CallAccepted, CallBusy, CallDeclined, CallEnded, CallCancelled]
OVER = {"declined", "busy", "cancelled", "ended", "missed"}


def ring(call_id: str, caller: str = ANN) -> CallIncoming:
    return CallIncoming(call_id=call_id, conversation_id=TALK, caller_user_id=caller)


def signal(kind: Any, call_id: str, user: str) -> Any:
    who: dict[str, Any] = {"caller_user_id" if kind is CallCancelled else "user_id": user}
    return kind(call_id=call_id, conversation_id=TALK, **who)


def registry(**options: Any) -> CallRegistry:
    calls = CallRegistry(**options)
    calls.user_id = ME
    return calls


def group_call(calls: CallRegistry, *callees: str) -> CallRecord:
    return calls.invited("c", TALK, "audio", callees, 0.0)[0]


def test_a_group_rings_until_all_have_refused() -> None:
    calls = registry()
    call = group_call(calls, ANN, BOB)
    assert calls.receive(signal(CallDeclined, "c", ANN), 1.0) == []
    assert call.status == "ringing"
    assert calls.receive(signal(CallBusy, "c", BOB), 2.0) == [Changed(call)]
    assert (call.status, call.refusals) == ("declined", {ANN: "declined", BOB: "busy"})


def test_a_group_is_busy_if_all_are() -> None:
    calls = registry()
    call = group_call(calls, ANN, BOB)
    for user in (ANN, BOB):
        calls.receive(signal(CallBusy, "c", user), 1.0)
    assert call.status == "busy"


def test_the_first_refusal_ends_a_call_whose_callees_are_not_known() -> None:
    calls = registry()
    call = group_call(calls)
    calls.receive(signal(CallDeclined, "c", BOB), 1.0)
    assert call.status == "declined"


def test_one_who_accepts_is_enough() -> None:
    calls = registry()
    call = group_call(calls, ANN, BOB)
    calls.receive(signal(CallDeclined, "c", ANN), 1.0)
    calls.receive(signal(CallAccepted, "c", BOB), 2.0)
    assert calls.receive(signal(CallDeclined, "c", ANN), 3.0) == []
    assert (call.status, call.accepted_by) == ("accepted", BOB)


def test_a_late_cancel_does_not_end_an_accepted_call() -> None:
    calls = registry()
    (rang,) = calls.receive(ring("c"), 0.0)
    call = rang.call
    calls.begin_accept(call)
    # Before the reply to the accept: either may have won.
    assert calls.receive(signal(CallCancelled, "c", ANN), 1.0) == []
    assert calls.end_accept(call, is_confirmed=True, is_refused=False) == [Changed(call)]
    assert calls.receive(signal(CallCancelled, "c", ANN), 2.0) == []
    assert call.status == "accepted"


@pytest.mark.parametrize(
    ("cancelled", "is_refused", "status"),
    [(True, True, "cancelled"), (True, False, "cancelled"), (False, True, "ended")],
)
def test_an_accept_that_came_too_late(cancelled: bool, is_refused: bool, status: str) -> None:
    calls = registry()
    (rang,) = calls.receive(ring("c"), 0.0)
    calls.begin_accept(rang.call)
    if cancelled:
        calls.receive(signal(CallCancelled, "c", ANN), 1.0)
    calls.end_accept(rang.call, is_confirmed=False, is_refused=is_refused)
    assert rang.call.status == status


def test_an_accept_without_a_reply_may_be_tried_again() -> None:
    calls = registry()
    (rang,) = calls.receive(ring("c"), 0.0)
    calls.begin_accept(rang.call)
    assert calls.deadline is None
    assert calls.end_accept(rang.call, is_confirmed=False, is_refused=False) == []
    calls.begin_accept(rang.call)


def test_signals_that_overtake_the_reply_to_an_invitation() -> None:
    calls = registry()
    calls.begin_invite()
    assert calls.receive(signal(CallAccepted, "c", BOB), 0.5) == []
    call, effects = calls.invited("c", TALK, "video", (BOB,), 1.0)
    calls.end_invite()
    assert (call.status, effects) == ("accepted", [Changed(call)])
    # Without an invitation on its way, a call that is not known is none of ours.
    assert calls.receive(signal(CallEnded, "d", BOB), 2.0) == []
    assert calls.invited("d", TALK, "audio", (BOB,), 3.0)[0].status == "ringing"


def test_a_call_that_was_answered_on_another_device() -> None:
    calls = registry()
    (rang,) = calls.receive(ring("c"), 0.0)
    assert calls.receive(signal(CallAccepted, "c", BOB), 1.0) == []
    assert calls.receive(signal(CallAccepted, "c", ME), 1.0) == [Changed(rang.call)]
    assert rang.call.status == "ended"


def test_an_accept_that_is_echoed_ends_nothing() -> None:
    calls = registry()
    (rang,) = calls.receive(ring("c"), 0.0)
    calls.begin_accept(rang.call)
    assert calls.receive(signal(CallAccepted, "c", ME), 1.0) == []
    calls.end_accept(rang.call, is_confirmed=True, is_refused=False)
    assert calls.receive(signal(CallAccepted, "c", ME), 1.0) == []
    assert (rang.call.status, rang.call.accepted_by) == ("accepted", ME)


@pytest.mark.parametrize("busy_with", ["ring", "invitation", "call"])
def test_a_second_call_is_busy(busy_with: str) -> None:
    calls = registry()
    if busy_with == "ring":
        calls.receive(ring("a"), 0.0)
    elif busy_with == "call":
        group_call(calls, BOB)
    else:
        calls.begin_invite()
    (answer,) = calls.receive(ring("b"), 1.0)
    assert isinstance(answer, Answer)
    assert (answer.action, answer.call.status) == ("busy", "busy")
    assert "b" not in calls.calls
    assert calls.receive(ring("b"), 2.0) == []


def test_a_call_that_rings_again_after_its_end_is_over() -> None:
    calls = registry()
    (rang,) = calls.receive(ring("c"), 0.0)
    assert calls.receive(ring("c"), 1.0) == []
    calls.refuse(rang.call, "declined")
    assert calls.receive(ring("c"), 2.0) == []
    assert calls.receive(ring("d", caller=ME), 2.0) == []


@pytest.mark.parametrize(
    ("given", "media"),
    [("audio", "audio"), ("video", "video"), (None, "audio"), ("hologram", "audio")],
)
def test_what_is_not_known_of_media_is_audio(given: Any, media: str) -> None:
    calls = registry(auto_busy=False)
    own = calls.invited("out", TALK, given, (BOB,), 0.0)[0]
    rang = CallIncoming(call_id="in", conversation_id=TALK, caller_user_id=ANN, media=given)
    (found,) = calls.receive(rang, 0.0)
    assert (own.media, found.call.media) == (media, media)


def test_a_call_that_nobody_answers() -> None:
    calls = registry(ring_time=45.0, auto_busy=False)
    (rang,) = calls.receive(ring("in"), 10.0)
    own = calls.invited("out", TALK, "audio", (BOB,), 5.0)[0]
    assert calls.deadline == 50.0
    assert calls.expire(49.9) == []
    assert calls.expire(50.0) == [Changed(own), Answer(own, "cancel")]
    assert calls.expire(60.0) == [Changed(rang.call), Answer(rang.call, "decline")]
    assert (own.status, rang.call.status, calls.deadline) == ("missed", "missed", None)


class AnySchedule(RuleBasedStateMachine):
    """Whatever comes in whatever order: a call ends once, and is told of once."""

    known = Bundle("known")

    @initialize(auto_busy=st.booleans())
    def begin(self, auto_busy: bool) -> None:
        self.calls = registry(ring_time=10.0, auto_busy=auto_busy)
        self.now, self.count, self.inviting = 0.0, 0, 0
        self.told: dict[str, list[str]] = {}
        self.records: dict[str, CallRecord] = {}

    def take(self, effects: list[Any]) -> None:
        for effect in effects:
            self.records[effect.call.id] = effect.call
            if isinstance(effect, Changed):
                self.told.setdefault(effect.call.id, []).append(effect.call.status)

    @rule(target=known)
    def rings(self) -> str:
        self.count += 1
        self.take(self.calls.receive(ring(f"in-{self.count}"), self.now))
        return f"in-{self.count}"

    @rule()
    def invites(self) -> None:
        self.calls.begin_invite()
        self.inviting += 1

    @rule(target=known, callees=st.sampled_from([(), (ANN,), (ANN, BOB)]))
    def invited(self, callees: tuple[str, ...]) -> Any:
        if not self.inviting:
            return cast("Any", multiple())
        self.count += 1
        call, effects = self.calls.invited(f"out-{self.count}", TALK, "audio", callees, self.now)
        self.records[call.id] = call
        self.take(effects)
        self.calls.end_invite()
        self.inviting -= 1
        return call.id

    @rule(
        call_id=known,
        kind=st.sampled_from(SIGNALS),
        user=st.sampled_from([ME, ANN, BOB]),
    )
    def receives(self, call_id: str, kind: Any, user: str) -> None:
        before = self.records[call_id].status if call_id in self.records else None
        self.take(self.calls.receive(signal(kind, call_id, user), self.now))
        if before == "accepted" and kind is not CallEnded:
            assert self.records[call_id].status == "accepted"

    @rule(
        call_id=known,
        action=st.sampled_from(["begin_accept", "confirm", "refused", "lost", "decline", "cancel"]),
    )
    def acts(self, call_id: str, action: str) -> None:
        call = self.records.get(call_id)
        if call is None:
            return
        try:
            match action:
                case "begin_accept":
                    self.calls.begin_accept(call)
                case "decline":
                    self.take(self.calls.refuse(call, "declined"))
                case "cancel":
                    self.take(self.calls.cancel(call))
                case _ if call.is_answering:
                    outcome = {"is_confirmed": action == "confirm"}
                    is_refused = action == "refused"
                    self.take(self.calls.end_accept(call, **outcome, is_refused=is_refused))
                case _:
                    pass
        except CallStateError as error:
            assert error.status == call.status  # noqa: PT017

    @rule(seconds=st.integers(0, 20))
    def waits(self, seconds: int) -> None:
        self.now += seconds
        self.take(self.calls.expire(self.now))

    @rule()
    def is_lost(self) -> None:
        self.take(self.calls.lost())
        assert self.calls.calls == {}

    @invariant()
    def a_call_ends_once(self) -> None:
        for call_id, told in self.told.items():
            assert sum(status in OVER for status in told) <= 1, (call_id, told)
            ends = [status for status in told if status in OVER]
            assert not ends or told[-1] in OVER

    @invariant()
    def what_is_active_is_not_over(self) -> None:
        for call in self.calls.calls.values():
            assert call.status in ("ringing", "accepted")
            assert call.is_answering or call.status != "ringing" or call.deadline >= self.now
        for call in self.records.values():
            assert call.is_over == (call.id not in self.calls.calls)


AnySchedule.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnySchedule = AnySchedule.TestCase
