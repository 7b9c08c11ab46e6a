"""Endings that only asyncio knows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from poolse.errors import PoolseError, UsageError
from poolse.testing import Sandbox
from tests.realtime.channel_types import PING
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import settings_of
from tests.realtime.sync_and_async import FLAVOURS, LIMIT, Aio, AsyncRooms, Log, opened

BOTH = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])


@pytest.fixture
def conversation(sandbox: Sandbox) -> Any:
    return post(sandbox, "/v1/conversations", {"type": "group"})["id"]


def test_async_realtime_needs_a_running_loop(sandbox: Sandbox) -> None:
    client = Aio(settings_of(sandbox), lambda _: None)
    with pytest.raises(UsageError, match="running event loop"):
        client.realtime.room("x")
    asyncio.run(client.close())


def test_async_realtime_belongs_to_one_loop(sandbox: Sandbox) -> None:
    client = Aio(settings_of(sandbox), lambda _: sandbox.token("alice"))

    async def use() -> None:
        await client.realtime.connect()

    async def first() -> None:
        await use()
        await asyncio.to_thread(sandbox.wait_for, lambda: sandbox.sockets == 1, LIMIT)
        await client.realtime.disconnect()
        await client.close()

    async def second() -> None:
        await use()

    asyncio.run(first())
    with pytest.raises(UsageError):
        asyncio.run(second())
    other = Aio(settings_of(sandbox), lambda _: sandbox.token("alice"))

    async def bind() -> None:
        other.realtime.on_status(print)
        await other.realtime.connect()
        await other.close()

    asyncio.run(bind())


def test_cancelled_waits_leave_nothing_behind(sandbox: Sandbox, conversation: str) -> None:
    async def scenario() -> None:
        async with opened(Aio, settings_of(sandbox), lambda _: sandbox.token("alice")) as client:
            # Mute, so that the join cannot succeed while its waits are being cancelled.
            sandbox.faults.mute()
            room = client.realtime.room(conversation)
            for _ in range(20):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0):
                        await room.wait_joined()
            sandbox.faults.unmute()
            await room.wait_joined()
            events = room.events()
            for _ in range(20):
                waiting = asyncio.create_task(client.take(events, 100))
                await asyncio.sleep(0)
                waiting.cancel()
                await asyncio.wait([waiting])
            sandbox.broadcast(room.topic, "ping", {"text": "after"})
            found: list[Any] = []
            while not [e for e in found if getattr(e, "text", None) == "after"]:
                found += await client.take(events, 1)

    asyncio.run(scenario())


def test_a_callback_that_awaits_what_was_cancelled(sandbox: Sandbox, conversation: str) -> None:
    async def scenario() -> None:
        async with opened(Aio, settings_of(sandbox), lambda _: sandbox.token("alice")) as client:
            room, got = client.realtime.room(conversation), Log()

            async def wait_for_cancelled(_: object) -> None:
                future = asyncio.get_running_loop().create_future()
                future.cancel()
                await future

            room.on(PING, wait_for_cancelled)
            room.on(PING, got.append)
            await room.wait_joined()
            sandbox.broadcast(room.topic, "ping", {"text": "1"})
            await got.until(len)
            (error,) = await client.errors.until(len)
            assert isinstance(error.__cause__, asyncio.CancelledError)

    asyncio.run(scenario())


def test_async_callbacks_are_awaited_in_order(sandbox: Sandbox, conversation: str) -> None:
    async def scenario() -> None:
        async with opened(Aio, settings_of(sandbox), lambda _: sandbox.token("alice")) as client:
            room, got = client.realtime.room(conversation), Log()

            async def slow(news: Any) -> None:
                await asyncio.sleep(0.01 if news.text == "0" else 0)
                got.append(news.text)

            room.on(PING, slow)
            await room.wait_joined()
            for number in range(5):
                sandbox.broadcast(room.topic, "ping", {"text": str(number)})
            await got.reach(5)
            assert got.items == list("01234")

    asyncio.run(scenario())


def test_a_loop_that_ends_without_aclose(sandbox: Sandbox, conversation: str) -> None:
    client = Aio(settings_of(sandbox), lambda _: sandbox.token("alice"))

    async def scenario() -> None:
        await client.realtime.room(conversation).wait_joined()

    runner = asyncio.Runner()
    runner.run(scenario())
    # As asyncio.run does, but before the guard of all tests looks: forgetting is no crime here.
    loop = runner.get_loop()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    runner.close()
    assert client.realtime.status == "closed"
    with pytest.raises(PoolseError):
        asyncio.run(client.realtime.connect())


def test_a_get_token_that_hangs_is_asked_again(sandbox: Sandbox, conversation: str) -> None:
    async def scenario() -> None:
        asked: list[str | None] = []

        async def get_token(stale: str | None) -> str:
            asked.append(stale)
            if len(asked) < 3:
                await asyncio.Event().wait()
            return sandbox.token("alice")

        errors = Log()
        settings = settings_of(sandbox, token_timeout=0.01)
        realtime = AsyncRooms(settings, get_token, errors.append)
        try:
            await realtime.room(conversation).wait_joined()
            assert len(asked) == 3
            assert ["no token: TimeoutError" in str(error) for error in errors.items] == [True] * 2
        finally:
            await realtime.aclose()

    asyncio.run(scenario())
