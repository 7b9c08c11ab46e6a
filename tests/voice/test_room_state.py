"""What the room of a user decides in single steps."""

from __future__ import annotations

from typing import Any

from poolse import (
    VoiceFailed,
    VoiceJoined,
    VoiceLeft,
    VoiceMute,
    VoicePresence,
    VoicePresenceMeta,
    VoicePresenceState,
    VoiceSignal,
    VoiceSignalType,
)
from poolse._voice.room_state import ErrorReported, Push, RoomState, SignalReceived
from tests.voice.simulated_room import signal_to

LATER = 1_780_000_000_000


def presence(**joined: int | None) -> VoicePresenceState:
    """Users who joined at these times."""
    return VoicePresenceState(
        {
            user: VoicePresence(metas=[VoicePresenceMeta(user_id=user, joined_at=time)])
            for user, time in joined.items()
        }
    )


def signal(sender: str, kind: str, target: str | None = "ann") -> VoiceSignal:
    return VoiceSignal(
        from_user_id=sender, type=VoiceSignalType(kind), target_user_id=target, data={"sdp": "v=0"}
    )


def room(*others: str) -> RoomState:
    """The room of ann, joined after the others."""
    state = RoomState()
    state.hold("ann", muted=False)
    state.channel_joined()
    state.receive(VoiceJoined(user_id="ann"))
    state.receive(presence(**dict.fromkeys(others, LATER), ann=LATER + 1))
    assert (state.status, list(state.participants)) == ("joined", [*others, "ann"])
    return state


def received(state: RoomState, event: object) -> list[VoiceSignal]:
    return [e.signal for e in state.receive(event) if isinstance(e, SignalReceived)]


def test_what_comes_before_the_room_is_entered_is_of_an_earlier_stay() -> None:
    """Such as the presence that a channel replays."""
    state = RoomState()
    state.hold(None, muted=False)
    for event in (VoiceJoined(user_id="bea"), presence(bea=LATER), signal("bea", "offer")):
        assert state.receive(event) == []
    state.channel_joined()
    state.receive(VoiceJoined(user_id="ann"))
    assert state.status == "joining"
    state.receive(presence(ann=LATER))
    assert (state.status, state.user_id, list(state.participants)) == ("joined", "ann", ["ann"])


def test_another_device_that_leaves_takes_nobody_along() -> None:
    state = room("bea")
    before = state.participants["ann"]
    assert state.receive(VoiceLeft(user_id="ann")) == []
    assert state.participants["ann"] == before
    assert before.joined_at is not None


def test_an_echo_of_the_own_state_changes_nothing() -> None:
    state = room()
    state.set_muted(True)
    assert state.receive(VoiceMute(user_id="ann", muted=False)) == []
    assert state.participants["ann"].muted


def test_a_release_of_an_earlier_stay_is_none() -> None:
    state = room()
    earlier = state.stay
    state.leave()
    state.hold("ann", muted=False)
    assert state.release(earlier) == []
    assert state.is_held


def test_a_peer_that_comes_again_has_a_new_connection() -> None:
    state = room("bea")
    assert received(state, signal("bea", "offer"))
    assert received(state, signal("bea", "ice-candidate"))
    state.receive(VoiceLeft(user_id="bea"))
    state.receive(VoiceJoined(user_id="bea"))
    assert not received(state, signal("bea", "ice-candidate"))
    both = received(state, signal("bea", "offer"))
    assert [one.type for one in both] == ["offer", "ice-candidate"]


def test_another_device_of_a_peer_leaves_its_connection_as_it_is() -> None:
    state = room("bea")
    assert received(state, signal("bea", "offer"))
    assert state.receive(VoiceJoined(user_id="bea")) == []
    assert received(state, signal("bea", "ice-candidate"))


def test_signals_without_a_target_are_for_all() -> None:
    state = room("bea")
    assert received(state, signal("bea", "offer", None))
    assert not received(state, signal("ann", "offer", None))


def test_signals_wait_until_the_room_is_joined() -> None:
    state = RoomState()
    state.hold("ann", muted=False)
    state.channel_joined()
    assert not received(state, signal("bea", "offer"))
    assert not received(state, signal("bea", "offer", "cem"))
    state.receive(VoiceJoined(user_id="ann"))
    assert [one.type for one in received(state, presence(ann=LATER))] == ["offer"]


def test_the_subject_of_the_token_decides_who_came_first() -> None:
    state = RoomState()
    state.hold("ann", muted=False)
    state.channel_joined()
    for name in ("bea", "ann"):
        state.receive(VoiceJoined(user_id=name))
    state.receive(presence(bea=LATER, ann=LATER))
    assert state.user_id == "ann"


def test_one_user_with_several_devices_is_one_participant() -> None:
    state = room()
    metas: list[Any] = [
        VoicePresenceMeta(mute_state=True, speaking_state=False, joined_at=LATER + 5),
        VoicePresenceMeta(mute_state=False, speaking_state=True, joined_at=LATER),
        VoicePresenceMeta(joined_at=10**30),
    ]
    state.receive(VoicePresenceState({"bea": VoicePresence(metas=metas)}))
    seen = state.participants["bea"]
    assert (seen.muted, seen.speaking) == (False, True)
    assert seen.joined_at is not None
    assert seen.joined_at.timestamp() * 1000 == LATER


def test_a_refusal_leaves_the_room_joined() -> None:
    state = room()
    [effect] = state.receive(VoiceFailed(reason="full"))
    assert isinstance(effect, ErrorReported)
    assert str(effect.error) == "the voice room refused: full"
    assert state.status == "joined"


def test_nothing_is_pushed_after_the_channel_is_lost() -> None:
    state = room("bea")
    state.channel_lost()
    assert state.set_muted(True) == []
    assert Push("voice:leave", {}) not in state.leave()


def test_signals_are_sent_as_they_are() -> None:
    payload = signal_to("bea", "offer")
    assert room("bea").send_signal(payload) == [Push("voice:signal", payload)]
