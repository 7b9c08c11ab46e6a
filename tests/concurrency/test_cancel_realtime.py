"""What waits for realtime is ended by a token, and by its task, and leaves realtime as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from poolse import AsyncPoolse, Cancelled, CancelToken, UnknownEvent
from poolse.testing import Sandbox
from tests.concurrency.realtime_scenarios import (
    FLAVOURS,
    LIMIT,
    Flavour,
    aside,
    connected,
    play,
    step,
)
from tests.follow.sync_and_async_feeds import done, opened
from tests.http.sync_and_async_senders import Watched


async def until(flavour: Flavour, events: Any, wanted: object) -> None:
    """Take events up to this one. Those of presence come first."""
    while await step(flavour, events) != wanted:
        pass


Wait = Callable[[CancelToken | None], Awaitable[object]]


def feed_of(chat: Any, id: str, stop: CancelToken | None) -> Any:
    return chat.conversations.one(id).messages.follow(cancel=stop)


def waits(flavour: Flavour, chat: Any, id: str, live: Any) -> dict[str, Wait]:
    """What can be waited for in a channel that is joined, or never will be."""
    found: dict[str, Wait] = {
        "events": lambda stop: until(flavour, live.events(cancel=stop), "never"),
        "push": lambda stop: aside(flavour, lambda: live.push("x", timeout=None, cancel=stop)),
        "wait_joined": lambda stop: aside(
            flavour, lambda: live.wait_joined(timeout=None, cancel=stop)
        ),
        "follow": lambda stop: step(flavour, feed_of(chat, id, stop)),
    }
    return found


WAITS = pytest.mark.parametrize("what", ["events", "push", "wait_joined", "follow"])


@asynccontextmanager
async def waiting(flavour: Flavour, sandbox: Sandbox, what: str) -> AsyncGenerator[Any]:
    """A channel, and how to wait for something there that does not come."""
    async with connected(flavour, sandbox) as chat:
        conversation = await aside(flavour, lambda: chat.conversations.create(type="group"))
        if what == "wait_joined":
            sandbox.faults.mute()
        live = chat.realtime.conversation(conversation.id)
        if what != "wait_joined":
            await aside(flavour, live.wait_joined)
        if what == "push":
            sandbox.faults.mute()
        yield live, waits(flavour, chat, conversation.id, live)[what]
        sandbox.faults.clear()


async def still_works(flavour: Flavour, sandbox: Sandbox, live: Any, what: str) -> None:
    if what in ("events", "follow"):
        await done(live.wait_joined())
        events = live.events()
        await asyncio.to_thread(sandbox.broadcast, live.topic, "brand:new", {})
        await until(flavour, events, UnknownEvent("brand:new", {}))


@FLAVOURS
@WAITS
def test_by_a_token(flavour: Flavour, what: str, tls_sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with waiting(flavour, tls_sandbox, what) as (live, wait):
            stop = Watched()
            waiter = asyncio.create_task(wait(stop))
            assert await asyncio.to_thread(stop.registered.acquire, timeout=LIMIT)
            await asyncio.to_thread(stop.cancel)
            with pytest.raises(Cancelled):
                await waiter
            with pytest.raises(Cancelled):
                await wait(stop)
            await still_works(flavour, tls_sandbox, live, what)

    play(scenario)


@WAITS
@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_by_the_task(what: str, how: str, tls_sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with waiting(AsyncPoolse, tls_sandbox, what) as (live, wait):
            if how == "timeout":
                with pytest.raises(TimeoutError) as caught:
                    async with asyncio.timeout(0.05):
                        await wait(None)
                assert type(caught.value) is TimeoutError
            else:
                waiter = asyncio.create_task(wait(None))
                await asyncio.sleep(0)
                waiter.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiter
            await still_works(AsyncPoolse, tls_sandbox, live, what)

    play(scenario)


@FLAVOURS
@pytest.mark.parametrize("begin", ["with", "without"])
def test_a_feed_ends_while_it_begins(flavour: Flavour, begin: str, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with connected(flavour, sandbox) as chat:
            stop = CancelToken()
            sandbox.faults.hang(times=1)
            feed = chat.follow(cancel=stop)
            start = feed.__aenter__ if hasattr(feed, "__aenter__") else feed.__enter__
            begins = aside(flavour, start) if begin == "with" else step(flavour, feed)
            beginning = asyncio.create_task(begins)
            await asyncio.to_thread(sandbox.wait_for, lambda: bool(sandbox.requests), LIMIT)
            await asyncio.to_thread(stop.cancel)
            with pytest.raises(Cancelled):
                await beginning
            sandbox.faults.release()

    play(scenario)


@FLAVOURS
def test_an_answer_of_a_feed_ends(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with connected(flavour, sandbox) as chat:
            made = await aside(flavour, lambda: chat.conversations.create(type="group"))
            stop = CancelToken()
            messages = chat.conversations.one(made.id).messages
            async with opened(feed_of(chat, made.id, stop)) as feed:
                await aside(flavour, lambda: messages.send(body="?"))
                item = await step(flavour, feed)
                before = len(sandbox.requests)
                sandbox.faults.hang(times=1)
                reply = asyncio.create_task(aside(flavour, lambda: item.reply(body="!")))
                await asyncio.to_thread(
                    sandbox.wait_for, lambda: len(sandbox.requests) > before, LIMIT
                )
                await asyncio.to_thread(stop.cancel)
                with pytest.raises(Cancelled):
                    await reply
            sandbox.faults.release()

    play(scenario)
