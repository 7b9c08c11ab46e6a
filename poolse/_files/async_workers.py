"""How the async client runs transfers: blocking steps in threads, several uploads in tasks."""

from __future__ import annotations

import asyncio
from asyncio import Lock
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from poolse._rest.settings import Settings
from poolse._support.in_thread import in_thread as run_step

__all__ = ["AWAITS", "Lock", "run_flow", "run_step", "run_workers"]

T = TypeVar("T")

AWAITS: Final = True
"""Whether callbacks may be async."""


def run_flow(flow: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
    """Return the flow, to be awaited."""
    return flow


async def run_workers(
    count: int, settings: Settings, work: Callable[[Settings], Coroutine[Any, Any, None]]
) -> None:
    """Run so many tasks; when one of them fails, or this one is cancelled, end all."""
    tasks = [asyncio.create_task(work(settings)) for _ in range(count)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
