"""Run blocking work beside an event loop, even while the interpreter shuts down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(step: Callable[[], T], /) -> T:
    """Run the step in a thread of the loop's default executor and return its result.

    Where no thread can be started, as in an `atexit` function, run it in the calling thread: the
    loop stands still meanwhile, which is better than an error.
    """
    # Imported in here only: the sync clients, which share their modules with this, do without.
    import asyncio
    from concurrent.futures import Future
    from contextvars import copy_context

    done = Future[T]()
    # An executor that cannot start a thread has queued the step before it raises. The first to
    # acquire this lock runs the step, so that it runs once.
    unclaimed = threading.Lock()

    def run() -> None:
        if not unclaimed.acquire(blocking=False) or not done.set_running_or_notify_cancel():
            return
        try:
            result = step()
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(result)

    try:
        asyncio.get_running_loop().run_in_executor(None, copy_context().run, run)
    except RuntimeError:
        run()
    return await asyncio.wrap_future(done)
