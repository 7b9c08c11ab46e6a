"""However and whenever it ends, nothing is left: the guard of all tests looks for leaks."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
from typing import Any

import pytest

from poolse.errors import ChannelClosed, ConnectionFailed, PushTimeout
from poolse.testing import Sandbox
from tests.architecture.tree import ROOT
from tests.realtime.channel_types import PING
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import settings_of
from tests.realtime.sync_and_async import FLAVOURS, LIMIT, Aio, Flavour, Log, Sync, done, opened

BOTH = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])


@pytest.fixture
def conversation(sandbox: Sandbox) -> Any:
    return post(sandbox, "/v1/conversations", {"type": "group"})["id"]


@BOTH
@pytest.mark.parametrize(
    "state", ["idle", "connecting", "waiting", "joining", "joined", "errored", "leaving", "failed"]
)
def test_close_in_every_state(
    flavour: Flavour, state: str, sandbox: Sandbox, conversation: str
) -> None:
    async def scenario() -> None:
        slow = {"rejoin_delays": (60.0,), "reconnect_delays": (), "close_timeout": 0.1}
        token = sandbox.token("alice")
        async with opened(flavour, settings_of(sandbox, **slow), lambda _: token) as client:
            if state in ("waiting", "failed"):
                sandbox.faults.refuse_handshakes(500 if state == "waiting" else 404)
            if state == "joining":
                sandbox.faults.mute()
            if state == "errored":
                sandbox.faults.refuse_joins("busy")
            room: Any = None if state == "idle" else client.realtime.room(conversation)
            if state in ("waiting", "errored", "failed"):
                await client.errors.until(len)
            if state == "joining":
                await asyncio.to_thread(sandbox.wait_for, lambda: bool(sandbox.joins), LIMIT)
            if state in ("joined", "leaving"):
                await done(room.wait_joined())
            if state == "leaving":
                sandbox.faults.mute()
                leaving = asyncio.create_task(leave(flavour, room))
                while not repr(room).endswith("left>"):  # noqa: ASYNC110 (a repr has no event)
                    await asyncio.sleep(0)
                await client.close()
                await leaving

    asyncio.run(scenario())


async def leave(flavour: Flavour, room: Any) -> None:
    await (asyncio.to_thread(room.leave) if flavour is Sync else room.leave())


SCRIPT = """
import sys
from poolse import Poolse
url, token, conversation = sys.argv[1:]
chat = Poolse(api_url=url, token=token)
live = chat.realtime.conversation(conversation)
live.on_message(print)
live.wait_joined()
print("joined")
"""


def test_a_script_that_forgets_close_ends(sandbox: Sandbox, conversation: str) -> None:
    arguments = [sandbox.url, sandbox.token("alice"), conversation]
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "joined\n", "")


def test_a_blocked_callback_does_not_hold_up_close_for_ever(
    sandbox: Sandbox, conversation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolse._realtime.sync_driver.CLOSE_WAIT", 0.1)
    client = Sync(settings_of(sandbox), lambda _: sandbox.token("alice"))
    release, blocked = threading.Event(), threading.Event()
    room = client.realtime.room(conversation)

    def block(_: object) -> None:
        blocked.set()
        release.wait(LIMIT)

    room.on(PING, block)
    room.wait_joined()
    sandbox.broadcast(room.topic, "ping", {"text": "1"})
    assert blocked.wait(LIMIT)
    client.realtime.close()
    release.set()


@BOTH
def test_a_get_token_that_hangs_does_not_hold_up_the_others(
    flavour: Flavour, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolse._realtime.sync_driver.CLOSE_WAIT", 0.1)

    async def scenario() -> None:
        release, asked = threading.Event(), threading.Event()
        if flavour is Sync:

            def token(_: str | None) -> str:
                asked.set()
                release.wait(LIMIT)
                return "late"

            client: Any = Sync(settings_of(sandbox), token)
        else:

            async def hanging(_: str | None) -> str:
                asked.set()
                await asyncio.sleep(LIMIT)
                return "late"

            client = Aio(settings_of(sandbox), lambda _: "")
            client.realtime._workers._get_token = hanging
        room = client.realtime.room("x")
        await asyncio.to_thread(asked.wait, LIMIT)
        assert client.realtime.status == "connecting"
        with pytest.raises(PushTimeout):
            await done(room.wait_joined(timeout=0.05))
        await client.close()
        with pytest.raises(ChannelClosed):
            await done(room.wait_joined())
        release.set()

    asyncio.run(scenario())


def flap(sandbox: Sandbox) -> None:
    """Drop the sockets, and wait until one is back."""
    before = len(sandbox.handshakes)
    sandbox.wait_for(lambda: sandbox.sockets >= 1, LIMIT)
    sandbox.faults.drop_sockets()
    sandbox.wait_for(lambda: len(sandbox.handshakes) > before, LIMIT)


def test_threads_may_do_anything_at_any_time(sandbox: Sandbox) -> None:
    """Joins, leaves, pushes, subscriptions and drops, all at once; then everything still works."""
    topics = [post(sandbox, "/v1/conversations", {"type": "group"})["id"] for _ in range(4)]
    token = sandbox.token("alice")
    client = Sync(settings_of(sandbox, channels_per_socket=2), lambda _: token)
    over = threading.Event()
    mistakes = Log()

    def work(seed: int) -> None:
        source = random.Random(seed)
        while not over.is_set():
            try:
                room = client.realtime.room(source.choice(topics))
                off = room.on(PING, lambda _: None)
                if source.random() < 0.3:
                    room.wait_joined(5)
                room.tell("typing")
                off()
                if source.random() < 0.5:
                    room.leave()
                else:
                    client.realtime.leave(source.choice(topics))
            except ChannelClosed:
                pass  # another thread has left it
            except Exception as error:
                mistakes.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(32)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        flap(sandbox)
    over.set()
    for thread in threads:
        thread.join(LIMIT)
    assert mistakes.items == []
    room = client.realtime.room(topics[0])
    room.wait_joined(LIMIT)
    client.realtime.close()
    assert all(isinstance(error, ConnectionFailed) for error in client.errors.items)
