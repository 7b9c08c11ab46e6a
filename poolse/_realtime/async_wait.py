"""How a task waits until something holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from poolse._realtime.callback_queue import Wake
from poolse._realtime.client import RealtimeClient
from poolse._support.event_loop import in_this_loop
from poolse.cancel import CancelToken, told

__all__ = ["until", "wait"]


async def wait(
    hub: RealtimeClient,
    wakes: list[Wake],
    ready: Callable[[], bool],
    timeout: float | None,
    cancel: CancelToken | None = None,
) -> bool:
    """Wait until something holds; False when it did not in time.

    Raises:
        Cancelled: By the token.
    """
    changed = asyncio.Event()
    wakes.append(changed.set)
    try:
        return await until(hub, changed, ready, timeout, cancel)
    finally:
        wakes.remove(changed.set)


async def until(
    hub: RealtimeClient,
    changed: asyncio.Event,
    ready: Callable[[], bool],
    timeout: float | None,
    cancel: CancelToken | None = None,
) -> bool:
    """The same with an event that is set whenever it may hold."""
    with hub.guard:
        if cancel is None and ready():
            return True
    try:
        with told(cancel, in_this_loop(changed.set)):
            async with asyncio.timeout(timeout):
                while not _now(ready, cancel):
                    changed.clear()
                    await changed.wait()
    except TimeoutError:
        return False
    return True


def _now(ready: Callable[[], bool], cancel: CancelToken | None) -> bool:
    if cancel is not None:
        cancel.raise_if_cancelled()
    return ready()
