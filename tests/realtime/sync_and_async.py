"""One way to drive both bodies, so that each scenario is written once, as a coroutine.

The sync body blocks the thread that runs the coroutine. That is what it is for, and all that it
waits for happens in other threads.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from poolse._realtime.async_public import AsyncChannel, AsyncEvents, AsyncRealtime
from poolse._realtime.channel_types import EventType
from poolse._realtime.public import Channel, Events, Realtime
from poolse._realtime.reconnect_policy import Pause, Policy
from poolse._realtime.settings import RealtimeSettings
from tests.realtime.channel_types import CONVERSATION, WHO, Who

__all__ = ["FAST", "FLAVOURS", "LIMIT", "Aio", "Flavour", "Log", "Sync", "done", "opened"]

FAST: dict[str, Any] = {
    "rejoin_delays": (0.05,),
    "reconnect_delays": (0.01,) * 20,
    "connect_timeout": 5.0,
    "join_timeout": 5.0,
    "policy": Policy(pauses={}, pause=Pause(0.0, 0.0), refused=Pause(0.01, 0.0)),
}
"""Delays that a test can wait for."""

LIMIT = 15.0
"""Seconds after which what ought to happen did not. Never reached when all is well."""

Token = Callable[[str | None], str | None]
Handler = Callable[[Any], object]


async def done(result: object) -> Any:
    """What a method of either flavour gives: those of the async one have to be awaited."""
    return await result if inspect.isawaitable(result) else result


class Log:
    """A list that can be waited on. Anything may append to it, from any thread."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._changed = threading.Lock()
        self._wakes: list[Callable[[], object]] = []

    def append(self, item: object) -> None:
        with self._changed:
            self.items.append(item)
            for wake in self._wakes:
                wake()

    async def reach(self, count: int) -> None:
        """Wait until there are so many items."""
        await self.until(lambda items: len(items) >= count)

    async def until(self, holds: Callable[[list[Any]], object]) -> list[Any]:
        """Wait until the items are as wanted."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(changed.set)

        with self._changed:
            self._wakes.append(wake)
        try:
            async with asyncio.timeout(LIMIT):
                while not holds(self.items):
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            raise AssertionError(f"it did not happen: {self.items}") from None
        finally:
            with self._changed:
                self._wakes.remove(wake)
        return list(self.items)


class SyncRoom(Channel[Any]):
    """A channel with its inner methods laid open, as generated code does."""

    _TYPE = CONVERSATION

    def on(self, event: EventType[object], handler: Handler) -> Callable[[], None]:
        return self._on(event, handler)

    def tell(self, event: str) -> None:
        self._send(event, {})

    @property
    def who(self) -> Who:
        return self._presence(WHO)


class AsyncRoom(AsyncChannel[Any]):
    """Its twin."""

    _TYPE = CONVERSATION

    def on(self, event: EventType[object], handler: Handler) -> Callable[[], None]:
        return self._on(event, handler)

    async def tell(self, event: str) -> None:
        self._send(event, {})

    @property
    def who(self) -> Who:
        return self._presence(WHO)


class SyncRooms(Realtime):
    """As generated code does."""

    def room(self, parameter: str) -> SyncRoom:
        return self._channel(SyncRoom, parameter)


class AsyncRooms(AsyncRealtime):
    """Its twin."""

    def room(self, parameter: str) -> AsyncRoom:
        return self._channel(AsyncRoom, parameter)


class Sync:
    """Threads."""

    def __init__(self, settings: RealtimeSettings, token: Token) -> None:
        self.errors = Log()
        self.realtime = SyncRooms(settings, token, self.errors.append)

    async def take(self, events: Events[Any], count: int) -> list[Any]:
        """The next events of an iterator; fewer when it ends."""
        return [event for _, event in zip(range(count), events, strict=False)]

    async def close(self) -> None:
        self.realtime.close()


class Aio:
    """Tasks."""

    def __init__(self, settings: RealtimeSettings, token: Token) -> None:
        async def get_token(stale: str | None) -> str | None:
            return token(stale)

        self.errors = Log()
        self.realtime = AsyncRooms(settings, get_token, self.errors.append)

    async def take(self, events: AsyncEvents[Any], count: int) -> list[Any]:
        """The next events of an iterator; fewer when it ends."""
        found: list[Any] = []
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
        return found

    async def close(self) -> None:
        await self.realtime.aclose()


Flavour = type[Sync] | type[Aio]
FLAVOURS: list[Flavour] = [Sync, Aio]


@asynccontextmanager
async def opened(flavour: Flavour, settings: RealtimeSettings, token: Token) -> AsyncGenerator[Any]:
    """A client that is closed at the end."""
    client = flavour(settings, token)
    try:
        yield client
    finally:
        await client.close()
