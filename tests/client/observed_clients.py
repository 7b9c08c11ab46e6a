"""Clients of both flavours that tell what they do, for tests that hold for both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from poolse import (
    AsyncPoolse,
    Hooks,
    Poolse,
    RealtimeInfo,
    RequestInfo,
    ResponseInfo,
    RetryInfo,
)
from poolse.testing import Sandbox

__all__ = ["CLIENTS", "Heard", "carried_out", "client_of", "done", "until"]

CLIENTS = pytest.mark.parametrize("client", [Poolse, AsyncPoolse], ids=["sync", "async"])


@attrs.define
class Heard:
    """What hooks were told, in order."""

    infos: list[Any] = attrs.field(factory=list[Any])

    def hooks(self) -> Hooks:
        """Hooks of every kind."""
        hear = self.infos.append
        return Hooks(on_request=hear, on_response=hear, on_retry=hear, on_realtime=hear)

    def of(self, kind: type[Any]) -> list[Any]:
        """Those of one kind."""
        return [info for info in self.infos if isinstance(info, kind)]

    @property
    def requests(self) -> list[RequestInfo]:
        return self.of(RequestInfo)

    @property
    def responses(self) -> list[ResponseInfo]:
        return self.of(ResponseInfo)

    @property
    def retries(self) -> list[RetryInfo]:
        return self.of(RetryInfo)

    @property
    def realtime(self) -> list[RealtimeInfo]:
        return self.of(RealtimeInfo)


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds that another thread, or a task, brings about."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0.005)


async def done(result: object) -> Any:
    """What a method of either flavour gives."""
    return await result if inspect.isawaitable(result) else result


@asynccontextmanager
async def client_of(
    client: type[Any], sandbox: Sandbox, user: str = "alice", **options: Any
) -> AsyncGenerator[Any]:
    """A client that is closed at the end."""
    made = client(
        **{"api_url": sandbox.url, "token": sandbox.token(user), "base_backoff": 0.0, **options}
    )
    try:
        yield made
    finally:
        await done(made.aclose() if hasattr(made, "aclose") else made.close())


def carried_out(
    client: type[Any], sandbox: Sandbox, scenario: Callable[[Any], Awaitable[None]], **options: Any
) -> None:
    """Run a scenario with a client. What blocks, blocks the loop too, which has nothing to do."""

    async def run() -> None:
        async with client_of(client, sandbox, **options) as chat:
            await scenario(chat)

    asyncio.run(run())
