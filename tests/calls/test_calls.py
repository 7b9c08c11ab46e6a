"""Calls between two users of a sandbox, in both clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial, wraps
from typing import Any

import attrs
import pytest

from poolse import AsyncPoolse, CallStateError, ChannelClosed, PushError, UsageError
from poolse.testing import Sandbox
from tests.realtime.sync_and_async import FLAVOURS, Flavour, Log, done
from tests.realtime.typed_clients import chat

IN_BOTH = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
EVENTS = ("incoming", "accepted", "declined", "busy", "cancelled", "ended", "missed")


def everywhere(scenario: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a scenario with clients of both flavours."""

    @wraps(scenario)
    def run(**fixtures: Any) -> None:
        asyncio.run(scenario(**fixtures), debug=True)

    # pytest takes what is wrapped for the test.
    test: Callable[..., None] = IN_BOTH(run)
    return test


@attrs.define
class Phone:
    """The calls of a user, with a log of what the callbacks were called with."""

    chat: Any
    calls: Any
    log: Log = attrs.field(factory=Log)

    def __attrs_post_init__(self) -> None:
        for event in EVENTS:
            on = getattr(self.calls, f"on_{event}")
            on(partial(self._note, event))

    def _note(self, event: str, call: Any) -> None:
        self.log.append((event, call.id))

    async def next_call(self, count: int = 1) -> Any:
        """The newest active call, once so many rang."""

        def rang(items: list[Any]) -> bool:
            return [event for event, _ in items].count("incoming") >= count

        await self.log.until(rang)
        return self.calls.active[-1]

    async def heard(self, event: str, call: Any) -> None:
        """Wait until the callback of an event was called with a call."""
        await self.log.until(lambda items: (event, call.id) in items)


@asynccontextmanager
async def phone(
    flavour: Flavour, sandbox: Sandbox, user: str, **options: Any
) -> AsyncGenerator[Phone]:
    async with chat(flavour, sandbox, user) as client:
        phone = Phone(client, client.realtime.calls(**options))
        await done(phone.calls.wait_joined())
        yield phone


@asynccontextmanager
async def line(
    flavour: Flavour, sandbox: Sandbox, **options: Any
) -> AsyncGenerator[tuple[Phone, Phone, str]]:
    """Two users and their conversation. The options are those of the caller's calls."""
    async with (
        phone(flavour, sandbox, "alice", **options) as alice,
        phone(flavour, sandbox, "bob") as bob,
    ):
        sandbox.user_id("bob")
        create = alice.chat.conversations.create
        yield alice, bob, (await done(create(type="direct", member_external_ids=["bob"]))).id


@everywhere
async def test_a_call_is_accepted_and_hung_up(flavour: Flavour, sandbox: Sandbox) -> None:
    async with line(flavour, sandbox) as (alice, bob, talk):
        call = await done(alice.calls.invite(talk, media="video"))
        assert (call.status, call.is_incoming, call.conversation_id) == ("ringing", False, talk)
        assert call.callee_user_ids == (sandbox.user_id("bob"),)
        ring = await bob.next_call()
        assert ring == call
        assert (ring.media, ring.caller_user_id) == ("video", sandbox.user_id("alice"))
        await done(ring.accept())
        assert await done(call.wait_answered(10)) == "accepted"
        assert (call.accepted_by, ring.accepted_by) == (sandbox.user_id("bob"),) * 2
        await done(call.hangup())
        assert await done(ring.wait_ended(10)) == "ended"
        assert alice.calls.active == bob.calls.active == []
        for one in (alice, bob):
            await one.heard("accepted", call)
            await one.heard("ended", call)


@everywhere
@pytest.mark.parametrize(("answer", "status"), [("decline", "declined"), ("busy", "busy")])
async def test_a_call_is_refused(
    flavour: Flavour, sandbox: Sandbox, answer: str, status: str
) -> None:
    async with line(flavour, sandbox) as (alice, bob, talk):
        call = await done(alice.calls.invite(talk))
        await done(getattr(await bob.next_call(), answer)())
        assert await done(call.wait_ended(10)) == status
        assert call.refusals == {sandbox.user_id("bob"): status}
        await alice.heard(status, call)


