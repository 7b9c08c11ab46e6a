"""One way to drive feeds of both flavours: each scenario is written once, as a coroutine."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from poolse import AsyncPoolse, Poolse
from poolse.testing import Sandbox

__all__ = ["FLAVOURS", "Play", "Scenario", "Talk", "close", "done", "opened", "talking"]

FLAVOURS: list[type[Poolse] | type[AsyncPoolse]] = [Poolse, AsyncPoolse]

LIMIT = 20.0


async def done(result: object) -> Any:
    """What a method of either flavour gives; what blocks does so in a thread of its own."""
    return await result if inspect.isawaitable(result) else result


class Talk:
    """A conversation of alice's with a bot, whose client is of either flavour."""

    def __init__(self, sandbox: Sandbox, alice: Poolse, bot: Any, id: str) -> None:
        self.sandbox = sandbox
        self.bot = bot
        self.id = id
        self.alice = alice
        self._room = alice.conversations.one(id)

    def say(self, *bodies: str, **fields: Any) -> list[str]:
        """Messages of alice's; their ids."""
        return [self._room.messages.send(body=body, **fields).id for body in bodies]

    def follow(self, **choices: Any) -> Any:
        """A feed of the bot's, without what it sent itself."""
        messages = self.bot.conversations.one(self.id).messages
        return messages.follow(**{"skip_own": True, **choices})

    async def joined(self) -> None:
        """Wait until the bot is in the channel."""
        topic = f"conversation:{self.id}"
        await asyncio.to_thread(self.sandbox.wait_for, lambda: topic in self.sandbox.joins)

    async def next(self, feed: Any) -> Any:
        """The next delivery, or StopAsyncIteration."""
        async with asyncio.timeout(LIMIT):
            if hasattr(feed, "__anext__"):
                return await anext(feed)
            return await asyncio.to_thread(self._next, feed)

    @staticmethod
    def _next(feed: Any) -> Any:
        try:
            return next(feed)
        except StopIteration:
            raise StopAsyncIteration from None

    async def take(self, feed: Any, count: int) -> list[str]:
        """The texts of the next messages."""
        return [(await self.next(feed)).message.body for _ in range(count)]


Scenario = Callable[[Talk], Awaitable[None]]
Play = Callable[[Scenario], None]
"""Runs a scenario."""


@asynccontextmanager
async def talking(
    sandbox: Sandbox, flavour: type[Poolse] | type[AsyncPoolse], **options: Any
) -> AsyncGenerator[Talk]:
    """A client, that is closed at the end, and a conversation."""
    sandbox.user_id("bot")
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as alice:
        made = alice.conversations.create(type="group", member_external_ids=["bot"])
        bot: Any = flavour(api_url=sandbox.url, token=sandbox.token("bot"), **options)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(close, bot)
            yield Talk(sandbox, alice, bot, made.id)


async def close(bot: Any) -> None:
    await done(bot.aclose() if hasattr(bot, "aclose") else bot.close())


@asynccontextmanager
async def opened(feed: Any) -> AsyncGenerator[Any]:
    """The feed's own `with`, whichever it has."""
    if hasattr(feed, "__aenter__"):
        async with feed:
            yield feed
    else:
        with feed:
            yield feed
