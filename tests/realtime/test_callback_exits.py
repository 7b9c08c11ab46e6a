"""Callbacks that raise SystemExit or KeyboardInterrupt: reported, and realtime is not ended by it.

In an event loop such an exception then ends the loop, as that of any other task; a thread has
nobody to pass it on to.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from poolse._realtime.client import client_of
from poolse.errors import RealtimeError
from poolse.testing import Sandbox
from tests.architecture.tree import ROOT
from tests.realtime.channel_types import PING
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import World, settings_of
from tests.realtime.sync_and_async import Log, Sync, done, opened

ENDINGS = (SystemExit, KeyboardInterrupt)


def raising(world: World, ending: type[BaseException], kind: str) -> Callable[[object], object]:
    """A callback that raises: a plain function, an async one, or one that was suspended first."""

    def plain(_: object) -> None:
        raise ending(3)

    async def at_once(_: object) -> None:
        raise ending(3)

    async def later(_: object) -> None:
        await asyncio.sleep(0)
        raise ending(3)

    kinds = {"plain": plain, "async": at_once, "suspended": later}
    return plain if world.flavour is Sync else kinds[kind]


def failing(_: object) -> None:
    raise ZeroDivisionError


class Ends:
    """An event loop that is run again whenever a callback has ended it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.seen: set[type[BaseException]] = set()

    def run(self, coroutine: Any) -> Any:
        task = self.loop.create_task(coroutine)
        for _ in range(100):
            try:
                return self.loop.run_until_complete(task)
            except ENDINGS as error:
                self.seen.add(type(error))
                if task.done():
                    return task.result()
        raise AssertionError("it does not end")

    def close(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        self.loop.close()


def subscribe(rooms: Any, room: Any, where: str, handler: Callable[[object], object]) -> None:
    if where == "event":
        room.on(PING, handler)
    elif where == "error":
        # As if it had been given to the constructor.
        errors = client_of(rooms.realtime).callbacks._errors  # pyright: ignore[reportPrivateUsage]
        reports = errors.target

        def report_and_end(error: object) -> object:
            reports(error)
            return handler(error)

        errors.target = report_and_end
        room.on(PING, failing)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", ["plain", "async", "suspended"])
@pytest.mark.parametrize("where", ["event", "status", "error"])
def test_it_is_reported_and_nothing_else_ends(
    world: World, ending: type[BaseException], kind: str, where: str, caplog: Any
) -> None:
    """The loop ends, where there is one, and what it runs next finds realtime alive."""
    if world.flavour is Sync and kind != "plain":
        return
    handler, got, ends = raising(world, ending, kind), Log(), Ends()
    asyncio.set_event_loop(ends.loop)

    async def begin() -> tuple[Any, Any]:
        client = opened(world.flavour, world.settings(), lambda _: world.sandbox.token("alice"))
        rooms = await client.__aenter__()
        if where == "status":
            # Before the first channel: it connects, perhaps before the next line.
            rooms.realtime.on_status(handler)
        room = rooms.realtime.room(world.conversation)
        subscribe(rooms, room, where, handler)
        room.on(PING, got.append)
        await done(room.wait_joined())
        return client, rooms

    async def rest(client: Any, rooms: Any) -> None:
        world.ping("after it")
        await got.until(lambda items: "after it" in [item.text for item in items])
        assert rooms.realtime.status == "connected"
        (error, *_) = await rooms.errors.until(len)
        assert isinstance(error, RealtimeError)
        assert isinstance(error.__cause__, ZeroDivisionError if where == "error" else ending)
        await client.__aexit__(None, None, None)

    try:
        client, rooms = ends.run(begin())
        world.ping("first")
        ends.run(got.until(len))
        ends.run(rest(client, rooms))
    finally:
        ends.close()
    assert "a callback failed" in caplog.text
    assert ends.seen == (set() if world.flavour is Sync else {ending})


SCRIPT = """
import asyncio, sys
from poolse import AsyncPoolse

def told(error):
    print(type(error).__name__, type(error.__cause__).__name__, flush=True)

async def main(url, token, conversation):
    async with AsyncPoolse(api_url=url, token=token, on_socket_error=told) as chat:
        live = chat.realtime.conversation(conversation)
        live.on_presence_state(lambda _: sys.exit(3))
        await live.wait_joined()
        await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


def test_the_exit_code_is_that_of_the_callback(sandbox: Sandbox) -> None:
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT, sandbox.url, sandbox.token("alice"), conversation],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (3, "RealtimeError SystemExit\n"), found.stderr


def test_a_get_token_that_exits_does_not_end_the_thread_of_a_socket(sandbox: Sandbox) -> None:
    asked: list[str | None] = []

    def token(stale: str | None) -> str:
        asked.append(stale)
        if len(asked) == 1:
            raise SystemExit(3)
        return sandbox.token("alice")

    async def scenario() -> None:
        async with opened(Sync, settings_of(sandbox), token) as client:
            await done(client.realtime.connect())
            (error,) = await client.errors.until(len)
            assert "no token: SystemExit" in str(error)
            await asyncio.to_thread(sandbox.wait_for, lambda: sandbox.sockets == 1)

    asyncio.run(scenario())
