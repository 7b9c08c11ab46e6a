"""Signalling of calls: who rings, who is notified of the answer, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from poolse import (
    CallAccepted,
    CallBusy,
    CallCancelled,
    CallDeclined,
    CallEnded,
    CallIncoming,
    PushError,
)
from poolse.testing import Sandbox
from tests.realtime.sync_and_async import FLAVOURS, Flavour, Log, done
from tests.realtime.typed_clients import chat
from tests.sandbox.raw_clients import NewUser, Phone, User

EVERYWHERE = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])


@attrs.frozen
class Ring:
    """A call from alice to bob and carol, and their sockets on which it rings."""

    group: str
    call_id: str
    alice: User
    bob: User
    carol: User
    phones: dict[str, Phone]

    def answer(self, **changes: object) -> dict[str, object]:
        """The payload of a callee's push."""
        return {**self.own(), "caller_user_id": self.alice.id, **changes}

    def own(self) -> dict[str, object]:
        """The payload of `call:cancel` and `call:hangup`."""
        return {"call_id": self.call_id, "conversation_id": self.group}

    def push(self, user: User, event: str, **payload: object) -> dict[str, Any]:
        """Push as a user; give the payload of the reply, which is the next frame."""
        phone = self.phones[user.id]
        phone.send("1", "9", f"user:{user.id}", event, payload)
        frame = phone.hear()
        assert frame[1:4] == ["9", f"user:{user.id}", "phx_reply"]
        answer: dict[str, Any] = frame[4]
        return answer

    def heard(self, user: User) -> tuple[str, Any]:
        """The next event of a user."""
        frame = self.phones[user.id].hear()
        assert frame[:3] == [None, None, f"user:{user.id}"]
        return frame[3], frame[4]

    def by(self, user: User) -> dict[str, object]:
        """The payload of an event that a user has caused."""
        return {**self.own(), "user_id": user.id}

    def assert_quiet(self) -> None:
        """Nobody has received anything else."""
        for phone in self.phones.values():
            phone.assert_quiet()


OK: dict[str, object] = {"response": {}, "status": "ok"}


def refused(reason: str) -> dict[str, object]:
    return {"response": {"reason": reason}, "status": "error"}


def listening(user: User) -> Phone:
    """A socket that has joined the user's own topic."""
    phone = user.phone()
    phone.listen(f"user:{user.id}")
    return phone


@pytest.fixture
def ring(alice: User, bob: User, new_user: NewUser) -> Ring:
    carol = new_user("carol")
    group = alice.conversation("bob", "carol")
    phones = {user.id: listening(user) for user in (alice, bob, carol)}
    phone = phones[alice.id]
    phone.send("1", "2", f"user:{alice.id}", "call:invite", {"conversation_id": group})
    call_id = phone.hear()[4]["response"]["call_id"]
    ring = Ring(group, call_id, alice, bob, carol, phones)
    for user in (bob, carol):
        assert ring.heard(user)[0] == "call:incoming"
    return ring


@asynccontextmanager
async def own_channel(
    flavour: Flavour, sandbox: Sandbox, name: str
) -> AsyncGenerator[tuple[Any, Log]]:
    """A joined user channel of a client, and the call events that it receives."""
    async with chat(flavour, sandbox, name) as client:
        channel, log = client.realtime.user(sandbox.user_id(name)), Log()
        for event in ("incoming", "accepted", "declined", "busy", "cancelled", "ended"):
            getattr(channel, f"on_call_{event}")(log.append)
        await done(channel.wait_joined())
        yield channel, log


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario, debug=True)


@EVERYWHERE
@pytest.mark.parametrize("media", [None, "audio", "video"])
def test_an_invitation_rings_all_other_members(
    flavour: Flavour, sandbox: Sandbox, alice: User, bob: User, media: str | None
) -> None:
    async def scenario() -> None:
        carol_id = sandbox.user_id("carol")
        group = alice.conversation("bob", "carol")
        async with (
            own_channel(flavour, sandbox, "alice") as (alices, own),
            own_channel(flavour, sandbox, "bob") as (_, bobs),
            own_channel(flavour, sandbox, "carol") as (_, carols),
        ):
            extra = {} if media is None else {"media": media}
            call = await done(alices.invite_to_call(conversation_id=group, **extra))
            assert call.conversation_id == group
            assert list(call.callee_user_ids) == [bob.id, carol_id]
            assert call.media == (media or "audio")
            for log in (bobs, carols):
                await log.reach(1)
                (incoming,) = log.items
                assert isinstance(incoming, CallIncoming)
                assert (incoming.call_id, incoming.conversation_id) == (call.call_id, group)
                assert (incoming.caller_user_id, incoming.media) == (alice.id, media or "audio")
            assert own.items == []

    run(scenario())


