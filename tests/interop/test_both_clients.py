"""The JavaScript client of Phoenix and ours in one conversation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from poolse.testing import Sandbox
from tests.interop.official import Client, official_client
from tests.realtime.real_backend import run
from tests.realtime.sync_and_async import FLAVOURS, LIMIT, Flavour, Log, done
from tests.realtime.typed_clients import chat
from tests.sandbox.raw_clients import User, users_of

pytestmark = [
    pytest.mark.usefixtures("packages"),
    pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"]),
]


async def says(client: Client, what: str) -> object:
    """Read on in a thread, so that an event loop goes on meanwhile."""
    return await asyncio.to_thread(client.says, what)


def test_messages_and_typing_both_ways(sandbox: Sandbox, alice: User, flavour: Flavour) -> None:
    async def scenario(bob: User, theirs: Client) -> None:
        async with chat(flavour, sandbox, "alice") as ours:
            live, typing, heard = ours.realtime.conversation(talk), Log(), Log()
            live.on_typing_start(typing.append)
            live.on_message(heard.append)
            await done(live.wait_joined())
            assert await says(theirs, "joined") == {}
            handle = ours.conversations.one(talk)
            await done(handle.messages.send(body="hello 😀"))
            assert await says(theirs, "message") == "hello 😀"
            await done(live.send_typing())
            assert await says(theirs, "typing") == alice.id
            theirs.tell("push", "typing", {})
            await typing.until(len)
            assert [event.user_id for event in typing.items] == [bob.id]

            # Both lose their connection, and both come back.
            await asyncio.to_thread(sandbox.faults.drop_sockets)
            assert await says(theirs, "closed") == 1006
            await asyncio.to_thread(sandbox.wait_for, lambda: len(sandbox.joins) == 4, LIMIT)
            await done(live.wait_joined())
            await done(handle.messages.send(body="again"))
            assert await says(theirs, "message") == "again"
            await heard.reach(2)
            assert [message.body for message in heard.items] == ["hello 😀", "again"]

    with users_of(sandbox) as new_user:
        bob = new_user("bob")
        talk = alice.conversation("bob")
        with official_client(sandbox, bob, f"conversation:{talk}") as theirs:
            run(lambda: scenario(bob, theirs))


def test_one_user_on_two_devices(sandbox: Sandbox, alice: User, flavour: Flavour) -> None:
    """The same user here and there: both clients count two devices, then one."""

    async def scenario(theirs: Client) -> None:
        assert await says(theirs, "present") == [[alice.id, 1]]
        async with chat(flavour, sandbox, "alice") as ours:
            live, states, diffs = ours.realtime.conversation(talk), Log(), Log()
            live.on_presence_state(states.append)
            live.on_presence_diff(diffs.append)
            await done(live.wait_joined())
            assert await says(theirs, "present") == [[alice.id, 2]]
            # One's own arrival comes before the state.
            await states.until(len)
            assert devices(live) == 2
            theirs.tell("leave")
            assert await says(theirs, "left") is None
            await diffs.until(lambda found: any(alice.id in diff.leaves for diff in found))
            assert devices(live) == 1

    def devices(live: Any) -> int:
        return len(live.presence_state[alice.id].metas)

    talk = alice.conversation()
    with official_client(sandbox, alice, f"conversation:{talk}") as theirs:
        run(lambda: scenario(theirs))


def test_leaving_here_takes_one_device_there(
    sandbox: Sandbox, alice: User, flavour: Flavour
) -> None:
    async def scenario(theirs: Client) -> None:
        assert await says(theirs, "present") == [[alice.id, 1]]
        async with chat(flavour, sandbox, "alice") as ours:
            live = ours.realtime.conversation(talk)
            await done(live.wait_joined())
            assert await says(theirs, "present") == [[alice.id, 2]]
            await done(live.leave())
            assert await says(theirs, "present") == [[alice.id, 1]]

    talk = alice.conversation()
    with official_client(sandbox, alice, f"conversation:{talk}") as theirs:
        run(lambda: scenario(theirs))
