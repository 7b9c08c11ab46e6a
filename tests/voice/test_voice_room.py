"""A voice room of both flavours, against the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import attrs
import pytest

from poolse import JoinError, PushTimeout, UsageError, VoiceError
from poolse.testing import Sandbox
from tests.realtime.sync_and_async import FLAVOURS, Flavour, Log, done
from tests.realtime.typed_clients import chat
from tests.sandbox.raw_clients import User

EVERYWHERE = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
SDP = {"sdp": "v=0"}
CANDIDATE = {"candidate": "candidate:1", "sdpMid": "0"}


@attrs.frozen
class Member:
    """A client of a user, and what its room has called its handlers with."""

    id: str
    client: Any
    room: Any
    statuses: Log = attrs.field(factory=Log)
    participants: Log = attrs.field(factory=Log)
    signals: Log = attrs.field(factory=Log)
    errors: Log = attrs.field(factory=Log)

    def listen(self) -> None:
        """Add all handlers."""
        self.room.on_status(self.statuses.append)
        self.room.on_participants(self.participants.append)
        self.room.on_signal(self.signals.append)
        self.room.on_error(self.errors.append)

    async def sees(self, *users: Member, **state: bool) -> None:
        """Wait until these are in the room; the last one with this state."""
        ids = {user.id for user in users}

        def holds(_: list[Any]) -> bool:
            # Not what the handlers were called with last: the room may know more by now.
            present = self.room.participants
            if present.keys() != ids:
                return False
            last = present[users[-1].id]
            return all(getattr(last, name) is value for name, value in state.items())

        await self.participants.until(holds)

    async def signal(self, target: Member, kind: str, **data: str) -> None:
        await done(self.room.send_signal(type=kind, target_user_id=target.id, data=data))


@attrs.frozen
class Talk:
    """A conversation of alice, bob and carol, and their clients."""

    sandbox: Sandbox
    id: str
    alice: Member
    bob: Member
    carol: Member


@asynccontextmanager
async def talk(flavour: Flavour, sandbox: Sandbox) -> AsyncGenerator[Talk]:
    """Open the clients. Their rooms are not joined."""
    names = ("alice", "bob", "carol")
    ids = {name: sandbox.user_id(name) for name in names}
    owner = User(sandbox, "alice")
    conversation = owner.conversation("bob", "carol")
    owner.close()
    async with AsyncExitStack() as stack:
        members: dict[str, Member] = {}
        for name in names:
            client = await stack.enter_async_context(chat(flavour, sandbox, name))
            members[name] = Member(ids[name], client, client.realtime.voice(conversation))
            members[name].listen()
        yield Talk(sandbox, conversation, **members)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario, debug=True)


@EVERYWHERE
def test_who_joins_sees_everybody_and_is_seen(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            alice, bob = all_of.alice, all_of.bob
            assert (alice.room.status, alice.room.user_id) == ("idle", None)
            await done(alice.room.join(muted=True))
            assert (alice.room.status, alice.room.user_id) == ("joined", alice.id)
            assert list(alice.room.participants) == [alice.id]
            await done(bob.room.join())
            assert set(bob.room.participants) == {alice.id, bob.id}
            seen = bob.room.participants[alice.id]
            assert (seen.muted, seen.speaking) == (True, False)
            assert abs(seen.joined_at.timestamp() - sandbox.clock.now()) < 60
            await alice.sees(alice, bob)
            assert alice.room.participants[bob.id].joined_at is None
            assert alice.statuses.items == ["joining", "joined"]

    run(scenario())


@EVERYWHERE
def test_the_state_of_others_is_current(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            alice, bob = all_of.alice, all_of.bob
            await done(alice.room.join())
            await done(bob.room.join(muted=True))
            await alice.sees(alice, bob, muted=True, speaking=False)
            await done(bob.room.set_speaking(True))
            await done(bob.room.set_muted(False))
            await alice.sees(alice, bob, muted=False, speaking=False)
            await done(bob.room.set_speaking(True))
            await alice.sees(alice, bob, muted=False, speaking=True)
            assert bob.room.participants[bob.id].speaking
            await done(bob.room.set_muted(True))
            await alice.sees(alice, bob, muted=True, speaking=False)
            assert (bob.room.muted, bob.room.speaking) == (True, False)
            await done(bob.room.leave())
            await alice.sees(alice)
            assert (bob.room.status, dict(bob.room.participants)) == ("left", {})

    run(scenario())


@EVERYWHERE
def test_signals_reach_whom_they_are_for(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            alice, bob, carol = all_of.alice, all_of.bob, all_of.carol
            for member in (alice, bob, carol):
                await done(member.room.join())
            await alice.signal(bob, "offer", **SDP)
            await alice.signal(carol, "offer", **SDP)
            await bob.signal(alice, "answer", **SDP)
            for member, sender, kind in ((bob, alice, "offer"), (alice, bob, "answer")):
                await member.signals.reach(1)
                (signal,) = member.signals.items
                assert (signal.from_user_id, signal.type) == (sender.id, kind)
                assert signal.data == SDP
            assert alice.room.offers_to(bob.id) is not bob.room.offers_to(alice.id)
            assert alice.room.offers_to(bob.id) is (alice.id < bob.id)

    run(scenario())


@EVERYWHERE
def test_a_candidate_never_comes_before_its_description(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            alice, bob = all_of.alice, all_of.bob
            await done(alice.room.join())
            await done(bob.room.join())
            await alice.signal(bob, "ice-candidate", **CANDIDATE)
            await alice.signal(bob, "offer", **SDP)
            await alice.signal(bob, "ice-candidate", **CANDIDATE)
            await bob.signals.reach(3)
            types = [signal.type for signal in bob.signals.items]
            assert types == ["offer", "ice-candidate", "ice-candidate"]

    run(scenario())


@EVERYWHERE
def test_after_a_lost_connection_the_room_is_entered_again(
    flavour: Flavour, sandbox: Sandbox
) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            alice, bob = all_of.alice, all_of.bob
            await done(alice.room.join())
            await done(bob.room.join())
            await alice.sees(alice, bob)
            await done(bob.room.set_muted(True))
            await alice.sees(alice, bob, muted=True)
            sandbox.faults.drop_sockets(external_id="bob")
            await bob.statuses.until(lambda items: items[-3:] == ["joined", "joining", "joined"])
            await bob.sees(alice, bob, muted=True)
            await alice.sees(alice, bob, muted=True)
            # Nobody was there meanwhile, for either of them.
            assert {} in [dict(seen) for seen in bob.participants.items]
            assert [*map(len, alice.participants.items)].count(1) == 2
            await alice.signal(bob, "offer", **SDP)
            await bob.signals.reach(1)

    run(scenario())


@EVERYWHERE
def test_the_last_of_all_holders_leaves(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            alice, bob = all_of.alice, all_of.bob
            await done(bob.room.join())
            assert alice.client.realtime.voice(all_of.id) is alice.room
            await done(alice.room.join(muted=True))
            await done(alice.room.join())
            assert alice.room.muted
            await done(alice.room.leave())
            assert alice.room.status == "joined"
            # It is not a handle of the user's that this leaves.
            await done(alice.client.realtime.leave(all_of.id))
            await done(alice.room.set_speaking(False))
            await bob.sees(bob, alice)
            await done(alice.room.leave())
            await done(alice.room.leave())
            assert alice.room.status == "left"
            await bob.sees(bob)
            await done(alice.room.join())
            await bob.sees(bob, alice)
            await done(alice.room.leave())
            await bob.sees(bob)

    run(scenario())


@EVERYWHERE
def test_a_context_manager_joins_and_leaves(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            room = all_of.alice.room
            if hasattr(room, "__aenter__"):
                async with room as entered:
                    assert (entered, room.status) == (room, "joined")
            else:
                with room as entered:
                    assert (entered, room.status) == (room, "joined")
            assert room.status == "left"

    run(scenario())


@EVERYWHERE
def test_who_may_not_join_is_told_why(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of, chat(flavour, sandbox, "eve") as client:
            eve = Member("", client, client.realtime.voice(all_of.id))
            eve.listen()
            with pytest.raises(JoinError, match="unauthorized"):
                await done(eve.room.join())
            assert eve.room.status == "failed"
            await eve.statuses.reach(2)
            assert eve.statuses.items == ["joining", "failed"]
            await eve.errors.reach(1)
            assert [error.reason for error in eve.errors.items] == ["unauthorized"]

    run(scenario())


@EVERYWHERE
def test_a_join_has_its_time(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            room = all_of.alice.room
            with pytest.raises(PushTimeout, match=r"within 0 s \(join timeout\)"):
                await done(room.join(timeout=0.0))
            assert room.status == "left"
            await done(room.join())
            assert room.status == "joined"

    run(scenario())


@EVERYWHERE
def test_what_is_refused_is_an_error(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            alice, bob = all_of.alice, all_of.bob
            for attempt in (
                lambda: alice.signal(bob, "offer", **SDP),
                lambda: done(alice.room.set_muted(True)),
                lambda: done(alice.room.set_speaking(True)),
            ):
                with pytest.raises(VoiceError, match="the voice room is idle") as info:
                    await attempt()
                assert info.value.reason == "not_joined"
            with pytest.raises(UsageError, match="data must not be empty"):
                await alice.signal(bob, "offer")
            await done(alice.room.join())
            sandbox.broadcast(f"voice:conversation:{all_of.id}", "voice:error", {"reason": "full"})
            await alice.errors.reach(1)
            (error,) = alice.errors.items
            assert (type(error), error.reason) == (VoiceError, "full")
            assert alice.room.status == "joined"

    run(scenario())


@EVERYWHERE
def test_an_error_without_a_handler_is_a_socket_error(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        reports = Log()
        owner = User(sandbox, "alice")
        conversation = owner.conversation()
        owner.close()
        async with chat(flavour, sandbox, "alice", on_socket_error=reports.append) as client:
            await done(client.realtime.voice(conversation).join())
            topic = f"voice:conversation:{conversation}"
            sandbox.broadcast(topic, "voice:error", {})
            await reports.reach(1)
            assert str(reports.items[0]) == "the voice room refused: no reason given"

    run(scenario())


@EVERYWHERE
def test_a_removed_member_has_failed(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            alice, bob = all_of.alice, all_of.bob
            await done(bob.room.join())
            conversation = alice.client.conversations.one(all_of.id)
            await done(conversation.remove_member(bob.id))
            await bob.statuses.until(lambda items: items[-1] == "failed")
            await bob.errors.reach(1)
            assert "closed" in str(bob.errors.items[0])
            assert dict(bob.room.participants) == {}
            await done(conversation.add_member("bob"))
            await done(bob.room.join())
            assert list(bob.room.participants) == [bob.id]

    run(scenario())


@EVERYWHERE
@pytest.mark.parametrize("end", ["disconnect", "close"])
def test_all_rooms_are_left_with_the_connection(
    flavour: Flavour, sandbox: Sandbox, end: str
) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            alice, bob = all_of.alice, all_of.bob
            await done(bob.room.join())
            await done(alice.room.join())
            await done(alice.room.join())
            realtime = alice.client.realtime
            if end == "disconnect":
                await done(realtime.disconnect())
            else:
                await done(alice.client.aclose() if hasattr(alice.client, "aclose") else None)
                if not hasattr(alice.client, "aclose"):
                    alice.client.close()
            await bob.sees(bob)
            assert alice.room.status == "left"
            await alice.statuses.until(lambda items: items[-1] == "left")
            if end == "disconnect":
                await done(realtime.connect())
                await done(alice.room.join())
                await bob.sees(bob, alice)

    run(scenario())


@EVERYWHERE
def test_a_handle_of_the_channel_and_the_room_share_it(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with talk(flavour, sandbox) as all_of:
            alice, bob = all_of.alice, all_of.bob
            channel = alice.client.realtime.voice_channel(all_of.id)
            await done(channel.wait_joined())
            await done(alice.room.join())
            await done(alice.room.leave())
            await done(bob.room.join())
            assert list(bob.room.participants) == [bob.id]
            await done(channel.wait_joined())

    run(scenario())