@EVERYWHERE
def test_a_call_from_ring_to_end(flavour: Flavour, sandbox: Sandbox, alice: User) -> None:
    async def scenario() -> None:
        bob_id = sandbox.user_id("bob")
        group = alice.conversation("bob")
        async with (
            own_channel(flavour, sandbox, "alice") as (alices, own),
            own_channel(flavour, sandbox, "bob") as (bobs, theirs),
        ):
            call = await done(alices.invite_to_call(conversation_id=group))
            ids: dict[str, Any] = {"call_id": call.call_id, "conversation_id": group}
            await done(bobs.accept_call(**ids, caller_user_id=alice.id))
            await own.reach(1)
            assert own.items == [CallAccepted(user_id=bob_id, **ids)]
            await done(bobs.hang_up(**ids))
            await own.reach(2)
            assert own.items[1] == CallEnded(user_id=bob_id, **ids)
            with pytest.raises(PushError, match="not_found"):
                await done(alices.hang_up(**ids))
            assert [type(event) for event in theirs.items] == [CallIncoming]

    run(scenario())


@EVERYWHERE
def test_the_other_answers_and_a_cancelled_call(
    flavour: Flavour, sandbox: Sandbox, alice: User
) -> None:
    async def scenario() -> None:
        for name in ("bob", "carol"):
            sandbox.user_id(name)
        group = alice.conversation("bob", "carol")
        async with (
            own_channel(flavour, sandbox, "alice") as (alices, own),
            own_channel(flavour, sandbox, "bob") as (bobs, theirs),
            own_channel(flavour, sandbox, "carol") as (carols, _),
        ):
            call = await done(alices.invite_to_call(conversation_id=group))
            ids: dict[str, Any] = {"call_id": call.call_id, "conversation_id": group}
            await done(carols.report_busy(**ids, caller_user_id=alice.id))
            await own.reach(1)
            await done(alices.cancel_call(**ids))
            await theirs.reach(2)
            assert theirs.items[1] == CallCancelled(caller_user_id=alice.id, **ids)
            with pytest.raises(PushError, match="not_found"):
                await done(bobs.accept_call(**ids, caller_user_id=alice.id))
            call = await done(alices.invite_to_call(conversation_id=group))
            await done(
                bobs.decline_call(
                    call_id=call.call_id, conversation_id=group, caller_user_id=alice.id
                )
            )
            await own.reach(2)
            assert [type(event) for event in own.items] == [CallBusy, CallDeclined]

    run(scenario())


def test_who_accepts_is_told_to_the_caller_and_to_the_users_other_devices(ring: Ring) -> None:
    tablet = listening(ring.bob)
    assert ring.push(ring.bob, "call:accept", **ring.answer()) == OK
    accepted = ("call:accepted", ring.by(ring.bob))
    assert ring.heard(ring.alice) == accepted
    assert tuple(tablet.hear()[3:]) == accepted
    ring.assert_quiet()


@pytest.mark.parametrize(
    ("push", "event"), [("call:decline", "call:declined"), ("call:busy", "call:busy")]
)
def test_a_refusal_is_told_to_the_caller_alone(ring: Ring, push: str, event: str) -> None:
    tablet = listening(ring.bob)
    assert ring.push(ring.bob, push, **ring.answer()) == OK
    assert ring.heard(ring.alice) == (event, ring.by(ring.bob))
    tablet.assert_quiet()
    ring.assert_quiet()


def test_every_member_may_accept(ring: Ring) -> None:
    for user in (ring.bob, ring.carol):
        assert ring.push(user, "call:accept", **ring.answer()) == OK
        assert ring.heard(ring.alice) == ("call:accepted", ring.by(user))


@pytest.mark.parametrize("first", ["call:accept", "call:decline", "call:busy"])
@pytest.mark.parametrize("then", ["call:accept", "call:decline", "call:busy"])
def test_only_the_first_answer_of_a_user_counts(ring: Ring, first: str, then: str) -> None:
    ring.push(ring.bob, first, **ring.answer())
    assert ring.push(ring.bob, then, **ring.answer()) == refused("already_answered")
    ring.heard(ring.alice)
    ring.assert_quiet()


@pytest.mark.parametrize("end", ["cancel", "hangup", "all refuse"])
def test_a_late_accept_is_refused(ring: Ring, end: str) -> None:
    if end == "hangup":
        ring.push(ring.carol, "call:accept", **ring.answer())
        ring.heard(ring.alice)
        ring.push(ring.carol, "call:hangup", **ring.own())
    elif end == "cancel":
        ring.push(ring.alice, "call:cancel", **ring.own())
    else:
        ring.push(ring.bob, "call:decline", **ring.answer())
        ring.push(ring.carol, "call:busy", **ring.answer())
    for user, phone in ((ring.bob, listening(ring.bob)), (ring.carol, listening(ring.carol))):
        phone.send("1", "9", f"user:{user.id}", "call:accept", ring.answer())
        assert phone.hear()[4] == refused("not_found")


