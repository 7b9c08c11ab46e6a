"""`chat.stats()`: the numbers of either client."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

import httpx
import pytest

from poolse import (
    ApiError,
    AsyncPoolse,
    CallStats,
    NetworkError,
    NotFoundError,
    Poolse,
    PoolStats,
    RequestTimeout,
    ServerError,
)
from poolse.testing import Sandbox
from tests.client.observed_clients import CLIENTS, carried_out, client_of, done, until


@CLIENTS
def test_calls_are_counted_with_their_retries_and_errors(
    client: type[Any], sandbox: Sandbox
) -> None:
    sandbox.faults.fail(503, times=2)

    async def scenario(chat: Any) -> None:
        await done(chat.me.show())
        with suppress(ApiError):
            await done(chat.with_options().conversations.one("nothing").show())
        assert chat.stats().calls == CallStats(begun=2, active=0, retries=2, errors=1)

    carried_out(client, sandbox, scenario)


@CLIENTS
def test_the_pool_shows_who_is_under_way_and_who_waits(client: type[Any], sandbox: Sandbox) -> None:
    sandbox.faults.hang(times=2)

    async def scenario(chat: Any) -> None:
        call = chat.me.show
        calls = [
            asyncio.create_task(asyncio.to_thread(call) if client is Poolse else call())
            for _ in range(3)
        ]
        await asyncio.to_thread(sandbox.wait_for, lambda: len(sandbox.requests) == 2)
        await until(lambda: chat.stats().pool.waiting == 1)
        assert chat.stats().pool == PoolStats(size=2, in_use=2, waiting=1)
        assert chat.stats().calls.active == 3
        sandbox.faults.release()
        await asyncio.gather(*calls)
        assert chat.stats().pool == PoolStats(size=2, in_use=0, waiting=0)
        assert chat.stats().calls.active == 0

    carried_out(client, sandbox, scenario, max_connections=2)


@CLIENTS
def test_realtime_and_feeds_are_counted_once_they_are_used(
    client: type[Any], sandbox: Sandbox
) -> None:
    async def scenario(chat: Any) -> None:
        assert (chat.stats().realtime, chat.stats().follow) == (None, None)
        made = await done(chat.conversations.create(type="group"))
        messages = chat.conversations.one(made.id).messages
        feed = messages.follow(after="beginning")
        for number in range(3):
            await done(messages.send(body=str(number)))
            await asyncio.to_thread(_next, feed) if client is Poolse else await anext(feed)
        live = chat.realtime.conversation(made.id)
        await done(live.wait_joined())
        stats = chat.stats()
        assert (stats.realtime.status, stats.realtime.sockets) == ("connected", 1)
        assert (stats.realtime.channels, stats.realtime.joined) == (1, 1)
        assert (stats.realtime.reconnects, stats.realtime.dropped) == (0, 0)
        assert (stats.follow.feeds, stats.follow.delivered, stats.follow.gaps) == (1, 3, 0)
        assert stats.follow.pages >= 1
        await done(feed.aclose() if client is AsyncPoolse else feed.close())
        assert chat.stats().follow.feeds == 0
        await done(live.leave())
        assert (chat.stats().realtime.channels, chat.stats().realtime.joined) == (0, 0)

    carried_out(client, sandbox, scenario)


def _next(feed: Any) -> Any:
    return next(feed)


@CLIENTS
def test_reconnects_are_counted(client: type[Any], sandbox: Sandbox) -> None:
    async def scenario(chat: Any) -> None:
        await done(chat.realtime.connect())
        for count in range(1, 4):
            await until(lambda: chat.stats().realtime.sockets == 1)
            assert chat.stats().realtime.reconnects == count - 1
            sandbox.faults.drop_sockets()
            await until(lambda: len(sandbox.handshakes) > count)  # noqa: B023  (awaited here)

    carried_out(client, sandbox, scenario)


@CLIENTS
def test_however_a_call_ends_its_connection_is_free(client: type[Any], sandbox: Sandbox) -> None:
    async def scenario(chat: Any) -> None:
        made = await done(chat.conversations.create(type="group"))
        messages = chat.conversations.one(made.id).messages
        for body in "abc":
            await done(messages.send(body=body))
        walk = messages.iter(limit=1)
        # Thrown away in the middle.
        await asyncio.to_thread(next, walk) if client is Poolse else await anext(walk)
        with pytest.raises(NotFoundError):
            await done(chat.conversations.one("nothing").show())
        sandbox.faults.fail(503, times=4)
        with pytest.raises(ServerError):
            await done(chat.me.show())
        sandbox.faults.drop(times=4)
        with pytest.raises(NetworkError):
            await done(chat.me.show())
        odd = chat.with_options(timeout=0.05, max_retries=0)
        sandbox.faults.hang()
        with pytest.raises(RequestTimeout):
            await done(odd.me.show())
        sandbox.faults.clear()
        assert (chat.stats().pool.in_use, chat.stats().calls.active) == (0, 0)
        assert (await done(chat.me.show())).external_id == "alice"

    carried_out(client, sandbox, scenario, max_connections=1)


def test_threads_lose_no_count(sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with client_of(Poolse, sandbox) as chat:
            threads = [threading.Thread(target=_calls, args=(chat,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert chat.stats().calls == CallStats(begun=80, active=0, retries=0, errors=0)

    asyncio.run(scenario())


def _calls(chat: Poolse) -> None:
    for _ in range(10):
        chat.me.show()


def test_the_pool_of_another_client_is_not_counted() -> None:
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as http:
        assert Poolse(token="t", http_client=http).stats().pool is None


def test_a_client_that_did_nothing_says_so() -> None:
    assert Poolse(token="t").stats().calls == CallStats(begun=0, active=0, retries=0, errors=0)
    with pytest.raises(AttributeError):
        Poolse(token="t").stats().calls.begun = 1  # type: ignore[misc]
