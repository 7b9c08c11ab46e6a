"""Signalling of voice rooms: who is in, what is relayed, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from poolse import (
    JoinError,
    VoiceActiveSpeaker,
    VoiceFailed,
    VoiceJoined,
    VoiceLeft,
    VoiceMute,
    VoicePresenceState,
    VoiceSignal,
    VoiceSignalType,
)
from poolse.testing import Sandbox
from tests.realtime.sync_and_async import FLAVOURS, Flavour, Log, done
from tests.realtime.typed_clients import chat
from tests.sandbox.raw_clients import Phone, User

EVERYWHERE = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
EVENTS = ("presence_state", "joined", "left", "mute", "active_speaker", "signal", "failed")
OFFER = VoiceSignalType.OFFER
SDP = {"sdp": "v=0"}


@pytest.fixture
def talk(alice: User, bob: User) -> str:
    """Id of a group of alice and bob."""
    return alice.conversation("bob")


@asynccontextmanager
async def room(
    flavour: Flavour, sandbox: Sandbox, name: str, talk: str
) -> AsyncGenerator[tuple[Any, Log]]:
    """A joined voice channel of a client, and the events that it receives."""
    async with chat(flavour, sandbox, name) as client:
        channel, log = client.realtime.voice_channel(talk), Log()
        for event in EVENTS:
            getattr(channel, f"on_{event}")(log.append)
        await done(channel.wait_joined())
        yield channel, log


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario, debug=True)


class Raw:
    """A raw socket in the topic of a room."""

    def __init__(self, user: User, talk: str) -> None:
        self.user = user
        self.topic = f"voice:conversation:{talk}"
        self.phone: Phone = user.phone()
        self.phone.listen(self.topic)

    def push(self, event: str, **payload: object) -> None:
        self.phone.send("1", "9", self.topic, event, payload)

    def hear(self) -> tuple[str, Any]:
        """The next event."""
        frame = self.phone.hear()
        assert frame[2] == self.topic
        return frame[3], frame[4]

    def enter(self, *, muted: bool = False, speaking: bool = False) -> dict[str, Any]:
        """Enter the room; give the presence state."""
        self.push("voice:join", muted=muted, speaking=speaking)
        assert self.hear() == ("voice:joined", {"user_id": self.user.id})
        event, state = self.hear()
        assert event == "voice:presence_state"
        return dict(state)


@EVERYWHERE
def test_who_enters_is_told_first_who_it_is_and_who_is_there(
    flavour: Flavour, sandbox: Sandbox, alice: User, bob: User, talk: str
) -> None:
    async def scenario() -> None:
        async with (
            room(flavour, sandbox, "alice", talk) as (alices, own),
            room(flavour, sandbox, "bob", talk) as (bobs, theirs),
        ):
            await done(alices.send_join(muted=True, speaking=False))
            await own.reach(2)
            assert own.items[0] == VoiceJoined(user_id=alice.id)
            assert isinstance(own.items[1], VoicePresenceState)
            await done(bobs.send_join(muted=False, speaking=True))
            await theirs.reach(3)
            assert theirs.items[:2] == [VoiceJoined(user_id=alice.id), VoiceJoined(user_id=bob.id)]
            state = theirs.items[2]
            assert set(state) == {alice.id, bob.id}
            (meta,) = state[alice.id].metas
            assert (meta.user_id, meta.mute_state, meta.speaking_state) == (alice.id, True, False)
            assert abs(meta.joined_at - sandbox.clock.now() * 1000) < 60_000
            assert state[bob.id].metas[0].speaking_state is True
            await own.reach(3)
            assert own.items[2] == VoiceJoined(user_id=bob.id)

    run(scenario())


@EVERYWHERE
def test_what_participants_do_is_told_to_the_room(
    flavour: Flavour, sandbox: Sandbox, alice: User, bob: User, talk: str
) -> None:
    async def scenario() -> None:
        async with (
            room(flavour, sandbox, "alice", talk) as (alices, own),
            room(flavour, sandbox, "bob", talk) as (_, theirs),
        ):
            await done(alices.send_join(muted=False, speaking=False))
            await done(alices.send_mute(muted=True))
            await done(alices.send_unmute(muted=False))
            await done(alices.send_active_speaker(speaking=True))
            await done(alices.send_signal(type="offer", target_user_id=bob.id, data=SDP))
            await done(alices.send_leave())
            expected = [
                VoiceMute(user_id=alice.id, muted=True),
                VoiceMute(user_id=alice.id, muted=False),
                VoiceActiveSpeaker(user_id=alice.id, speaking=True),
                VoiceSignal(from_user_id=alice.id, type=OFFER, target_user_id=bob.id, data=SDP),
                VoiceLeft(user_id=alice.id),
            ]
            await theirs.reach(6)
            assert theirs.items == [VoiceJoined(user_id=alice.id), *expected]
            await own.reach(7)
            assert own.items[2:] == expected

    run(scenario())


@EVERYWHERE
def test_a_signal_without_data_is_refused(
    flavour: Flavour, sandbox: Sandbox, bob: User, talk: str
) -> None:
    async def scenario() -> None:
        async with (
            room(flavour, sandbox, "alice", talk) as (alices, own),
            room(flavour, sandbox, "bob", talk) as (_, theirs),
        ):
            await done(alices.send_join(muted=False, speaking=False))
            await done(alices.send_signal(type="offer", target_user_id=bob.id, data={}))
            await own.reach(3)
            assert own.items[2] == VoiceFailed(reason="invalid_signal")
            assert all(isinstance(event, VoiceJoined) for event in theirs.items)

    run(scenario())


@EVERYWHERE
def test_only_members_join_a_room(flavour: Flavour, sandbox: Sandbox, talk: str) -> None:
    async def scenario() -> None:
        async with chat(flavour, sandbox, "eve") as eve:
            with pytest.raises(JoinError, match="unauthorized"):
                await done(eve.realtime.voice_channel(talk).wait_joined())

    run(scenario())


@EVERYWHERE
def test_who_drops_or_closes_leaves_the_room(
    flavour: Flavour, sandbox: Sandbox, alice: User, bob: User, talk: str
) -> None:
    listener = Raw(alice, talk)

    async def scenario() -> None:
        async with room(flavour, sandbox, "bob", talk) as (bobs, _):
            await done(bobs.send_join(muted=False, speaking=False))
            assert await asyncio.to_thread(listener.hear) == ("voice:joined", {"user_id": bob.id})
            sandbox.faults.drop_sockets(external_id="bob")
            assert await asyncio.to_thread(listener.hear) == ("voice:left", {"user_id": bob.id})
            # The client joins the topic again, but that is not to enter the room again.
            await asyncio.to_thread(sandbox.wait_for, lambda: len(sandbox.joins) == 3)
            await asyncio.to_thread(listener.phone.assert_quiet)

    run(scenario())
    listener.phone.assert_quiet()


def test_leaving_the_topic_leaves_the_room(alice: User, bob: User, talk: str) -> None:
    own, theirs = Raw(alice, talk), Raw(bob, talk)
    own.enter()
    theirs.hear()
    own.push("phx_leave")
    assert [own.hear()[0] for _ in range(2)] == ["phx_reply", "phx_close"]
    assert theirs.hear() == ("voice:left", {"user_id": alice.id})
    own.phone.listen(own.topic, "2")
    own.phone.send("2", "3", own.topic, "voice:join", {"muted": False, "speaking": False})
    assert theirs.hear() == ("voice:joined", {"user_id": alice.id})
    # A second join of the topic is a new start.
    own.phone.send("4", "4", own.topic, "phx_join", {})
    assert theirs.hear() == ("voice:left", {"user_id": alice.id})
    theirs.phone.assert_quiet()


def test_the_state_is_what_was_said_last(alice: User, bob: User, talk: str) -> None:
    own = Raw(alice, talk)
    own.enter(muted=True)
    own.push("voice:unmute", muted=False)
    own.push("voice:active_speaker", speaking=True)
    assert [own.hear()[0] for _ in range(2)] == ["voice:mute", "voice:active_speaker"]
    (meta,) = Raw(bob, talk).enter()[alice.id]["metas"]
    assert (meta["mute_state"], meta["speaking_state"]) == (False, True)


def test_a_user_with_two_sockets_is_one_participant(alice: User, bob: User, talk: str) -> None:
    listener, first, second = Raw(bob, talk), Raw(alice, talk), Raw(alice, talk)
    first.enter()
    assert second.hear()[0] == "voice:joined"
    assert len(second.enter()[alice.id]["metas"]) == 2
    first.push("voice:leave")
    second.push("voice:leave")
    assert [listener.hear()[0] for _ in range(2)] == ["voice:joined", "voice:left"]
    listener.phone.assert_quiet()


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("voice:mute", {"muted": True}),
        ("voice:unmute", {"muted": False}),
        ("voice:active_speaker", {"speaking": True}),
        ("voice:signal", {"type": "offer", "data": SDP}),
    ],
)
def test_who_has_not_entered_is_refused(
    alice: User, bob: User, talk: str, event: str, payload: dict[str, object]
) -> None:
    own, listener = Raw(alice, talk), Raw(bob, talk)
    if event == "voice:signal":
        payload = {**payload, "target_user_id": bob.id}
    own.push(event, **payload)
    assert own.hear() == ("voice:error", {"reason": "not_joined"})
    own.push("voice:leave")
    own.phone.assert_quiet()
    listener.phone.assert_quiet()


def test_a_removed_member_leaves_the_room(alice: User, bob: User, talk: str) -> None:
    own, theirs = Raw(alice, talk), Raw(bob, talk)
    theirs.enter()
    own.hear()
    alice.ask("DELETE", f"/conversations/{talk}/members/{bob.id}")
    assert theirs.phone.hear() == ["1", "1", theirs.topic, "phx_close", {}]
    assert own.hear() == ("voice:left", {"user_id": bob.id})


def test_rooms_are_apart(alice: User, bob: User, talk: str) -> None:
    elsewhere = Raw(bob, alice.conversation("bob"))
    own = Raw(alice, talk)
    assert set(own.enter()) == {alice.id}
    assert set(elsewhere.enter()) == {bob.id}
    own.phone.assert_quiet()
