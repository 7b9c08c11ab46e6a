"""The token of an async client: one fetch at a time, shared by all tasks that wait for it."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable

from poolse._core.tokens import TokenCache, asked_itself, checked
from poolse._http.aio import attempt
from poolse.cancel import CancelToken

__all__ = ["AsyncTokens"]


class AsyncTokens:
    """Calls `fetch`, a plain or an async function, once per token life.

    The fetch is a task of its own: to cancel one of the calls that wait ends that call only.
    """

    def __init__(self, fetch: Callable[[], object]) -> None:
        self._fetch = fetch
        self._cache = TokenCache()
        self._under_way: tuple[int, asyncio.Task[str | None]] | None = None

    async def get(self, cancel: CancelToken | None) -> str | None:
        token = self._cache.fresh(time.time())
        if token is not None:
            return token
        async with attempt(None, cancel):
            return await asyncio.shield(self._join())

    @property
    def last(self) -> str | None:
        return self._cache.last

    def reject(self, token: str | None) -> bool:
        self._cache.reject(token)
        return True

    async def aclose(self) -> None:
        """End a fetch that is still under way."""
        task = self._running()
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _join(self) -> asyncio.Task[str | None]:
        epoch = self._cache.epoch
        task = self._running()
        if task is None or self._under_way is None or self._under_way[0] != epoch:
            task = asyncio.get_running_loop().create_task(self._run(epoch), name="poolse-token")
            # Seen here, so that asyncio does not report it when all who waited were cancelled.
            task.add_done_callback(lambda t: t.cancelled() or t.exception())
            self._under_way = (epoch, task)
        elif task is asyncio.current_task():
            raise asked_itself()
        return task

    def _running(self) -> asyncio.Task[str | None] | None:
        """The fetch under way; one of another event loop ended with that loop."""
        if self._under_way is None:
            return None
        task = self._under_way[1]
        return None if task.done() or task.get_loop() is not asyncio.get_running_loop() else task

    async def _run(self, epoch: int) -> str | None:
        found = self._fetch()
        token = checked(await found if inspect.isawaitable(found) else found)
        self._cache.store(token, epoch, time.time())
        return token
