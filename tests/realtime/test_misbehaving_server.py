"""Both bodies against a server that does what Phoenix would not do, over ws and wss."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import time
from typing import Any

import pytest

from poolse.errors import ConnectionFailed, DecodeError, JoinError
from poolse.testing import Sandbox
from tests.realtime.channel_types import PING, News
from tests.realtime.hostile_servers import client, server, upgrade
from tests.realtime.raw_rest import post
from tests.realtime.real_backend import World, run
from tests.realtime.scripted_server import phoenix
from tests.realtime.sync_and_async import FLAVOURS, LIMIT, Flavour, Log, Sync, done
from tests.realtime.typed_clients import chat

EVERYWHERE = [
    pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"]),
    pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"]),
]
NONSENSE: list[object] = [
    "",
    "{}",
    "[1,2]",
    "not json",
    "[" * 5000,
    '["1","2","conversation:x",7,{}]',
    b"",
    b"\x07\x01",
    b"\x02\xff\xff",
    b"\xff\xfe\xfd",
]


def everywhere(test: Any) -> Any:
    for mark in EVERYWHERE:
        test = mark(test)
    return test


@everywhere
def test_frames_that_make_no_sense_are_counted_and_cost_nothing(
    flavour: Flavour, tls: bool
) -> None:
    async def scenario() -> None:
        with phoenix(lambda _: [], tls) as peer:
            async with peer.client(flavour) as rooms:
                room, got = rooms.realtime.room("x"), Log()
                room.on(PING, got.append)
                await done(room.wait_joined())
                peer.say(*NONSENSE, [None, None, room.topic, "ping", {"text": "fine"}])
                await got.until(len)
                await rooms.errors.reach(len(NONSENSE))
                assert got.items == [News("fine")]
                assert {type(error) for error in rooms.errors.items} == {DecodeError}
                assert len(peer.opened.items) == 1

    run(scenario)


@everywhere
def test_pongs_are_no_heartbeats(flavour: Flavour, tls: bool) -> None:
    async def scenario() -> None:
        with phoenix(lambda _: [], tls, heart=False) as peer:
            times = {"heartbeat_interval": 0.05, "heartbeat_timeout": 0.3, "close_timeout": 0.1}
            async with peer.client(flavour, **times) as rooms:
                await done(rooms.realtime.connect())
                (error, *_) = await rooms.errors.until(len)
                assert "heartbeat" in str(error)
                await peer.opened.reach(2)

    run(scenario)


@pytest.mark.usefixtures("either_wire")
@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
def test_a_close_without_a_code_is_no_goodbye(flavour: Flavour) -> None:
    connections = Log()

    def hang_up(connection: socket.socket) -> None:
        upgrade(connection)
        connections.append(connection)
        if len(connections.items) == 1:
            connection.sendall(b"\x88\x00")
        while connection.recv(65536):
            pass

    async def scenario(url: str) -> None:
        async with client(flavour, url, close_timeout=0.1) as rooms:
            await done(rooms.realtime.connect())
            await connections.reach(2)
            (error,) = await rooms.errors.until(len)
            assert isinstance(error, ConnectionFailed)
            assert error.code == 1005

    with server(hang_up) as url:
        asyncio.run(scenario(url))


@pytest.mark.usefixtures("either_wire")
@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
@pytest.mark.parametrize("status", [b"429 Too Many", b"503 Busy"])
def test_the_server_may_ask_for_time(flavour: Flavour, status: bytes) -> None:
    knocks = Log()

    def busy(connection: socket.socket) -> None:
        connection.recv(65536)
        knocks.append(time.monotonic())
        connection.sendall(
            b"HTTP/1.1 " + status + b"\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
            b"Connection: close\r\n\r\n"
        )

    async def scenario(url: str) -> None:
        async with client(flavour, url) as rooms:
            await done(rooms.realtime.connect())
            first, second = (await knocks.until(lambda found: len(found) >= 2))[:2]
            assert second - first >= 1

    with server(busy) as url:
        asyncio.run(scenario(url))


@everywhere
def test_the_101st_channel_of_a_socket_is_refused_in_words(flavour: Flavour, tls: bool) -> None:
    async def scenario() -> None:
        with Sandbox(tls=tls) as sandbox:
            group = {"type": "group"}
            ids = [post(sandbox, "/v1/conversations", group)["id"] for _ in range(101)]
            async with chat(flavour, sandbox, "alice", channels_per_socket=200) as alice:
                rooms = [alice.realtime.conversation(id_) for id_ in ids]
                for room in rooms[:100]:
                    await done(room.wait_joined(timeout=LIMIT))
                with pytest.raises(JoinError, match="too many channels joined"):
                    await done(rooms[100].wait_joined(timeout=1))
                # There is room as soon as another one is left.
                await done(rooms[0].leave())
                await done(rooms[100].wait_joined(timeout=LIMIT))

    run(scenario)


def test_twenty_ups_and_downs_in_any_order_leave_one_socket(world: World) -> None:
    source = random.Random(4)

    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            for _ in range(20):
                match source.choice(["connect", "disconnect", "drop", "close"]):
                    case "connect":
                        await done(client.realtime.connect())
                    case "disconnect":
                        await done(client.realtime.disconnect())
                    case "drop":
                        world.sandbox.faults.drop_sockets()
                    case _:
                        world.sandbox.faults.drop_sockets(1000)
            await done(client.realtime.connect())
            await done(room.wait_joined())
            await world.until(lambda: world.sandbox.sockets == 1)
            names = [t.name for t in threading.enumerate() if t.name == "poolse-socket"]
            tasks = [t.get_name() for t in asyncio.all_tasks()]
            carriers = [name for name in tasks if name.startswith("poolse-transport")]
            assert (len(names), len(carriers)) == ((1, 0) if world.flavour is Sync else (0, 1))

    run(scenario)


def test_half_a_second_of_frames_in_pieces(world: World) -> None:
    """Many at once and each in order: what a busy conversation is."""

    async def scenario() -> None:
        async with world.client() as client:
            room, got = client.realtime.room(world.conversation), Log()
            room.on(PING, got.append)
            await done(room.wait_joined())
            for number in range(500):
                world.ping(str(number))
            await got.reach(500)
            assert got.items == [News(str(number)) for number in range(500)]
            assert client.realtime.dropped == 0

    run(scenario)
