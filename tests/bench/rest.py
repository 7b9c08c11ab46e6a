"""Targets 1 to 4: calls, against what httpx alone takes for the same bytes."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tests.bench.canned_rows import CONVERSATION, JWT
from tests.bench.worker import Measure, Prepared

if TYPE_CHECKING:
    import httpx

    from poolse import AsyncPoolse, Poolse

CALLS: Final = 150
"""Of one measurement."""
TASKS: Final = 100
EACH: Final = 8
"""Calls of each task."""
PAGE: Final = f"/v1/conversations/{CONVERSATION}/messages"


def median_time(call: Callable[[], object]) -> float:
    """Median seconds of a call."""
    taken: list[float] = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


@contextmanager
def httpx_sync(call: Callable[[httpx.Client], object]) -> Generator[Measure]:
    import httpx

    with httpx.Client() as client:
        yield lambda: median_time(lambda: call(client))


@contextmanager
def poolse_sync(base: str, call: Callable[[Poolse], object]) -> Generator[Measure]:
    from poolse import Poolse

    with Poolse(token=JWT, api_url=base) as chat:
        yield lambda: median_time(lambda: call(chat))


def httpx_page(base: str) -> Prepared:
    """`httpx.Client.get(url, params=…).json()`."""
    return httpx_sync(lambda client: client.get(base + PAGE, params={"limit": 50}).json())


def poolse_page(base: str) -> Prepared:
    """`messages.list(limit=50)`."""
    return poolse_sync(
        base, lambda chat: chat.conversations.one(CONVERSATION).messages.list(limit=50)
    )


def httpx_show(base: str) -> Prepared:
    """`httpx.Client.get(url).json()`."""
    return httpx_sync(lambda client: client.get(f"{base}/v1/me").json())


def poolse_show(base: str) -> Prepared:
    """`me.show()`."""
    return poolse_sync(base, lambda chat: chat.me.show())


async def median_time_async(call: Callable[[], Awaitable[object]]) -> float:
    """Median seconds of a call, one after the other."""
    taken: list[float] = []
    for _ in range(CALLS):
        start = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


async def rate(call: Callable[[], Awaitable[object]]) -> float:
    """Calls per second of a hundred tasks."""

    async def caller() -> None:
        for _ in range(EACH):
            await call()

    start = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(TASKS)))
    return TASKS * EACH / (time.perf_counter() - start)


AsyncMeasure = Callable[[Callable[[], Awaitable[object]]], Awaitable[float]]


@contextmanager
def httpx_async(
    measure: AsyncMeasure, call: Callable[[httpx.AsyncClient], Awaitable[object]]
) -> Generator[Measure]:
    import httpx

    async def measured() -> float:
        return await measure(lambda: call(client))

    with asyncio.Runner() as runner:
        client = httpx.AsyncClient()
        yield lambda: runner.run(measured())
        runner.run(client.aclose())


@contextmanager
def poolse_async(
    base: str, measure: AsyncMeasure, call: Callable[[AsyncPoolse], Awaitable[object]]
) -> Generator[Measure]:
    from poolse import AsyncPoolse

    async def measured() -> float:
        return await measure(lambda: call(chat))

    with asyncio.Runner() as runner:
        chat = AsyncPoolse(token=JWT, api_url=base)
        yield lambda: runner.run(measured())
        runner.run(chat.aclose())


def httpx_async_page(base: str) -> Prepared:
    """`httpx.AsyncClient.get(url).json()`."""
    url = f"{base}{PAGE}?limit=50"

    async def call(client: httpx.AsyncClient) -> object:
        return (await client.get(url)).json()

    return httpx_async(median_time_async, call)


def poolse_async_page(base: str) -> Prepared:
    """`messages.list(limit=50)`."""
    return poolse_async(
        base,
        median_time_async,
        lambda chat: chat.conversations.one(CONVERSATION).messages.list(limit=50),
    )


def httpx_hundred(base: str) -> Prepared:
    """A hundred tasks that `get` at once."""

    async def call(client: httpx.AsyncClient) -> object:
        return (await client.get(f"{base}/v1/me")).json()

    return httpx_async(rate, call)


def poolse_hundred(base: str) -> Prepared:
    """A hundred tasks that call `me.show()` at once."""
    return poolse_async(base, rate, lambda chat: chat.me.show())
