"""The tasks of realtime: one drives each socket, and one calls the user's functions."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import nullcontext
from contextvars import Context, copy_context
from functools import partial
from types import coroutine
from typing import Any, Final

from poolse._realtime.async_driver import AsyncDriver, AsyncGetToken
from poolse._realtime.client import RealtimeClient, log_error
from poolse._realtime.queues import Call, QueueEnded
from poolse._realtime.settings import CLOSE_WAIT, RealtimeSettings
from poolse._realtime.socket import Socket
from poolse._support.event_loop import BoundLoop
from poolse.errors import PoolseError

__all__ = ["AsyncWakeup", "AsyncWorkers"]

_LOG: Final = logging.getLogger("poolse.realtime")


class AsyncWakeup:
    """Wakes one task. Set before it waits, it ends the next wait."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.set = self._event.set

    async def wait(self, timeout: float | None = None) -> None:
        """Wait for `set`, for so many seconds at most."""
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()


class AsyncWorkers:
    """The core of realtime, and the tasks that run it. They belong to one event loop."""

    def __init__(
        self,
        settings: RealtimeSettings,
        get_token: AsyncGetToken,
        on_error: Callable[[PoolseError], object] | None,
    ) -> None:
        self._get_token = get_token
        self._due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._context = copy_context()
        self._loop = BoundLoop()
        self.client: RealtimeClient = RealtimeClient(
            settings,
            clock=time.monotonic,
            random=random.random,
            # Whatever runs in one event loop is never interrupted in the middle of a change.
            lock=nullcontext(),
            check_caller=self._loop.__enter__,
            process=os.getpid,
            start=self._start,
            wake_callbacks=self._due.set,
            on_error=on_error or log_error(_LOG.warning),
            context=self._context.copy(),
        )

    @property
    def is_running(self) -> bool:
        """Whether there are tasks that only `close` ends."""
        client = self.client
        return bool(self._tasks) and not (self.is_over or client.closed or client.is_forked)

    @property
    def is_over(self) -> bool:
        """Whether the event loop is closed."""
        return self._loop.is_over

    def bind(self) -> None:
        """Work in the running event loop from now on."""
        _ = self.client.lock
        self._loop.settle()

    async def close(self) -> None:
        """End all tasks, but for one that calls this. Doing it again does nothing."""
        if self.client.is_forked or self.is_over:
            return
        self.client.close()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_WAIT)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=self.client.settings.close_timeout)

    def _start(self, socket: Socket) -> None:
        """Start the driver of a new socket, which is the first sign that a task is needed."""
        self._tasks = [task for task in self._tasks if not task.done()]
        if not self._tasks:
            self._run("poolse-calls", self._make_calls())
        self._run("poolse-socket", AsyncDriver(self.client, socket, self._get_token).run())

    def _run(self, name: str, work: Coroutine[object, object, None]) -> None:
        # With the context variables of where the client was made: it serves everybody.
        self._tasks.append(asyncio.create_task(work, name=name, context=self._context.copy()))

    async def _make_calls(self) -> None:
        callbacks = self.client.callbacks
        try:
            while True:
                call = callbacks.next()
                if call is None:
                    self._due.clear()
                    await self._due.wait()
                elif (failure := await _call(call)) is not None:
                    await self._report(call, failure)
        except QueueEnded:
            return
        except BaseException as error:
            self.client.callbacks_failed(error)
            if not isinstance(error, Exception):
                raise
            _LOG.exception("the task of the callbacks failed")

    async def _report(self, call: Call, failure: BaseException) -> None:
        report = self.client.callback_failed(call, failure)
        for error in (failure, report and await _call(report)):
            # As from any other task, these end the loop; not before they are reported.
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                asyncio.get_running_loop().call_soon(_throw, error)


async def _call(call: Call) -> BaseException | None:
    """Call a user's function, and return what it raises, which is logged."""
    subscriber, argument = call
    try:
        result = subscriber.context.run(subscriber.target, argument)
        if result is not None and inspect.isawaitable(result):
            await _in_context(result, subscriber.context)
    # It may have awaited what somebody else cancelled. Only our own end ends this task.
    except (Exception, SystemExit, KeyboardInterrupt, asyncio.CancelledError) as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
            raise
        _LOG.exception("a callback failed")
        return error
    return None


@coroutine
def _in_context(work: Awaitable[object], context: Context) -> Generator[object, object, None]:
    """Await something with these context variables.

    A task of its own would do that too, but costs a turn of the event loop for each callback.
    """
    steps: Any = context.run(work.__await__)
    step = partial(next, steps)
    while True:
        try:
            blocker = context.run(step)
        except StopIteration:
            return
        try:
            sent = yield blocker
        except BaseException as error:
            step = partial(steps.throw, error)
        else:
            step = partial(steps.send, sent)


def _throw(error: BaseException) -> None:
    raise error
