"""A socket that was given up, at every door: the reason at once, or a new try for a new handle.

The rule: what hangs on a handle acquired before raises the reason again. Whoever acquires a handle
anew, or starts a feed, makes the socket try again.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from poolse._realtime.effects import Failure
from poolse.errors import AuthError, ConnectionFailed, PoolseError
from poolse.testing import Sandbox
from tests.realtime.channel_types import ROOM
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import World, run
from tests.realtime.sync_and_async import FLAVOURS, LIMIT, Flavour, done
from tests.realtime.typed_clients import chat
from tests.realtime.virtual_client import World as HubWorld
from tests.realtime.virtual_client import stream_of, taken

GIVEN_UP: dict[int, type[PoolseError]] = {403: AuthError, 404: ConnectionFailed}


def give_up(world: HubWorld, status: int) -> None:
    """Let the handshake be refused until it is final."""
    socket = world.sockets[-1]
    while socket.failure is None:
        # Between two attempts there is always a wait.
        world.advance(30)
        with world.client.step(socket) as now:
            generation = socket.connection.generation
            socket.connection.failed(generation, Failure(reason="no", status=status), now)
    socket.take_commands()


@pytest.mark.parametrize("status", GIVEN_UP)
def test_what_hangs_on_an_old_handle_raises_the_reason_at_once(status: int) -> None:
    world, kind = HubWorld(), GIVEN_UP[status]
    room = world.room()
    waiting = stream_of(world, room)
    give_up(world, status)
    later = stream_of(world, room)
    for stream in (waiting, later):
        with pytest.raises(kind):
            taken(stream)
    with pytest.raises(kind):
        _ = room.reference.joined
    with pytest.raises(kind):
        world.client.push(room.reference, "ask", {}, 1.0)
    assert world.client.status == "closed"


@pytest.mark.parametrize("status", GIVEN_UP)
@pytest.mark.parametrize("parameter", ["1", "2"], ids=["same", "another"])
@pytest.mark.parametrize("own", [False, True], ids=["channel", "feed"])
def test_a_new_handle_tries_again(status: int, parameter: str, own: bool) -> None:
    world = HubWorld()
    room = world.room()
    give_up(world, status)
    reference = world.client.acquire(ROOM, parameter, internal=own)
    assert world.client.status == "connecting"
    # It failed again: raised again, and not waited for.
    give_up(world, status)
    with pytest.raises(GIVEN_UP[status]):
        _ = reference.joined
    world.client.acquire(ROOM, parameter)
    world.advance(30)
    world.serve()
    assert reference.joined
    assert room.reference.joined, "the old one profits from it"


def test_after_disconnect_nothing_is_tried() -> None:
    world = HubWorld()
    world.room()
    give_up(world, 404)
    world.client.disconnect()
    world.room()
    assert world.sockets[0].take_commands() == []


@pytest.mark.parametrize("status", GIVEN_UP)
def test_a_supervised_program_that_starts_again(world: World, status: int) -> None:
    """As in the client, through sockets and threads or tasks."""

    async def scenario() -> None:
        async with world.client() as client:
            refused = world.sandbox.faults.refuse_handshakes
            refused(status, 2 if status == 403 else 1)
            room = client.realtime.room(world.conversation)
            events = room.events(timeout=LIMIT)
            with pytest.raises(GIVEN_UP[status]):
                await done(room.wait_joined())
            with pytest.raises(GIVEN_UP[status]):
                await client.take(events, 1)
            # At each door of the old handle, at once.
            for use in (room.wait_joined, lambda: room.push("typing")):
                with pytest.raises(GIVEN_UP[status]):
                    await done(use())
            with pytest.raises(GIVEN_UP[status]):
                await client.take(room.events(), 1)
            handshakes = len(world.sandbox.handshakes)
            again = client.realtime.room(world.conversation)
            await done(again.wait_joined())
            await done(room.wait_joined())
            assert len(world.sandbox.handshakes) == handshakes + 1

    run(scenario)


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
def test_follow_after_it_was_given_up(flavour: Flavour, sandbox: Sandbox) -> None:
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]

    async def scenario() -> None:
        async with chat(flavour, sandbox, "alice") as client:
            sandbox.faults.refuse_handshakes(404)
            live: Any = client.realtime.conversation(conversation)
            with pytest.raises(ConnectionFailed):
                await done(live.wait_joined())
            messages = client.conversations.one(conversation).messages
            async with asyncio.timeout(LIMIT):
                await follow_one(flavour, messages)

    asyncio.run(scenario())


async def follow_one(flavour: Flavour, messages: Any) -> None:
    feed = messages.follow(after="beginning")
    await done(messages.send(body="hi"))
    if flavour is FLAVOURS[0]:
        with feed:
            assert next(iter(feed)).message.body == "hi"
    else:
        async with feed:
            assert (await anext(feed)).message.body == "hi"
