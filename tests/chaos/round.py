"""A round of chaos from start to end: everything at once, then calm, then the accounts."""

from __future__ import annotations

import gc
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.chaos.audit import audit
from tests.chaos.cut_at_each_byte import walk
from tests.chaos.flavours import FLAVOURS, done, opened
from tests.chaos.listeners import answer, follow, follow_and_restart, listen
from tests.chaos.load import at_once, browse, cancel, react, send, upload
from tests.chaos.report import Result
from tests.chaos.world import MEMBERS, POOL, Followed, Sent, Setting, Size, World
from tests.leak_guard import leaked_descriptors, leaked_threads, open_descriptors

__all__ = ["play"]

PATIENCE = 60.0
"""Seconds of calm after which what has not come will not come."""

WORDS = 10
"""So many messages are sent at the end, until one of them is heard live."""


def play(flavour: str, setting: Setting, size: Size, seed: str) -> Result:
    """Play one round. It raises nothing: what went wrong is in the result."""
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    world = World(FLAVOURS[flavour], setting, size, seed)
    result = Result(flavour, setting.name, seed)
    began = time.monotonic()
    try:
        with world.sandbox, world.proxy, tempfile.TemporaryDirectory() as folder:
            world.begin()
            world.flavour.run(_round(world, Path(folder)))
            result.audit = audit(world)
            world.sandbox.wait_for(lambda: world.sandbox.sockets == 0)
    except Exception as error:
        result.failed(error)
    gc.collect()
    result.leaks += [*leaked_threads(threads), *leaked_descriptors(descriptors)]
    result.seconds = time.monotonic() - began
    result.played(world)
    return result


async def _round(world: World, folder: Path) -> None:
    first, *_ = every = world.conversations
    logs = [
        Followed("bob", skips_own=False, conversations=every),
        Followed("carol", skips_own=False, conversations=(first,)),
        Followed("bot", skips_own=True, conversations=(first,)),
    ]
    world.followed += logs
    async with _clients(world) as clients:
        alice, bob, bot, carol = clients
        work = [send(world, alice, number) for number in range(world.size.senders)]
        work += [job(world, alice) for job in (browse, upload, react, cancel)]
        await world.flavour.together(
            follow(world, bob, logs[0]),
            follow_and_restart(world, carol, logs[1], folder / "position.db"),
            answer(world, bot, logs[2]),
            listen(world, carol),
            _conduct(world, [*work, _walk(world)], clients),
        )


@asynccontextmanager
async def _clients(world: World) -> AsyncGenerator[list[Any]]:
    clients = [world.client(user) for user in ("alice", *MEMBERS)]
    async with AsyncExitStack() as stack:
        for chat in clients:
            await stack.enter_async_context(opened(chat))
        yield clients
        for chat in clients:
            world.counted(chat.stats())


async def _walk(world: World) -> None:
    """Beside the others, by a way of its own, so that each fault meets the exchange it is for."""
    with world.proxy_with(0.0) as proxy:
        async with opened(world.client("alice", proxy)) as chat:
            await walk(world, chat, proxy)
            world.counted(chat.stats())


async def _conduct(world: World, work: list[Any], clients: list[Any]) -> None:
    """Have the work done, let everything become calm, and see whether all is whole."""
    try:
        await world.flavour.together(*work)
        world.proxy.calm()
        await _still_heard(world, clients)
        await _until(world, lambda: not audit(world).lost, "the followers have caught up")
        for chat in clients:
            await at_once(world, chat, 2 * POOL)
    finally:
        world.feeds.cancel()


async def _still_heard(world: World, clients: list[Any]) -> None:
    """The channel of the plain listener is alive: who is there is known, and what is said heard."""
    first = world.conversations[0]
    live = clients[-1].realtime.conversation(first)
    await done(live.wait_joined())
    await _until(world, lambda: set(live.presence_state) == _present(world), "all are present")
    messages = clients[0].conversations.one(first).messages
    for count in range(WORDS):
        said = Sent(first, f"last word {count}", insisted=True)
        world.sent.append(said)
        said.id = (await done(messages.send(body=said.body))).id
        # The first ones may find it on its way back from the last fault.
        if await _holds(world, partial(_is_heard, world, said), PATIENCE / WORDS):
            break
    else:
        raise AssertionError(f"none of {WORDS} last words was heard live")
    if max(world.heard.values()) > 1:
        world.wrong.append("a message came live twice")
    await done(live.leave())


def _is_heard(world: World, said: Sent) -> bool:
    return world.heard[said.id or ""] > 0


def _present(world: World) -> set[str]:
    return {world.sandbox.user_id(name) for name in MEMBERS}


async def _until(world: World, holds: Callable[[], bool], what: str) -> None:
    if not await _holds(world, holds, PATIENCE):
        raise AssertionError(f"not within {PATIENCE:g} s of calm: {what}")


async def _holds(world: World, holds: Callable[[], bool], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while not await world.flavour.aside(holds):
        if time.monotonic() > deadline:
            return False
        await world.flavour.sleep(0.1)
    return True
