"""Both flavours behind one face, so that the load is written once, as coroutines.

The sync flavour runs each of them in a thread of its own, where nothing ever suspends.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol

from poolse import AsyncPoolse, CancelToken, Poolse
from poolse._rest.request_io import run_sync
from tests.leak_guard import leaked_tasks_now

__all__ = ["FLAVOURS", "Flavour", "done", "opened", "steps"]

Job = Coroutine[Any, Any, None]


async def done(result: object) -> Any:
    """What a method of either flavour gives."""
    return await result if inspect.isawaitable(result) else result


async def steps(source: Any) -> AsyncIterator[Any]:
    """The items of an iterator of either flavour."""
    if hasattr(source, "__anext__"):
        async for item in source:
            yield item
    else:
        for item in source:
            yield item


@asynccontextmanager
async def opened(manager: Any) -> AsyncGenerator[Any]:
    """A context manager of either flavour."""
    if hasattr(manager, "__aenter__"):
        async with manager as given:
            yield given
    else:
        with manager as given:
            yield given


class Flavour(Protocol):
    """How the load is carried out."""

    name: str

    def client(self, **options: Any) -> Any:
        """A client."""
        ...

    def run(self, job: Job) -> None:
        """Run the whole load; what is left of tasks afterwards is an error."""
        ...

    async def together(self, *jobs: Job) -> None:
        """Run jobs at the same time, until all are over. One that fails fails all."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def aside(self, function: Callable[[], bool]) -> bool:
        """What a function gives that blocks."""
        ...

    def later(self, seconds: float, token: CancelToken) -> Callable[[], object]:
        """Cancel the token after a while, unless the function returned is called before."""
        ...


class Threads:
    """The sync flavour."""

    name = "sync"

    def client(self, **options: Any) -> Any:
        return Poolse(**options)

    def run(self, job: Job) -> None:
        run_sync(job)

    async def together(self, *jobs: Job) -> None:
        errors: list[BaseException] = []

        def carry(job: Job) -> None:
            try:
                run_sync(job)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=carry, args=(job,), daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise BaseExceptionGroup("the load failed", errors)

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251  (a thread of its own)

    async def aside(self, function: Callable[[], bool]) -> bool:
        return function()

    def later(self, seconds: float, token: CancelToken) -> Callable[[], object]:
        timer = threading.Timer(seconds, token.cancel)
        timer.daemon = True
        timer.start()

        def stop() -> None:
            timer.cancel()
            timer.join()

        return stop


class Tasks:
    """The async flavour."""

    name = "async"

    def client(self, **options: Any) -> Any:
        return AsyncPoolse(**options)

    def run(self, job: Job) -> None:
        async def main() -> None:
            await job
            left = await leaked_tasks_now()
            assert not left, f"left behind: {left}"

        asyncio.run(main())

    async def together(self, *jobs: Job) -> None:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def aside(self, function: Callable[[], bool]) -> bool:
        return await asyncio.to_thread(function)

    def later(self, seconds: float, token: CancelToken) -> Callable[[], object]:
        return asyncio.get_running_loop().call_later(seconds, token.cancel).cancel


FLAVOURS: dict[str, Flavour] = {"sync": Threads(), "async": Tasks()}
