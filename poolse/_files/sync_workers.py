"""How the sync client runs transfers: blocking steps at once, several uploads in threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final

import attrs

from poolse._files.disk_threads import run_inline as run_step
from poolse._rest.request_io import run_sync as run_flow
from poolse._rest.settings import Settings
from poolse.cancel import CancelToken

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["AWAITS", "Lock", "run_flow", "run_step", "run_workers"]

AWAITS: Final = False
"""Whether callbacks may be async."""


class Lock:
    """A lock of threads, in the form of an async one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    async def __aenter__(self) -> None:
        self._lock.acquire()

    async def __aexit__(self, *exc_info: object) -> None:
        self._lock.release()


def run_workers(
    count: int, settings: Settings, work: Callable[[Settings], Coroutine[Any, Any, None]]
) -> None:
    """Run so many threads; when one of them fails, or this one is interrupted, end all."""
    if not count:
        return
    stop = CancelToken()
    own = attrs.evolve(settings, cancel=stop)
    with ExitStack() as stack:
        if settings.cancel is not None:
            stack.callback(settings.cancel.on_cancel(stop.cancel))
        running: list[Future[None]] = []
        try:
            # Imported here: few programs need it, and at the end of one its import fails.
            from concurrent.futures import ThreadPoolExecutor

            # Left after what follows: it waits for the threads.
            pool = stack.enter_context(ThreadPoolExecutor(count, "poolse-upload"))
            for _ in range(count):
                running += [pool.submit(copy_context().run, run_flow, work(own))]
        except RuntimeError:
            # No more threads can be started, as in an `atexit` function.
            pass
        if not running:
            run_flow(work(own))
            return
        from concurrent.futures import FIRST_EXCEPTION, wait

        try:
            for done in wait(running, return_when=FIRST_EXCEPTION).done:
                done.result()
        except BaseException:
            stop.cancel()
            raise
