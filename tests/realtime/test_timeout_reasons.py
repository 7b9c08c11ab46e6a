"""A wait that ends says why it took so long."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from poolse import ConnectionFailed, JoinError, PushTimeout
from tests.realtime.hostile_servers import client as hostile_client
from tests.realtime.real_backend import World, run
from tests.realtime.sync_and_async import FLAVOURS, LIMIT, Flavour, done


def tells_of_503(errors: list[Any]) -> bool:
    return "503" in str(errors)


SHORT = 0.3
"""Seconds that a wait has, which cannot be fulfilled."""


async def joined(room: Any) -> None:
    await done(room.wait_joined(timeout=SHORT))


async def pushed(room: Any) -> None:
    await done(room.push("typing", timeout=SHORT))


@pytest.mark.parametrize("wait", [joined, pushed])
def test_the_socket_is_refused_again_and_again(world: World, wait: Any) -> None:
    async def scenario() -> None:
        world.sandbox.faults.refuse_handshakes(503, 10_000)
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await client.errors.until(len)
            with pytest.raises(PushTimeout, match="503") as caught:
                await wait(room)
            assert isinstance(caught.value.__cause__, ConnectionFailed)
            assert caught.value.__cause__.code == 503

    run(scenario)


@pytest.mark.parametrize("wait", [joined, pushed])
@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
def test_nobody_listens(flavour: Flavour, wait: Any) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        async with hostile_client(flavour, f"ws://127.0.0.1:{port}/socket") as client:
            room = client.realtime.room("x")
            await client.errors.until(len)
            with pytest.raises(PushTimeout, match="refused") as caught:
                await wait(room)
            assert isinstance(caught.value.__cause__, ConnectionFailed)

    asyncio.run(scenario())


def test_the_token_cannot_be_had(world: World) -> None:
    def no_token(_: str | None) -> str:
        raise LookupError("the vault is sealed")

    async def scenario() -> None:
        async with world.client() as client:
            client.realtime._workers._get_token = no_token
            room = client.realtime.room(world.conversation)
            await client.errors.until(len)
            with pytest.raises(PushTimeout, match="no token") as caught:
                await joined(room)
            reason = caught.value.__cause__
            assert isinstance(reason, ConnectionFailed)
            assert isinstance(reason.__cause__, LookupError | TypeError)

    run(scenario)


def test_the_server_does_not_answer_the_join(world: World) -> None:
    async def scenario() -> None:
        async with world.client(join_timeout=0.05) as client:
            world.sandbox.faults.mute()
            room = client.realtime.room(world.conversation)
            await client.errors.until(len)
            with pytest.raises(PushTimeout, match="no reply to joining"):
                await joined(room)
            world.sandbox.faults.unmute()
            await done(room.wait_joined())

    run(scenario)


def test_the_latest_reason_counts(world: World) -> None:
    """A refused join, then an outage: not the refusal is in the way."""

    async def scenario() -> None:
        async with world.client(rejoin_delays=(60.0,)) as client:
            world.sandbox.faults.refuse_joins("busy")
            room = client.realtime.room(world.conversation)
            await client.errors.until(len)
            with pytest.raises(JoinError, match="busy"):
                await joined(room)
            world.sandbox.faults.refuse_handshakes(503, 10_000)
            world.sandbox.faults.drop_sockets()
            await client.errors.until(tells_of_503)
            with pytest.raises(PushTimeout, match="503"):
                await joined(room)

    run(scenario)


def test_once_it_works_no_old_reason_is_left(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            world.sandbox.faults.refuse_handshakes(503, 2)
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined(timeout=LIMIT))
            world.sandbox.faults.mute()
            with pytest.raises(PushTimeout) as caught:
                await pushed(room)
            assert "HTTP" not in str(caught.value)
            world.sandbox.faults.unmute()

    run(scenario)
