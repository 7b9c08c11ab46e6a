"""What a user does with a channel, in both bodies."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from poolse._realtime.channel_types import UnknownEvent
from poolse.errors import (
    ChannelClosed,
    DecodeError,
    JoinError,
    RealtimeError,
    UsageError,
)
from tests.realtime.channel_types import PING, News
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import World, run
from tests.realtime.sync_and_async import LIMIT, Aio, Log, Sync, done


def test_heartbeats_keep_the_link(world: World) -> None:
    async def scenario() -> None:
        async with world.client(heartbeat_interval=0.05) as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            got = Log()
            room.on(PING, got.append)
            for number in range(20):
                world.ping(str(number))
                await got.reach(number + 1)
                await asyncio.sleep(0.02)
            assert client.errors.items == []
            assert len(world.sandbox.handshakes) == 1

    run(scenario)


def test_unknown_and_broken_events(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            events = room.events(timeout=LIMIT)
            world.sandbox.broadcast(world.topic, "brand:new", {"a": 1})
            world.ping(7)
            world.ping("good")
            found: list[Any] = []
            while News("good") not in found:
                found += await client.take(events, 1)
            assert UnknownEvent("brand:new", {"a": 1}) in found
            await client.errors.until(len)
            assert [type(error) for error in client.errors.items] == [DecodeError]

    run(scenario)


def test_an_iterator_ends_after_silence_and_can_continue(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room, got = client.realtime.room(world.conversation), Log()
            await done(room.wait_joined())
            room.on(PING, got.append)
            events = room.events(timeout=0.2)
            await client.take(events, 100)
            assert await client.take(events, 1) == []
            world.ping("late")
            await got.until(len)
            assert await client.take(room.events(timeout=0.01), 1) != [News("late")]
            assert await client.take(events, 1) == [News("late")]

    run(scenario)


def test_a_raising_callback_stops_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            got = Log()

            def fail(_: object) -> None:
                raise ZeroDivisionError

            room.on(PING, fail)
            room.on(PING, got.append)
            await done(room.wait_joined())
            for text in "ab":
                world.ping(text)
            await got.reach(2)
            await client.errors.reach(2)
            assert [type(error) for error in client.errors.items] == [RealtimeError] * 2
            assert isinstance(client.errors.items[0].__cause__, ZeroDivisionError)
            assert client.realtime.status == "connected"

    run(scenario)
    records = [record for record in caplog.records if record.name == "poolse.realtime"]
    assert len(records) == 2
    assert all(record.exc_info for record in records)


def test_callbacks_may_use_everything(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            called, seen, closed = Log(), Log(), Log()

            def more(_: object) -> object:
                room.on(PING, seen.append)
                off()
                called.append("more")
                return room.tell("typing")

            def end(_: object) -> object:
                closed.append("closing")
                return client.close() if world.flavour is Aio else client.realtime.close()

            off = room.on(PING, more)
            await done(room.wait_joined())
            world.ping("a")
            await called.until(len)
            world.ping("b")
            await seen.until(len)
            room.on(PING, end)
            world.ping("c")
            await closed.until(len)
            await client.close()
            assert client.realtime.status == "closed"

    run(scenario)


def test_leave_and_come_again(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            first, room = (client.realtime.room(world.conversation) for _ in range(2))
            assert first == room
            await done(first.wait_joined())
            got, none = Log(), Log()
            first.on(PING, none.append)
            room.on(PING, got.append)
            ended = first.events()
            for _ in range(3):
                await done(first.leave())
            assert not [e for e in await client.take(ended, 100) if isinstance(e, News)]
            world.ping("one reference left")
            await got.until(len)
            assert none.items == []
            events = room.events()
            await done(client.realtime.leave(world.conversation))
            world.ping("nobody is there")
            assert News("nobody is there") not in await client.take(events, 100)
            with pytest.raises(ChannelClosed):
                await done(room.wait_joined())
            with pytest.raises(ChannelClosed):
                await done(room.tell("typing"))
            again = client.realtime.room(world.conversation)
            await done(again.wait_joined())
            assert len(world.sandbox.joins) == 2
            await done(again.leave())
            await done(again.leave())

    run(scenario)


def test_disconnect_and_connect(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            await done(client.realtime.connect())
            await world.until(lambda: world.sandbox.sockets == 1)
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            await done(client.realtime.disconnect())
            assert client.realtime.status == "closed"
            await world.until(lambda: world.sandbox.sockets == 0)
            with pytest.raises(ChannelClosed, match="disconnected"):
                await done(room.wait_joined())
            await done(client.realtime.connect())
            await done(room.wait_joined())
            assert client.errors.items == []

    run(scenario)


def test_many_channels_take_several_sockets(world: World) -> None:
    async def scenario() -> None:
        body = {"type": "group"}
        ids = [post(world.sandbox, "/v1/conversations", body)["id"] for _ in range(7)]
        async with world.client(channels_per_socket=3, joins_at_once=2) as client:
            rooms = [client.realtime.room(id_) for id_ in ids]
            for room in rooms:
                await done(room.wait_joined())
            assert world.sandbox.sockets == 3
            assert client.realtime.status == "connected"

    run(scenario)


def test_after_close_everything_says_so(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            events = room.events()
            await client.close()
            await client.close()
            assert all(not isinstance(e, News) for e in await client.take(events, 100))
            with pytest.raises(ChannelClosed):
                await done(room.wait_joined())
            with pytest.raises(UsageError, match="closed"):
                client.realtime.room(world.conversation)
            with pytest.raises(UsageError, match="closed"):
                await done(client.realtime.connect())
            assert client.realtime.status == "closed"

    run(scenario)
    world.sandbox.wait_for(lambda: world.sandbox.sockets == 0)


def test_contexts_join_and_leave(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            if isinstance(client, Sync):
                with room as live:
                    assert live is room
                    assert live.who is not None
            else:
                async with room as live:
                    assert live is room
            assert repr(room).endswith("left>")
            world.sandbox.faults.refuse_joins("forbidden", times=2)
            refused: Any = client.realtime.room(world.conversation)
            enter = refused.__enter__ if isinstance(client, Sync) else refused.__aenter__
            with pytest.raises(JoinError, match="forbidden"):
                await done(enter())

    run(scenario)
