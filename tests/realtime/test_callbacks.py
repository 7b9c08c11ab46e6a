"""What callbacks may do, and what they cannot do to anybody else, in both bodies."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from poolse.errors import ChannelClosed, SlowConsumer
from tests.realtime.channel_types import MESSAGE, PING, TYPING, News, Who
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import World, run
from tests.realtime.sync_and_async import LIMIT, Aio, Log, Sync, done

Deed = Callable[[World, Any, Any], object]


async def push(_: World, __: Any, room: Any) -> None:
    await done(room.tell("typing"))


async def leave(_: World, __: Any, room: Any) -> None:
    await done(room.leave())


async def leave_by_id(world: World, client: Any, __: Any) -> None:
    await done(client.realtime.leave(world.conversation))


async def disconnect(_: World, client: Any, __: Any) -> None:
    await done(client.realtime.disconnect())


async def reconnect(_: World, client: Any, room: Any) -> None:
    await done(client.realtime.disconnect())
    await done(client.realtime.connect())
    await done(room.wait_joined())


async def wait_joined(_: World, __: Any, room: Any) -> None:
    await done(room.wait_joined())


async def join_another(_: World, client: Any, __: Any) -> None:
    with pytest.raises(Exception, match="unauthorized"):
        await done(client.realtime.room("00000000-0000-4000-8000-000000000000").wait_joined())


async def subscribe(_: World, client: Any, room: Any) -> None:
    room.on(PING, print)()
    client.realtime.on_status(print)()
    room.events()
    assert room.who is not None
    assert client.realtime.status == "connected"


async def close(_: World, client: Any, __: Any) -> None:
    await client.close()


def driven(coroutine: Any) -> None:
    """Run what never waits for the loop, as everything of the sync body."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


@pytest.mark.parametrize(
    "deed",
    [
        push,
        leave,
        leave_by_id,
        disconnect,
        reconnect,
        wait_joined,
        join_another,
        subscribe,
        close,
    ],
)
def test_a_callback_may_do_anything(world: World, deed: Deed) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room, outcome = client.realtime.room(world.conversation), Log()

            async def act(_: object) -> None:
                try:
                    await done(deed(world, client, room))
                    outcome.append("done")
                except BaseException as error:
                    outcome.append(error)

            def act_at_once(event: object) -> None:
                driven(act(event))

            room.on(PING, act_at_once if world.flavour is Sync else act)
            await done(room.wait_joined())
            world.ping("go")
            await outcome.until(len)
            assert outcome.items == ["done"]

    run(scenario)


def test_handlers_of_status_and_errors_may_raise(world: World) -> None:
    async def scenario() -> None:
        seen = Log()

        def fail(value: object) -> None:
            seen.append(value)
            raise ZeroDivisionError

        async with world.client() as client:
            client.realtime.on_status(fail)
            client.errors.append = fail
            room, got = client.realtime.room(world.conversation), Log()
            room.on(PING, got.append)
            for number in range(1, 4):
                await done(room.wait_joined())
                world.sandbox.faults.drop_sockets()
                await world.joins(number + 1)
            world.ping("still here")
            await got.until(len)
            await seen.until(lambda items: items.count("connected") == 4)

    run(scenario)


class Obstacle:
    """A callback that takes its time, in the way of its flavour."""

    def __init__(self) -> None:
        self.entered = Log()
        self._released = threading.Event()

    def of(self, world: World) -> Callable[[object], object]:
        return self._block if world.flavour is Sync else self._linger

    def release(self) -> None:
        self._released.set()

    def _block(self, _: object) -> None:
        self.entered.append(None)
        self._released.wait(LIMIT)

    async def _linger(self, _: object) -> None:
        self.entered.append(None)
        await asyncio.to_thread(self._released.wait, LIMIT)


def test_a_callback_that_takes_its_time_delays_callbacks_only(world: World) -> None:
    async def scenario() -> None:
        obstacle, later = Obstacle(), Log()
        times = {"heartbeat_interval": 0.05, "heartbeat_timeout": 5.0}
        async with world.client("alice", queue_limit=5, **times) as client:
            room = client.realtime.room(world.conversation)
            off = room.on(PING, obstacle.of(world))
            room.on(PING, later.append)
            await done(room.wait_joined())
            events = room.events(timeout=LIMIT)
            world.ping("first")
            await obstacle.entered.until(len)
            off()
            for number in range(20):
                world.ping(str(number))
                while News(str(number)) not in await client.take(events, 1):
                    pass
            assert events.dropped == 0, "the iterator was not held up"
            assert later.items == []
            obstacle.release()
            # Five calls wait at most; the first one's sibling and the oldest were given up.
            await later.reach(5)
            assert [news.text for news in later.items] == ["15", "16", "17", "18", "19"]
            (error,) = await client.errors.until(len)
            assert isinstance(error, SlowConsumer)
            assert error.dropped == client.realtime.dropped == 16
            assert len(world.sandbox.handshakes) == 1

    run(scenario)


