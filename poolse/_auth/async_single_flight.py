"""A call in a task of its own, whose result is shared by all tasks that wait for it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

from poolse._auth.single_flight import Abandoned, Flight, current_flight, shared
from poolse._http.async_sender import deadline
from poolse._rest.request_io import Lifetime
from poolse._support.event_loop import running_loop
from poolse.cancel import CancelToken
from poolse.errors import UsageError

__all__ = ["AsyncFlight", "Tasks"]

T = TypeVar("T")


class Tasks:
    """The tasks of a client, which end with it."""

    def __init__(self, lifetime: Lifetime) -> None:
        self._lifetime = lifetime
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Do the work in a task."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        # At the beginning of `aclose` of the client, which may take long.
        forget = self._lifetime.on_cancel(partial(_end, task))
        task.add_done_callback(lambda _: forget())
        return task

    async def aclose(self) -> None:
        """End those that run, but for one that calls this."""
        loop, caller = asyncio.get_running_loop(), asyncio.current_task()
        # Those of another event loop ended with that loop.
        tasks = [task for task in self._running if task.get_loop() is loop and task is not caller]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        # Seen here, so that asyncio does not report it when all who waited were cancelled.
        if not task.cancelled():
            task.exception()


def _end(task: asyncio.Task[Any]) -> None:
    """End a task, but for one that closes the client itself."""
    if task is not asyncio.current_task():
        task.cancel()


class AsyncFlight(Flight[T], Generic[T]):
    """A call under way in a task of its own: to cancel one that waits ends that wait only."""

    def __init__(self, tasks: Tasks, name: str) -> None:
        super().__init__()
        self._tasks = tasks
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[T] | None = None
        self._fatal: BaseException | None = None

    @property
    def over(self) -> bool:
        if self._task is not None and self._task.done():
            return True
        # One of another event loop ended with that loop.
        return running_loop() not in (None, self._loop)

    async def execute(
        self, work: Callable[[], Coroutine[Any, Any, T]], cancel: CancelToken | None
    ) -> T:
        self._task = self._tasks.start(self._caught(work), self._name)
        task = await self._ended(cancel)
        # Raised in the task that asked, as if it had called the function itself.
        if self._fatal is not None:
            raise self._fatal
        return task.result()

    async def ask(self, function: Callable[..., object], *arguments: object) -> object:
        with current_flight(self):
            try:
                found = function(*arguments)
                return await found if inspect.isawaitable(found) else found
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # Not our own cancellation: it awaited something that was cancelled.
                raise RuntimeError("it awaited something that was cancelled") from error

    async def wait(self, cancel: CancelToken | None) -> T:
        task = await self._ended(cancel)
        error = self._fatal or task.exception()
        if error is not None:
            raise shared(error)
        return task.result()

    async def _caught(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            return await work()
        except (Exception, asyncio.CancelledError):
            raise
        except BaseException as error:
            # Out of a task, SystemExit would end the event loop, whatever its caller does with it.
            self._fatal = error
            raise Abandoned from error

    async def _ended(self, cancel: CancelToken | None) -> asyncio.Task[T]:
        task = self._task
        if task is None:
            raise AssertionError("a flight is waited for before it is carried out")
        async with deadline(None, cancel):
            # Unlike an `await` of the task, it does not take the task along when cancelled.
            await asyncio.wait([task])
        if task.cancelled():
            raise UsageError("this client was closed while the call waited for a result")
        return task
