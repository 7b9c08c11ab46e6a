"""Every thread and task has an owner, and its death is no secret."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import threading
from typing import Any

import pytest

from poolse import Poolse, UsageError
from poolse._realtime.queues import CallbackQueue
from poolse._realtime.socket import Socket
from poolse.errors import ConnectionFailed
from poolse.testing import Sandbox
from tests.realtime.channel_types import PING
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import World, make_world, run
from tests.realtime.sync_and_async import LIMIT, Aio, Log, done

PARTS = {
    "reader": (Socket, "receive"),
    "writer": (Socket, "take_commands"),
    "timer": (Socket, "tick"),
    "dispatcher": (CallbackQueue, "next"),
}


@pytest.mark.parametrize("part", PARTS)
def test_whatever_dies_waiters_are_notified(
    world: World, part: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    owner, name = PARTS[part]
    original, armed = getattr(owner, name), threading.Event()

    def mistaken(*arguments: Any) -> object:
        if armed.is_set():
            raise ZeroDivisionError("a mistake of ours")
        return original(*arguments)

    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            room.on(PING, Log().append)
            await done(room.wait_joined())
            events = room.events(timeout=LIMIT)
            armed.set()
            world.ping("something to do")
            with contextlib.suppress(ConnectionFailed):
                await done(room.tell("typing"))
            with pytest.raises(ConnectionFailed) as told:
                await client.take(events, 1000)
            assert told.value.final
            assert client.realtime.status == "closed"
            with pytest.raises(ConnectionFailed) as caught:
                await done(room.wait_joined())
            assert isinstance(caught.value.__cause__, ZeroDivisionError)
            armed.clear()

    monkeypatch.setattr(owner, name, mistaken)
    run(scenario)
    assert "failed" in caplog.text
    world.sandbox.wait_for(lambda: world.sandbox.sockets == 0)


@pytest.mark.parametrize("victim", ["poolse-calls", "poolse-socket"])
@pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])
def test_a_task_that_somebody_else_cancels(tls: bool, victim: str) -> None:
    async def scenario(world: World) -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await room.wait_joined()
            (task,) = [t for t in asyncio.all_tasks() if t.get_name() == victim]
            task.cancel()
            with pytest.raises(ConnectionFailed, match="CancelledError"):
                await client.take(room.events(), 10)
            assert client.realtime.status == "closed"

    for world in make_world(Aio, tls=tls):
        asyncio.run(scenario(world))


def in_the_child(chat: Poolse, live: Any, answers: Any) -> None:
    """What a forked process is told when it uses the parent's client."""
    for use in (
        live.wait_joined,
        live.events,
        live.send_typing,
        live.leave,
        lambda: live.on_message(print),
        lambda: chat.realtime.conversation("x"),
        chat.realtime.connect,
        lambda: chat.realtime.status,
    ):
        try:
            use()
            answers.put("no error")
        except UsageError as error:
            answers.put(str(error))
    chat.realtime.close()
    answers.put("closed")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_is_reported_and_harms_nobody(sandbox: Sandbox) -> None:
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]
    trust = sandbox.ssl_context() if sandbox.url.startswith("https") else None
    token = sandbox.token("alice")
    with Poolse(api_url=sandbox.url, token=token, ssl_context=trust) as chat:
        live = chat.realtime.conversation(conversation)
        live.wait_joined()
        context = multiprocessing.get_context("fork")
        answers = context.SimpleQueue()
        child = context.Process(target=in_the_child, args=(chat, live, answers))
        child.start()
        child.join(30)
        assert child.exitcode == 0
        told = [answers.get() for _ in range(9)]
        answers.close()
        child.close()
        assert told == ["realtime does not survive a fork: create a client in each process"] * 8 + [
            "closed"
        ]
        sandbox.broadcast(live.topic, "brand:new", {})
        live.wait_joined()
        assert chat.realtime.status == "connected"
        assert sandbox.sockets == 1