@everywhere
async def test_a_call_is_cancelled(flavour: Flavour, sandbox: Sandbox) -> None:
    async with line(flavour, sandbox) as (alice, bob, talk):
        call = await done(alice.calls.invite(talk))
        ring = await bob.next_call()
        await done(call.cancel())
        assert await done(ring.wait_answered(10)) == "cancelled"
        await bob.heard("cancelled", ring)
        with pytest.raises(CallStateError, match=r"cannot accept .* that is cancelled"):
            await done(ring.accept())
        with pytest.raises(CallStateError) as caught:
            await done(call.hangup())
        assert caught.value.status == "cancelled"


@everywhere
async def test_a_call_during_another_one_is_busy(flavour: Flavour, sandbox: Sandbox) -> None:
    async with line(flavour, sandbox) as (alice, bob, talk):
        first = await done(alice.calls.invite(talk))
        await done((await bob.next_call()).accept())
        await done(first.wait_answered(10))
        second = await done(alice.calls.invite(talk))
        assert await done(second.wait_ended(10)) == "busy"
        assert [event for event, *_ in bob.log.items] == ["incoming", "accepted"]
        assert first.status == "accepted"


@everywhere
async def test_several_calls_at_once(flavour: Flavour, sandbox: Sandbox) -> None:
    async with chat(flavour, sandbox, "carol") as client:
        carol = Phone(client, client.realtime.calls(auto_busy=False))
        await done(carol.calls.wait_joined())
        async with phone(flavour, sandbox, "alice") as alice:
            create = alice.chat.conversations.create
            talk = (await done(create(type="direct", member_external_ids=["carol"]))).id
            calls = [await done(alice.calls.invite(talk)) for _ in range(2)]
            await carol.next_call(count=2)
            for ring in carol.calls.active:
                await done(ring.accept())
            assert {await done(call.wait_answered(10)) for call in calls} == {"accepted"}


@everywhere
async def test_nobody_answers(flavour: Flavour, sandbox: Sandbox) -> None:
    async with line(flavour, sandbox, ring_timeout=0.2) as (alice, bob, talk):
        call = await done(alice.calls.invite(talk))
        ring = await bob.next_call()
        assert await done(call.wait_answered(10)) == "missed"
        assert await done(ring.wait_ended(10)) == "cancelled"
        await alice.heard("missed", call)


@everywhere
async def test_the_callee_misses_a_call(flavour: Flavour, sandbox: Sandbox) -> None:
    async with (
        phone(flavour, sandbox, "alice") as alice,
        phone(flavour, sandbox, "bob", ring_timeout=0.2) as bob,
    ):
        create = alice.chat.conversations.create
        talk = (await done(create(type="direct", member_external_ids=["bob"]))).id
        call = await done(alice.calls.invite(talk))
        ring = await bob.next_call()
        assert await done(ring.wait_answered(10)) == "missed"
        assert await done(call.wait_ended(10)) == "declined"


@everywhere
async def test_what_is_left_is_over(flavour: Flavour, sandbox: Sandbox) -> None:
    async with line(flavour, sandbox) as (alice, bob, talk):
        call = await done(alice.calls.invite(talk))
        ring = await bob.next_call()
        await done(ring.accept())
        await done(bob.calls.leave())
        await done(bob.calls.leave())
        assert (await done(call.wait_ended(10)), ring.status) == ("ended", "ended")
        with pytest.raises(ChannelClosed):
            await done(bob.calls.invite(talk))
        with pytest.raises(ChannelClosed):
            bob.calls.on_incoming(print)
        again = bob.chat.realtime.calls()
        assert again is not bob.calls
        assert again is bob.chat.realtime.calls()


