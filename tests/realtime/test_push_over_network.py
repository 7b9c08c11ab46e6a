"""Pushes with a reply, in both bodies, over ws and wss."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from poolse.errors import (
    ChannelClosed,
    PushError,
    PushOutcomeUnknown,
    PushTimeout,
    UsageError,
)
from poolse.testing import Sandbox
from tests.realtime.channel_types import PING, News
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import World, run, settings_of
from tests.realtime.scripted_server import Frame, ok, phoenix
from tests.realtime.sync_and_async import FLAVOURS, LIMIT, Aio, Flavour, Log, Sync, done, opened

EVERYWHERE = [
    pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"]),
    pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"]),
]


def everywhere(test: Any) -> Any:
    for mark in EVERYWHERE:
        test = mark(test)
    return test


def obliging(frame: Frame) -> Iterable[object]:
    """Answers `echo`, refuses `no`, and says nothing to anything else."""
    if frame[3] == "echo":
        yield ok(frame, frame[4])
    if frame[3] == "no":
        yield ok(frame, {"reason": "not today"}, "error")


@everywhere
def test_a_push_is_answered(flavour: Flavour, tls: bool) -> None:
    async def scenario() -> None:
        with phoenix(obliging, tls) as server:
            async with server.client(flavour) as client:
                # Not joined yet: it waits for that.
                room = client.realtime.room("x")
                assert await done(room.push("echo", {"hi": "ünïcode 😀"})) == {"hi": "ünïcode 😀"}
                assert await done(room.push("echo")) == {}
                with pytest.raises(PushError, match="not today") as caught:
                    await done(room.push("no"))
                assert caught.value.response == {"reason": "not today"}
                with pytest.raises(PushTimeout):
                    await done(room.push("silence", timeout=0.05))
                with pytest.raises(UsageError, match="NaN"):
                    await done(room.push("echo", {"x": float("nan")}))
                assert client.realtime.status == "connected"

    run(scenario)


@everywhere
def test_bytes_are_answered_with_bytes(flavour: Flavour, tls: bool) -> None:
    def binary(frame: Frame) -> Iterable[object]:
        if isinstance(frame[0], bytes):
            sizes, rest = frame[0][1:5], frame[0][5:]
            address = rest[: sum(sizes[:3])]
            yield b"\x01" + sizes[:3] + b"\x02" + address + b"ok" + rest[-2:]

    async def scenario() -> None:
        with phoenix(binary, tls) as server:
            async with server.client(flavour) as client:
                room = client.realtime.room("x")
                assert await done(room.push("upload", b"\x00\x07")) == b"\x00\x07"

    run(scenario)


@everywhere
@pytest.mark.parametrize("code", [1000, 1011])
def test_a_push_fails_at_once_when_the_link_is_lost(flavour: Flavour, tls: bool, code: int) -> None:
    def hangs_up(frame: Frame) -> Iterable[object]:
        if frame[3] == "ask":
            yield code

    async def scenario() -> None:
        with phoenix(hangs_up, tls) as server:
            async with server.client(flavour) as client:
                room = client.realtime.room("x")
                with pytest.raises(PushOutcomeUnknown):
                    await done(room.push("ask", timeout=None))
                await done(room.wait_joined())
                events = [frame[3] for frame in server.frames.items]
                assert events == ["phx_join", "ask", "phx_join"]

    run(scenario)


def test_an_event_that_the_server_does_not_know(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            with pytest.raises(PushOutcomeUnknown):
                await done(room.push("boom", timeout=None))
            await done(room.wait_joined())
            assert len(world.sandbox.joins) == 2

    run(scenario)


@everywhere
@pytest.mark.parametrize("how", ["leave", "close", "disconnect"])
def test_waiters_for_a_reply_are_notified_of_the_end(flavour: Flavour, tls: bool, how: str) -> None:
    async def scenario() -> None:
        with phoenix(lambda _: [], tls) as server:
            async with server.client(flavour, leave_timeout=0.1) as client:
                room = client.realtime.room("x")
                await done(room.wait_joined())
                waiting = asyncio.create_task(ask(flavour, room))
                await server.frames.until(lambda frames: frames[-1][3] == "ask")
                ends = {
                    "leave": room.leave,
                    "close": client.close,
                    "disconnect": client.realtime.disconnect,
                }
                await done(ends[how]())
                with pytest.raises((ChannelClosed, PushOutcomeUnknown)):
                    await waiting
                with pytest.raises((ChannelClosed, UsageError)):
                    await done(room.push("ask"))

    run(scenario)


async def ask(flavour: Flavour, room: Any) -> object:
    if flavour is Sync:
        return await asyncio.to_thread(room.push, "ask", None, None)
    return await room.push("ask", None, None)


@everywhere
def test_a_callback_may_wait_for_a_reply(flavour: Flavour, tls: bool) -> None:
    async def scenario() -> None:
        with phoenix(obliging, tls) as server:
            async with server.client(flavour) as client:
                room, replies = client.realtime.room("x"), Log()

                async def ask_async(_: object) -> None:
                    replies.append(await room.push("echo", {"a": 1}))

                def ask_sync(_: object) -> None:
                    replies.append(room.push("echo", {"a": 1}))

                room.on(PING, ask_sync if flavour is Sync else ask_async)
                await done(room.wait_joined())
                server.say([None, None, room.topic, "ping", {"text": "?"}])
                await replies.until(len)
                assert replies.items == [{"a": 1}]
                assert client.errors.items == []

    run(scenario)


def test_a_cancelled_push_is_not_sent(sandbox: Sandbox) -> None:
    async def scenario() -> None:
        conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]
        # Mute, so that nothing is joined before all are cancelled.
        sandbox.faults.mute()
        async with opened(Aio, settings_of(sandbox), lambda _: sandbox.token("alice")) as client:
            room = client.realtime.room(conversation)
            for _ in range(20):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0):
                        await room.push("would crash the channel")
            sandbox.faults.unmute()
            await room.wait_joined()
            events = room.events(timeout=LIMIT)
            sandbox.broadcast(room.topic, "ping", {"text": "1"})
            while News("1") not in await client.take(events, 1):
                pass
            assert client.errors.items == []

    run(scenario)


def test_the_reply_to_a_cancelled_push_is_nobodys() -> None:
    async def scenario() -> None:
        with phoenix(obliging) as server:
            async with server.client(Aio) as client:
                room = client.realtime.room("x")
                waiting = asyncio.create_task(room.push("silence"))
                await server.frames.reach(2)
                waiting.cancel()
                await asyncio.wait([waiting])
                server.say(ok(server.frames.items[-1]))
                assert await room.push("echo") == {}
                assert client.errors.items == []

    run(scenario)