def test_a_flooded_channel_takes_nothing_from_a_quiet_one(world: World) -> None:
    """Typing of one channel, however much, and one message of another, behind a slow callback."""
    other = post(world.sandbox, "/v1/conversations", {"type": "group"})["id"]

    async def scenario() -> None:
        obstacle, typing, messages = Obstacle(), Log(), Log()
        async with world.client(queue_limit=10) as client:
            busy, quiet = (client.realtime.room(id_) for id_ in (world.conversation, other))
            off = busy.on(PING, obstacle.of(world))
            busy.on(TYPING, typing.append)
            for room in (busy, quiet):
                room.on(MESSAGE, messages.append)
                await done(room.wait_joined())
            seen = [room.events(timeout=LIMIT) for room in (busy, quiet)]
            world.ping("block")
            await obstacle.entered.until(len)
            off()
            for room in (busy, quiet):
                world.sandbox.broadcast(room.topic, "message:new", {"from": room.topic})
            for number in range(100):
                world.sandbox.broadcast(busy.topic, "typing:start", {"n": number})
                while {"n": number} not in await client.take(seen[0], 1):
                    pass
            while {"from": quiet.topic} not in await client.take(seen[1], 1):
                pass
            obstacle.release()
            await typing.reach(10)
            await messages.reach(2)
            assert [event["n"] for event in typing.items] == list(range(90, 100))
            assert {event["from"] for event in messages.items} == {busy.topic, quiet.topic}
            (error,) = await client.errors.until(len)
            assert isinstance(error, SlowConsumer)
            assert (error.topic, error.event) == (busy.topic, "typing:start")
            assert error.dropped == client.realtime.dropped == 90

    run(scenario)


def test_typing_costs_an_iterator_no_message(world: World) -> None:
    async def scenario() -> None:
        async with world.client(queue_limit=5) as client:
            room, got = client.realtime.room(world.conversation), Log()
            await done(room.wait_joined())
            room.on(TYPING, got.append)
            events = room.events(timeout=LIMIT)
            world.sandbox.broadcast(room.topic, "message:new", {"body": "kept"})
            for number in range(50):
                world.sandbox.broadcast(room.topic, "typing:start", {"n": number})
                await got.reach(number + 1)
            with pytest.raises(SlowConsumer, match="typing:start") as caught:
                await client.take(events, 1)
            assert caught.value.dropped == events.dropped
            assert {"body": "kept"} in await client.take(events, 5)

    run(scenario)


def test_an_iterator_that_is_too_slow_is_reported(world: World) -> None:
    async def scenario() -> None:
        async with world.client(queue_limit=5) as client:
            room, got = client.realtime.room(world.conversation), Log()
            await done(room.wait_joined())
            room.on(PING, got.append)
            events, other = room.events(timeout=LIMIT), room.events(timeout=LIMIT)
            for number in range(20):
                world.ping(str(number))
                await got.reach(number + 1)
                while News(str(number)) not in await client.take(other, 1):
                    pass
            with pytest.raises(SlowConsumer) as caught:
                await client.take(events, 1)
            assert caught.value.dropped >= 15
            assert events.dropped == caught.value.dropped
            assert caught.value.topic == world.topic
            # It continues after the gap, and what is rare was not dropped for what is frequent.
            who, *news = await client.take(events, 5)
            assert isinstance(who, Who)
            assert news == [News(str(number)) for number in range(16, 20)]
            assert other.dropped == client.realtime.dropped == 0

    run(scenario)


def test_an_iteration_that_is_cut_short_loses_nothing(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            events = room.events(timeout=0.0 if world.flavour is Sync else None)
            got: list[str] = []
            sending = asyncio.create_task(asyncio.to_thread(send_hundred, world))
            while len(got) < 100:
                event = await cut_short(events)
                got += [event.text] if isinstance(event, News) else []
            await sending
            assert got == [str(number) for number in range(100)]

    run(scenario)


async def cut_short(events: Any) -> object:
    """The next event, or None: cancelled at whatever point it has reached, or out of time."""
    await asyncio.sleep(0)
    if not hasattr(events, "__anext__"):
        return next(events, None)
    taking = asyncio.create_task(anext(events))
    await asyncio.sleep(0)
    taking.cancel()
    try:
        return await taking
    except asyncio.CancelledError:
        return None


def send_hundred(world: World) -> None:
    for number in range(100):
        world.ping(str(number))


def test_everybody_may_close_at_once(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            if world.flavour is Aio:
                await asyncio.gather(*(client.close() for _ in range(10)))
            else:
                closers: list[Awaitable[object]] = [
                    asyncio.to_thread(client.realtime.close) for _ in range(10)
                ]
                await asyncio.gather(*closers)
            with pytest.raises(ChannelClosed):
                await done(room.wait_joined())

    run(scenario)
    world.sandbox.wait_for(lambda: world.sandbox.sockets == 0)
