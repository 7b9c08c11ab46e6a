"""Sockets are closed when their channels are gone; one is kept for the next channel."""

from __future__ import annotations

import attrs
import orjson
import pytest

from poolse._realtime.client import client_of
from poolse._realtime.effects import Close, Send
from poolse._realtime.frames import Frame, decode
from poolse._realtime.settings import RealtimeSettings
from tests.realtime.channel_types import NEWS, News
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import World, run
from tests.realtime.sync_and_async import done
from tests.realtime.virtual_client import World as HubWorld
from tests.realtime.virtual_socket import OK


@pytest.fixture
def hub_world() -> HubWorld:
    return HubWorld(RealtimeSettings(url="ws://h", channels_per_socket=2))


@pytest.mark.parametrize("connected", [False, True])
def test_only_one_is_kept_when_all_have_left(hub_world: HubWorld, connected: bool) -> None:
    world = hub_world
    if connected:
        world.client.connect()
    rooms = [world.joined(str(number)) for number in range(9)]
    assert world.client.stats().sockets == 5
    for room in rooms:
        world.client.release(room.reference)
    world.serve()
    stats = world.client.stats()
    assert (stats.sockets, stats.channels, stats.status) == (1, 0, "connected")
    assert sum(socket.is_over for socket in world.sockets) == 4
    assert world.joined("again").subscription.joined
    assert len(world.sockets) == 5, "no new one was needed"


def test_an_empty_one_is_told_to_close_once_the_server_knows(hub_world: HubWorld) -> None:
    world = hub_world
    rooms = [world.joined(str(number)) for number in range(3)]
    last = world.sockets[1]
    world.client.release(rooms[2].reference)
    assert not last.is_over, "the leave is not answered yet"
    (leave,) = [decode(c.data) for c in last.take_commands() if isinstance(c, Send)]
    frame = Frame(leave.join_ref, leave.ref, leave.topic, "phx_reply", OK)
    world.client.receive(last, 1, orjson.dumps(list(attrs.astuple(frame))))
    assert last.is_over
    (close,) = last.take_commands()
    assert isinstance(close, Close)
    assert rooms[0].subscription.joined


def test_counters_and_numbers_survive_it(hub_world: HubWorld) -> None:
    world = hub_world
    rooms = [world.joined(str(number)) for number in range(3)]
    socket = world.sockets[1]
    with world.client.step(socket) as now:
        socket.connection.closed(1, 1006, now)
    world.advance(5)
    world.serve()
    assert world.client.stats().reconnects == 1
    world.client.release(rooms[2].reference)
    world.serve()
    assert world.client.stats().reconnects == 1
    more = [world.joined(f"more {number}") for number in range(3)]
    assert [socket.number for socket in world.sockets] == [1, 2, 3, 4]
    got: list[News] = []
    world.client.subscribe(more[2].reference, NEWS, got.append)
    world.news(topic="room:more 2")
    world.call()
    assert got == [News("hi")]


def test_sockets_threads_and_tasks_are_gone(world: World) -> None:
    """In the bodies; the guard of all tests looks for what is left when the client is closed."""
    sandbox = world.sandbox
    ids = [post(sandbox, "/v1/conversations", {"type": "group"})["id"] for _ in range(6)]

    async def scenario() -> None:
        async with world.client(channels_per_socket=2) as client:
            for turn in range(2):
                rooms = [client.realtime.room(id_) for id_ in ids]
                for room in rooms:
                    await done(room.wait_joined())
                await world.until(lambda: sandbox.sockets == 3)
                for room in rooms[1:]:
                    await done(room.leave())
                await world.until(lambda: sandbox.sockets == 1)
                await done(rooms[0].leave())
                assert client.realtime.status == "connected", turn
                assert client_of(client.realtime).stats().sockets == 1

    run(scenario)
    sandbox.wait_for(lambda: sandbox.sockets == 0)
