"""Whatever waits is not garbage-collected: nobody else may hold the task that waits."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from poolse import Cancelled, CancelToken, RealtimeError
from poolse.testing import Sandbox
from tests.realtime.channel_types import PING, News
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import World, run
from tests.realtime.sync_and_async import FLAVOURS, LIMIT, Aio, Flavour, Log, Sync
from tests.realtime.typed_clients import chat

MANY = 20


async def iterate(room: Any, got: Log) -> None:
    async for event in room.events():
        if isinstance(event, News):
            got.append(event.text)


async def iterate_with_token(room: Any, got: Log) -> None:
    async for event in room.events(cancel=CancelToken()):
        if isinstance(event, News):
            got.append(event.text)


async def iterate_with_timeout(room: Any, got: Log) -> None:
    async for event in room.events(timeout=LIMIT):
        if isinstance(event, News):
            got.append(event.text)


Consumer = Callable[[Any, Log], Coroutine[Any, Any, None]]


@pytest.mark.parametrize("consume", [iterate, iterate_with_token, iterate_with_timeout])
def test_a_task_that_nobody_keeps_continues_iterating(world: World, consume: Consumer) -> None:
    if world.flavour is Sync:
        return

    async def scenario() -> None:
        complaints: list[Any] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        async with world.client() as client:
            room, got = client.realtime.room(world.conversation), Log()
            await room.wait_joined()
            asyncio.create_task(consume(room, got))  # noqa: RUF006  (that is what it is about)
            del room
            for number in range(MANY):
                await asyncio.sleep(0)
                gc.collect()
                world.ping(str(number))
                await got.reach(number + 1)
            assert got.items == [str(number) for number in range(MANY)]
        assert complaints == []

    run(scenario)


def test_waits_for_a_join_and_for_a_reply_are_held(world: World) -> None:
    if world.flavour is Sync:
        return

    async def scenario() -> None:
        complaints: list[Any] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        async with world.client() as client:
            room, got = client.realtime.room(world.conversation), Log()
            world.sandbox.faults.mute()

            async def waiting(work: Callable[[], Coroutine[Any, Any, object]], name: str) -> None:
                with contextlib.suppress(RealtimeError):
                    await work()
                got.append(name)

            works = {
                "joined": lambda: room.wait_joined(None),
                "with token": lambda: room.wait_joined(None, cancel=CancelToken()),
                "pushed": lambda: room.push("typing", timeout=None),
            }
            for name, work in works.items():
                asyncio.create_task(waiting(work, name))  # noqa: RUF006
            for _ in range(3):
                await asyncio.sleep(0)
                gc.collect()
            world.sandbox.faults.unmute()
            await got.reach(2)
            assert set(got.items) == {"joined", "with token"}
        # The server has no reply to it, so that closing ends the wait.
        await got.reach(3)
        assert complaints == []

    run(scenario)


def test_an_async_callback_is_held(world: World) -> None:
    if world.flavour is Sync:
        return

    async def scenario() -> None:
        async with world.client() as client:
            got, release = Log(), asyncio.Event()

            async def slow(news: News) -> None:
                got.append("entered")
                await asyncio.Event().wait() if not release.is_set() else None
                got.append(news.text)

            client.realtime.room(world.conversation).on(PING, slow)
            room = client.realtime.room(world.conversation)
            await room.wait_joined()
            release.set()
            for number in range(3):
                gc.collect()
                world.ping(str(number))
                await got.reach(2 * (number + 1))

    run(scenario)


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
def test_a_feed_that_nobody_keeps_is_held_while_it_is_waited_for(
    flavour: Flavour, sandbox: Sandbox
) -> None:
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]

    async def scenario() -> None:
        got = Log()
        async with chat(flavour, sandbox, "alice") as client:
            messages = client.conversations.one(conversation).messages

            async def follow() -> None:
                async with messages.follow(after="beginning") as feed:
                    async for item in feed:
                        got.append(item.message.body)

            def follow_in_thread() -> None:
                with messages.follow(after="beginning", cancel=token) as feed:
                    for item in feed:
                        got.append(item.message.body)

            token = CancelToken()
            thread: asyncio.Future[None] | None = None
            if flavour is Aio:
                asyncio.create_task(follow())  # noqa: RUF006
            else:
                thread = asyncio.get_running_loop().run_in_executor(None, follow_in_thread)
            live = client.realtime.conversation(conversation)
            result = live.wait_joined()
            if flavour is Aio:
                await result
            await asyncio.to_thread(sandbox.wait_for, lambda: bool(sandbox.joins), LIMIT)
            for number in range(MANY):
                await asyncio.sleep(0)
                gc.collect()
                post(sandbox, f"/v1/conversations/{conversation}/messages", {"body": str(number)})
                await got.reach(number + 1)
            assert got.items == [str(number) for number in range(MANY)]
            token.cancel()
            if thread is not None:
                with pytest.raises(Cancelled):
                    await thread

    asyncio.run(scenario())


def test_an_iterator_that_was_thrown_away_while_nobody_waits_collects_nothing(
    world: World,
) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room, got = client.realtime.room(world.conversation), Log()
            room.on(PING, got.append)
            events = room.events(timeout=LIMIT)
            await client.take(events, 1)
            subscription = room._subscription
            assert subscription.waiting == set()
            del events
            gc.collect()
            assert list(subscription._streams) == []
            world.ping("nobody takes it")
            await got.until(len)

    run(scenario)