@everywhere
async def test_closing_the_client_hangs_up(flavour: Flavour, sandbox: Sandbox) -> None:
    async with phone(flavour, sandbox, "alice") as alice:
        async with phone(flavour, sandbox, "bob") as bob:
            create = alice.chat.conversations.create
            talk = (await done(create(type="direct", member_external_ids=["bob"]))).id
            call = await done(alice.calls.invite(talk))
            await done((await bob.next_call()).accept())
        assert await done(call.wait_ended(10)) == "ended"


@everywhere
async def test_an_answer_waits_for_the_socket(flavour: Flavour, sandbox: Sandbox) -> None:
    async with line(flavour, sandbox) as (alice, bob, talk):
        call = await done(alice.calls.invite(talk))
        ring = await bob.next_call()
        statuses = Log()
        bob.chat.realtime.on_status(statuses.append)
        sandbox.faults.drop_sockets(external_id="bob")
        await statuses.until(lambda items: "reconnecting" in items)
        await done(ring.accept())
        assert await done(call.wait_answered(10)) == "accepted"


@everywhere
async def test_the_user_of_the_token(flavour: Flavour, sandbox: Sandbox) -> None:
    async def get_token() -> str:
        return sandbox.token("alice")

    given: Any = get_token if flavour is not FLAVOURS[0] else lambda: sandbox.token("alice")
    async with chat(flavour, sandbox, "alice", token=None, get_token=given) as client:
        calls = client.realtime.calls()
        await done(calls.wait_joined())
        assert sandbox.joins == [f"user:{sandbox.user_id('alice')}"]
    async with chat(flavour, sandbox, "alice", token="x.eyJhIjoxfQ.x") as client:
        with pytest.raises(UsageError, match=r"pass user_id= to calls\(\)"):
            await done(client.realtime.calls().wait_joined())


@everywhere
async def test_calls_that_are_refused(flavour: Flavour, sandbox: Sandbox) -> None:
    async with line(flavour, sandbox) as (alice, bob, talk):
        with pytest.raises(UsageError, match="there is no active call 'c-1'"):
            await done(alice.calls.accept("c-1"))
        stranger = await done(bob.chat.conversations.create(type="group", name="bob's"))
        with pytest.raises(PushError):
            await done(alice.calls.invite(stranger.id))
        call = await done(alice.calls.invite(talk))
        with pytest.raises(CallStateError, match="cannot accept an outgoing call that is ringing"):
            await done(call.accept())
        ring = await bob.next_call()
        with pytest.raises(CallStateError, match="cannot hang up an incoming call"):
            await done(bob.calls.hangup(ring.id))


@everywhere
async def test_a_closed_client_has_no_calls(flavour: Flavour, sandbox: Sandbox) -> None:
    async with chat(flavour, sandbox, "alice") as client:
        realtime = client.realtime
    with pytest.raises(UsageError, match="closed"):
        realtime.calls()


def test_calls_belong_to_the_loop_in_which_they_are_asked_for(sandbox: Sandbox) -> None:
    async def calls_of(client: AsyncPoolse) -> Any:
        return client.realtime.calls()

    client = AsyncPoolse(api_url=sandbox.url, token=sandbox.token("alice"))
    with pytest.raises(UsageError, match="needs a running event loop"):
        client.realtime.calls()
    with asyncio.Runner() as loop, asyncio.Runner() as other:
        calls = loop.run(calls_of(client))
        with pytest.raises(UsageError, match="belongs to another event loop"):
            other.run(calls.wait_joined())
        loop.run(client.aclose())


def test_leaving_that_is_cancelled_has_left(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with line(FLAVOURS[1], sandbox) as (alice, bob, talk):
            call = await alice.calls.invite(talk)
            await bob.next_call()
            task = asyncio.create_task(alice.calls.leave())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert call.status in ("cancelled", "ended")
            assert alice.calls.active == []
            assert alice.chat.realtime.calls() is not alice.calls

    asyncio.run(main(), debug=True)
