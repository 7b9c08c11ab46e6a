"""Channels of both bodies against a whole backend, over ws and wss."""

from __future__ import annotations

import pytest

from poolse.errors import (
    ChannelClosed,
    JoinError,
)
from tests.realtime.channel_types import MESSAGE, PING, TYPING
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import World, run
from tests.realtime.sync_and_async import Log, done


def test_a_conversation(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as alice, world.client("bob") as bob:
            ours = alice.realtime.room(world.conversation)
            messages, typing = Log(), Log()
            off = ours.on(MESSAGE, messages.append)
            ours.on(TYPING, typing.append)
            await done(ours.wait_joined())
            events = ours.events()
            theirs = bob.realtime.room(world.conversation)
            await done(theirs.wait_joined())
            await done(theirs.tell("typing"))
            await typing.until(len)
            typed = {"user_id": world.sandbox.user_id("bob"), "external_id": "bob"}
            assert typing.items == [typed]
            path = f"/v1/conversations/{world.conversation}/messages"
            for number in range(3):
                post(world.sandbox, path, {"body": str(number)}, "bob")
            await messages.reach(3)
            assert [m["body"] for m in messages.items] == ["0", "1", "2"]
            users = {world.sandbox.user_id("alice"), world.sandbox.user_id("bob")}
            assert set(ours.who) == users
            bodies: list[str] = []
            while len(bodies) < 3:
                bodies += [e["body"] for e in await alice.take(events, 1) if "body" in e]
            assert bodies == ["0", "1", "2"]
            off()
            await done(theirs.leave())
            assert alice.errors.items == bob.errors.items == []

    run(scenario)
    world.sandbox.wait_for(lambda: world.sandbox.sockets == 0)


def test_a_refused_channel_is_tried_once_more(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            world.sandbox.faults.refuse_joins("unauthorized", times=1)
            await done(client.realtime.room(world.conversation).wait_joined())
            world.sandbox.faults.refuse_joins("unauthorized", times=2)
            world.sandbox.token("carol")
            other = client.realtime.room("00000000-0000-4000-8000-000000000000")
            with pytest.raises(JoinError) as caught:
                await done(other.wait_joined())
            assert caught.value.reason == "unauthorized"
            assert caught.value.topic == other.topic

    run(scenario)


def test_a_refusal_is_named_when_the_wait_is_over(world: World) -> None:
    async def scenario() -> None:
        async with world.client(rejoin_delays=(60.0,)) as client:
            world.sandbox.faults.refuse_joins("busy", times=1)
            room = client.realtime.room(world.conversation)
            await client.errors.until(len)
            with pytest.raises(JoinError, match="busy"):
                await done(room.wait_joined(timeout=0.01))

    run(scenario)


def test_a_crashed_channel_comes_back(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            got = Log()
            room.on(PING, got.append)
            await done(room.wait_joined())
            world.sandbox.faults.crash(world.topic)
            await client.errors.until(len)
            await world.until(lambda: len(world.sandbox.joins) == 2)
            world.ping("back")
            await got.until(len)
            assert client.realtime.status == "connected"

    run(scenario)


def test_a_channel_that_the_server_closed_is_over(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            events = room.events()
            world.sandbox.faults.close_channel(world.topic)
            with pytest.raises(ChannelClosed, match="server closed"):
                await client.take(events, 10)
            with pytest.raises(ChannelClosed, match="server closed"):
                await done(room.wait_joined())
            again = client.realtime.room(world.conversation)
            assert again is not room
            await done(again.wait_joined())

    run(scenario)


def test_a_half_open_link_is_noticed(world: World) -> None:
    async def scenario() -> None:
        async with world.client(
            heartbeat_interval=0.1, heartbeat_timeout=0.5, close_timeout=0.1
        ) as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            world.sandbox.faults.mute()
            await client.errors.until(len)
            assert "heartbeat" in str(client.errors.items[0])
            world.sandbox.faults.unmute()
            await done(room.wait_joined())

    run(scenario)