def test_a_call_is_cancelled_until_it_is_accepted(ring: Ring) -> None:
    ring.push(ring.bob, "call:decline", **ring.answer())
    ring.heard(ring.alice)
    assert ring.push(ring.alice, "call:cancel", **ring.own()) == OK
    cancelled = {**ring.own(), "caller_user_id": ring.alice.id}
    assert ring.heard(ring.carol) == ("call:cancelled", cancelled)
    ring.assert_quiet()


def test_an_accepted_call_is_not_cancelled(ring: Ring) -> None:
    ring.push(ring.bob, "call:accept", **ring.answer())
    ring.heard(ring.alice)
    assert ring.push(ring.alice, "call:cancel", **ring.own()) == refused("already_accepted")
    ring.assert_quiet()


def test_a_hangup_ends_the_call_for_all(ring: Ring) -> None:
    ring.push(ring.bob, "call:accept", **ring.answer())
    ring.heard(ring.alice)
    assert ring.push(ring.alice, "call:hangup", **ring.own()) == OK
    for user in (ring.bob, ring.carol):
        assert ring.heard(user) == ("call:ended", ring.by(ring.alice))
    ring.assert_quiet()


def test_a_ringing_call_is_not_hung_up(ring: Ring) -> None:
    assert ring.push(ring.alice, "call:hangup", **ring.own()) == refused("not_accepted")
    ring.push(ring.bob, "call:accept", **ring.answer())
    ring.heard(ring.alice)
    assert ring.push(ring.carol, "call:hangup", **ring.own()) == refused("forbidden")
    ring.assert_quiet()


def test_only_members_call(ring: Ring, new_user: NewUser) -> None:
    eve = new_user("eve")
    phone, topic = listening(eve), f"user:{eve.id}"
    pushes = [
        ("call:invite", {"conversation_id": ring.group}),
        ("call:accept", ring.answer()),
        ("call:decline", ring.answer()),
        ("call:busy", ring.answer()),
        ("call:cancel", ring.own()),
        ("call:hangup", ring.own()),
    ]
    for event, payload in pushes:
        phone.send("1", "9", topic, event, payload)
        assert phone.hear()[4] == refused("forbidden")
    unknown = {"conversation_id": eve.id}
    phone.send("1", "9", topic, "call:invite", unknown)
    assert phone.hear()[4] == refused("not_found")
    ring.assert_quiet()


def test_caller_and_callees_have_their_own_pushes(ring: Ring) -> None:
    assert ring.push(ring.alice, "call:accept", **ring.answer()) == refused("forbidden")
    assert ring.push(ring.bob, "call:cancel", **ring.own()) == refused("forbidden")
    wrong = ring.answer(caller_user_id=ring.carol.id)
    assert ring.push(ring.bob, "call:accept", **wrong) == refused("not_found")
    elsewhere = ring.answer(conversation_id=ring.bob.conversation())
    assert ring.heard(ring.bob)[0] == "conversation:created"
    assert ring.push(ring.bob, "call:accept", **elsewhere) == refused("not_found")
    ring.assert_quiet()


def test_members_who_come_later_are_not_called(ring: Ring, new_user: NewUser) -> None:
    dave = new_user("dave")
    phone = listening(dave)
    ring.alice.ask("POST", f"/conversations/{ring.group}/members", external_ids=["dave"])
    assert phone.hear()[3] == "conversation:created"
    phone.send("1", "9", f"user:{dave.id}", "call:accept", ring.answer())
    assert phone.hear()[4] == refused("forbidden")


def test_a_removed_member_answers_no_more(ring: Ring) -> None:
    ring.alice.ask("DELETE", f"/conversations/{ring.group}/members/{ring.bob.id}")
    assert ring.push(ring.bob, "call:accept", **ring.answer()) == refused("forbidden")


def test_no_timer_ends_a_call(ring: Ring, sandbox: Sandbox) -> None:
    sandbox.clock.advance(3600.0)
    ring.assert_quiet()
    assert ring.push(ring.bob, "call:accept", **ring.answer()) == OK
    assert ring.heard(ring.alice) == ("call:accepted", ring.by(ring.bob))


def test_who_is_alone_calls_nobody(alice: User) -> None:
    phone, topic = listening(alice), f"user:{alice.id}"
    phone.send("1", "9", topic, "call:invite", {"conversation_id": alice.conversation()})
    frames = [phone.hear(), phone.hear()]
    (answer,) = (frame[4] for frame in frames if frame[3] == "phx_reply")
    assert answer["response"]["callee_user_ids"] == []
