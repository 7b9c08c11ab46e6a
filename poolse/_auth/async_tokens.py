"""The token of an async client: one fetch at a time, shared by all tasks that wait for it."""

from __future__ import annotations

from collections.abc import Callable

from poolse._auth.async_single_flight import AsyncFlight, Tasks
from poolse._auth.tokens import FetchedTokens
from poolse._rest.request_io import Lifetime

__all__ = ["AsyncTokens"]


class AsyncTokens(FetchedTokens):
    """Calls `fetch`, a plain or an async function, in a task of its own."""

    def __init__(self, fetch: Callable[[], object], lifetime: Lifetime | None = None) -> None:
        self._tasks = Tasks(lifetime or Lifetime())
        super().__init__(fetch, lambda: AsyncFlight[str | None](self._tasks, "poolse-token"))

    async def aclose(self) -> None:
        """End the fetches that are under way."""
        await self._tasks.aclose()
