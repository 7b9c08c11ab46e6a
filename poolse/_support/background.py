"""What runs beside its caller: in a thread for a sync client, in a task for an async one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["async_start_later", "start_later"]

_TASKS: set[asyncio.Task[Any]] = set()
"""The event loop itself holds its tasks weakly."""


def start_later(delay: float, function: Callable[[], object]) -> Callable[[], object]:
    """Call a function in a thread, after so many seconds.

    Returns:
        A function that prevents it, unless it has begun.
    """
    timer = threading.Timer(delay, function)
    # A script that forgets to close its client can end.
    timer.daemon = True
    timer.start()
    return timer.cancel


def async_start_later(
    delay: float, function: Callable[[], Coroutine[Any, Any, object]]
) -> Callable[[], object]:
    """Run a coroutine function in a task of this event loop, after so many seconds.

    Returns:
        A function that prevents it, unless it has begun.
    """
    loop = asyncio.get_running_loop()

    def begin() -> None:
        task = loop.create_task(function())
        _TASKS.add(task)
        task.add_done_callback(_TASKS.discard)

    return loop.call_later(delay, begin).cancel
