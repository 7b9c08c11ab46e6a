"""A thousand conversations: on as many sockets as they need, all killed, all back, no storm."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from poolse import MessageNew
from poolse._realtime.settings import RealtimeSettings
from poolse.testing import Sandbox
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import run
from tests.realtime.sync_and_async import FLAVOURS, Flavour, Log, done
from tests.realtime.typed_clients import chat
from tests.sandbox.raw_clients import User

MANY = 1000
SOCKETS = -(-MANY // RealtimeSettings(url="").channels_per_socket)
PATIENCE = 60.0
"""Seconds that a busy machine may take for all of them."""


@attrs.frozen
class Crowd:
    """A backend in which alice is a member of many conversations."""

    sandbox: Sandbox
    ids: list[str]


@pytest.fixture(scope="module", params=[False, True], ids=["ws", "wss"])
def crowd(request: pytest.FixtureRequest) -> Iterator[Crowd]:
    with Sandbox(tls=request.param) as sandbox:
        alice = User(sandbox, "alice", tls=request.param)
        ids = [alice.conversation() for _ in range(MANY)]
        alice.close()
        yield Crowd(sandbox, ids)


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
def test_all_come_back_and_each_joins_once(crowd: Crowd, flavour: Flavour) -> None:
    sandbox = crowd.sandbox
    handshakes, joins = len(sandbox.handshakes), len(sandbox.joins)

    async def all_joined(times: int) -> None:
        """Each conversation exactly so often, on so many handshakes, and no socket more."""
        total = joins + times * MANY
        await asyncio.to_thread(sandbox.wait_for, lambda: len(sandbox.joins) >= total, PATIENCE)
        counted = Counter(sandbox.joins[joins:])
        assert counted == {f"conversation:{id_}": times for id_ in crowd.ids}
        assert len(sandbox.handshakes) - handshakes == times * SOCKETS
        assert sandbox.sockets == SOCKETS

    async def scenario() -> None:
        errors, messages = Log(), Log()
        async with chat(flavour, sandbox, "alice", on_socket_error=errors.append) as client:
            rooms: list[Any] = [client.realtime.conversation(id_) for id_ in crowd.ids]
            for room in rooms:
                room.on_message(messages.append)
                await done(room.wait_joined(timeout=PATIENCE))
            await all_joined(1)
            await asyncio.to_thread(sandbox.faults.drop_sockets)
            await all_joined(2)
            for room in rooms:
                await done(room.wait_joined(timeout=PATIENCE))
            for id_ in (crowd.ids[0], crowd.ids[-1]):
                path = f"/v1/conversations/{id_}/messages"
                await asyncio.to_thread(post, sandbox, path, {"body": "hello"})
            await messages.reach(2)
            assert all(isinstance(message, MessageNew) for message in messages.items)
            assert len(errors.items) == SOCKETS, "one for each socket that was lost"
            assert client.realtime.status == "connected"

    run(scenario)
    sandbox.wait_for(lambda: sandbox.sockets == 0, PATIENCE)
