"""What only the async sender has: an event loop, and tasks that are cancelled."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import warnings

import pytest

from poolse._http.async_sender import AsyncSender
from poolse.cancel import CancelToken
from poolse.errors import Cancelled, PoolseError, RequestTimeout, UsageError
from poolse.options import Timeout
from tests.http.raw_server import Connection, RawServer, ReceivedRequest, answer_with
from tests.http.sync_and_async_senders import ASIDE, get


def hang(connection: Connection, _: ReceivedRequest) -> None:
    connection.hang()


async def arrival(server: RawServer) -> None:
    await asyncio.to_thread(server.seen.get, True, ASIDE)


def test_three_event_loops_one_after_another() -> None:
    with RawServer(answer_with(b"ok")) as server:
        sender = AsyncSender()

        async def run() -> bytes:
            return (await sender.send(get(server.base), Timeout(), None)).content

        # Nobody closed the connections of the first loops before these were closed.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            assert [asyncio.run(run()) for _ in range(3)] == [b"ok"] * 3
            asyncio.run(sender.aclose())
            gc.collect()
    assert server.accepted == 3


def test_two_event_loops_at_once() -> None:
    with RawServer(answer_with()) as server:
        sender = AsyncSender()

        async def use() -> None:
            await sender.send(get(server.base), Timeout(), None)

        def elsewhere() -> None:
            with pytest.raises(UsageError, match="another event loop"):
                asyncio.run(use())

        async def run() -> None:
            await use()
            await asyncio.to_thread(elsewhere)
            await use()
            await sender.aclose()

        asyncio.run(run())


def test_cancelling_the_task_is_not_wrapped() -> None:
    with RawServer(hang) as server:

        async def run() -> None:
            sender = AsyncSender()
            task = asyncio.create_task(sender.send(get(server.base), Timeout(), CancelToken()))
            await arrival(server)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await sender.aclose()

        asyncio.run(run())


def test_a_timeout_of_the_callers_is_not_wrapped() -> None:
    with RawServer(hang) as server:

        async def run() -> None:
            sender = AsyncSender()
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(0.05):
                    await sender.send(get(server.base), Timeout(), None)
            assert not isinstance(caught.value, PoolseError)
            await sender.aclose()

        asyncio.run(run())


def test_the_shorter_of_two_nested_limits_counts() -> None:
    with RawServer(hang) as server:

        async def run() -> None:
            sender = AsyncSender()
            async with asyncio.timeout(ASIDE):
                with pytest.raises(RequestTimeout):
                    await sender.send(get(server.base), Timeout(0.05), None)
            await sender.aclose()

        asyncio.run(run())


def test_a_token_cancelled_in_the_same_loop() -> None:
    with RawServer(hang) as server:

        async def run() -> None:
            sender, token = AsyncSender(), CancelToken()
            task = asyncio.create_task(sender.send(get(server.base), Timeout(), token))
            await arrival(server)
            token.cancel()
            with pytest.raises(Cancelled):
                await task
            assert asyncio.current_task() is not None
            await sender.aclose()

        asyncio.run(run())


def test_a_token_that_outlives_its_loop() -> None:
    with RawServer(answer_with()) as server:
        token = CancelToken()

        async def run() -> None:
            sender = AsyncSender()
            await sender.send(get(server.base), Timeout(), token)
            await sender.aclose()

        asyncio.run(run())
        token.cancel()


def test_waiting_for_a_connection() -> None:
    release = threading.Event()

    def behave(connection: Connection, _: ReceivedRequest) -> None:
        release.wait(ASIDE)
        connection.answer(b"late")

    with RawServer(behave) as server:

        async def run() -> None:
            sender = AsyncSender(max_connections=1)
            request = get(server.base)
            first = asyncio.create_task(sender.send(request, Timeout(), None))
            await arrival(server)
            with pytest.raises(RequestTimeout) as caught:
                await sender.send(request, Timeout(pool=0.05), None)
            assert (caught.value.phase, caught.value.limit) == ("pool", 0.05)
            token = CancelToken()
            asyncio.get_running_loop().call_soon(token.cancel)
            with pytest.raises(Cancelled):
                await sender.send(request, Timeout(), token)
            waiting = asyncio.create_task(sender.send(request, Timeout(), None))
            release.set()
            assert [(await first).content, (await waiting).content] == [b"late"] * 2
            await sender.aclose()

        asyncio.run(run())
    assert server.accepted == 1


def test_sleep() -> None:
    async def run() -> None:
        sender, token = AsyncSender(), CancelToken()
        await sender.sleep(0.0, token)
        nap = asyncio.create_task(sender.sleep(60.0, token))
        await asyncio.sleep(0)
        await asyncio.to_thread(token.cancel)
        with pytest.raises(Cancelled):
            await nap
        with pytest.raises(Cancelled):
            await sender.sleep(60.0, token)
        await sender.aclose()

    asyncio.run(run())


def test_a_closed_sender_says_so() -> None:
    async def run() -> None:
        sender = AsyncSender()
        await sender.aclose()
        await sender.aclose()
        with pytest.raises(UsageError, match="closed"):
            await sender.send(get("http://127.0.0.1/"), Timeout(), None)

    asyncio.run(run())


def test_aiohttp_is_loaded_by_the_first_call_only() -> None:
    script = (
        "import sys; from poolse._http.async_sender import AsyncSender; AsyncSender(); "
        "assert 'aiohttp' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_stale_connection_is_not_used() -> None:
    def behave(connection: Connection, _: ReceivedRequest) -> None:
        connection.answer(b"bye")
        connection.drop()

    with RawServer(behave) as server:

        async def run() -> None:
            sender = AsyncSender()
            for _ in range(2):
                answer = await sender.send(get(server.base), Timeout(), None)
                assert answer.content == b"bye"
                await asyncio.to_thread(server.connections_closed.acquire)
                await asyncio.sleep(0)
            await sender.aclose()

        asyncio.run(run())
