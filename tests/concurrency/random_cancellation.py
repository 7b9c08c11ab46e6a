"""Calls that are cancelled at random moments of their short lives, fifteen at a time."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from poolse import AsyncPoolse, CallOptions, Cancelled, CancelToken, Poolse
from tests.concurrency.hanging_servers import ANSWER
from tests.http.raw_server import Connection, ReceivedRequest
from tests.http.sync_and_async_senders import ASIDE

__all__ = ["AT_A_TIME", "POOL", "Meeting", "storm", "storm_async", "storm_by_token"]

AT_A_TIME, POOL, LONGEST = 15, 5, 0.006

QUIET: dict[str, Any] = {"timeout": None, "max_retries": 0, "max_connections": POOL}


class Meeting:
    """A server that answers `/slow` after some milliseconds, all else when the pool is all there.

    If one connection were lost, the others would wait for it in vain.
    """

    def __init__(self) -> None:
        self._together = threading.Barrier(POOL, timeout=ASIDE)

    def __call__(self, connection: Connection, request: ReceivedRequest) -> None:
        if "/slow" in request.line:
            connection.over.wait(0.003)
        else:
            self._together.wait()
        connection.answer(ANSWER)


def ask(chat: Any, path: str, cancel: CancelToken | None = None) -> Any:
    return chat.rest.request(method="GET", path=path, options=CallOptions(cancel=cancel))


def storm(seconds: float, seed: int, **arguments: Any) -> list[object]:
    """Of the sync client. Gives the answers of the calls after it."""
    chance = random.Random(seed)
    ends = time.monotonic() + seconds

    def call(moment: float) -> None:
        stop = CancelToken()
        timer = threading.Timer(moment, stop.cancel)
        timer.start()
        try:
            ask(chat, "/slow", stop)
        except Cancelled:
            pass
        timer.join()

    with (
        Poolse(token="t", **QUIET, **arguments) as chat,
        ThreadPoolExecutor(AT_A_TIME) as threads,
    ):
        while time.monotonic() < ends:
            list(threads.map(call, [chance.random() * LONGEST for _ in range(AT_A_TIME)]))
        return list(threads.map(ask, [chat] * POOL, ["/meet"] * POOL))


Cancel = Callable[[AsyncPoolse, float], Any]


async def by_task(chat: AsyncPoolse, moment: float) -> None:
    task = asyncio.create_task(ask(chat, "/slow"))
    await asyncio.sleep(moment)
    task.cancel()
    await asyncio.wait([task])


async def by_token(chat: AsyncPoolse, moment: float) -> None:
    stop = CancelToken()
    asyncio.get_running_loop().call_later(moment, stop.cancel)
    try:
        await ask(chat, "/slow", stop)
    except Cancelled:
        pass


def storm_async(seconds: float, seed: int, **arguments: Any) -> list[object]:
    """Of tasks that are cancelled."""
    return asyncio.run(_storm(by_task, seconds, seed, **arguments))


def storm_by_token(seconds: float, seed: int, **arguments: Any) -> list[object]:
    """Of the async client, by tokens."""
    return asyncio.run(_storm(by_token, seconds, seed, **arguments))


async def _storm(cancel: Cancel, seconds: float, seed: int, **arguments: Any) -> list[object]:
    chance = random.Random(seed)
    ends = time.monotonic() + seconds
    async with AsyncPoolse(token="t", **QUIET, **arguments) as chat:
        while time.monotonic() < ends:
            moments = [chance.random() * LONGEST for _ in range(AT_A_TIME)]
            await asyncio.gather(*(cancel(chat, moment) for moment in moments))
        async with asyncio.timeout(ASIDE):
            return list(await asyncio.gather(*(ask(chat, "/meet") for _ in range(POOL))))
