"""Realtime of both flavours, each scenario written once as a coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from poolse import AsyncPoolse, Poolse
from poolse.testing import Sandbox
from tests.follow.sync_and_async_feeds import done

__all__ = ["FLAVOURS", "LIMIT", "Flavour", "aside", "connected", "play", "step"]

LIMIT = 15.0

FLAVOURS = pytest.mark.parametrize("flavour", [Poolse, AsyncPoolse], ids=["sync", "async"])

Flavour = type[Poolse] | type[AsyncPoolse]


@asynccontextmanager
async def connected(flavour: Flavour, sandbox: Sandbox, **more: Any) -> AsyncGenerator[Any]:
    """A client of alice's."""
    arguments: dict[str, Any] = {"api_url": sandbox.url, "token": sandbox.token("alice")}
    if sandbox.url.startswith("https"):
        arguments["ssl_context"] = sandbox.ssl_context()
    chat: Any = flavour(**arguments | more)
    try:
        yield chat
    finally:
        await done(chat.aclose() if hasattr(chat, "aclose") else chat.close())


async def aside(flavour: Flavour, call: Callable[[], Any]) -> Any:
    """A call that waits, beside what else happens: in a thread, or awaited."""
    return await (asyncio.to_thread(call) if flavour is Poolse else call())


async def step(flavour: Flavour, iterator: Any) -> Any:
    """The next of what an iterator gives."""
    return await aside(flavour, lambda: next(iterator) if flavour is Poolse else anext(iterator))


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run it, but not for ever."""

    async def limited() -> None:
        async with asyncio.timeout(LIMIT):
            await scenario()

    asyncio.run(limited())
