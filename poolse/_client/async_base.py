"""What all async clients have in common: calls, and their end."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import httpx

from poolse._auth.async_tokens import AsyncTokens
from poolse._client.base import ClientBase
from poolse._http.async_sender import AsyncSender
from poolse._rest.async_calls import AsyncCalls
from poolse.stats import PoolStats

__all__ = ["AsyncClientBase"]


class AsyncClientBase(ClientBase[httpx.AsyncClient]):
    """What the async clients have in common."""

    _asynchronous = True

    def _assemble(self) -> None:
        self._sender = self._given.sender(AsyncSender, self._lifetime)
        self._tokens = self._given.tokens(AsyncTokens, self._lifetime)

    def _calls(self) -> AsyncCalls:
        return AsyncCalls(self._hands(self._sender, self._tokens), self._settings)

    def _pool_stats(self) -> PoolStats | None:
        return self._sender.pool()

    async def aclose(self) -> None:
        """End what is under way and close all connections. Calling it again does nothing."""
        if not self._owner:
            return
        self._sender.check_loop()
        # No early return for a closed client: closing again ends what a cancelled one left.
        self._lifetime.close()
        # A stack, because a cancelled `aclose` must still close what comes after.
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._sender.aclose)
            if isinstance(self._tokens, AsyncTokens):
                stack.push_async_callback(self._tokens.aclose)
            stack.push_async_callback(self._close_more)

    async def _close_more(self) -> None:
        """Most clients have none."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
