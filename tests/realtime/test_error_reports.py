"""What both bodies tell, and to whom."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from poolse._realtime.reconnect_policy import Policy
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import (
    ChannelClosed,
    PushTimeout,
)
from poolse.testing import Sandbox
from tests.realtime.channel_types import WHO
from tests.realtime.hostile_servers import BOTH, client, read_until_closed, server, upgrade
from tests.realtime.real_backend import World, run
from tests.realtime.sync_and_async import FAST, LIMIT, Flavour, Log, Sync, done


def test_the_origin_and_the_token_stay_where_they_belong(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)

    async def scenario() -> None:
        async with world.client(headers={"User-Agent": "test/1", "X-Mine": "1"}) as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            world.sandbox.faults.refuse_handshakes(500)
            world.sandbox.faults.drop_sockets()
            await client.errors.reach(2)
            await done(room.wait_joined())
            texts = [repr(client.realtime), repr(room), *map(str, client.errors.items)]
            texts += [repr(error.__cause__) for error in client.errors.items]
            assert not [text for text in texts if "token=" in text]

    run(scenario)
    handshake = world.sandbox.handshakes[0]
    assert "origin" not in handshake.headers
    assert handshake.headers["user-agent"] == "test/1"
    assert handshake.headers["x-mine"] == "1"
    assert "sec-websocket-extensions" not in handshake.headers
    secret = handshake.path.partition("token=")[2].partition("&")[0]
    ours = [r for r in caplog.records if not r.name.startswith(("uvicorn", "websockets.server"))]
    assert not [record for record in ours if secret in record.getMessage()]


@BOTH
def test_a_token_that_is_a_subprotocol_is_in_no_url(flavour: Flavour) -> None:
    requests: list[str] = []

    def handle(connection: socket.socket) -> None:
        requests.append(upgrade(connection))
        read_until_closed(connection)

    async def scenario(url: str) -> None:
        async with client(flavour, url, policy=Policy(token_in_url=False)) as rooms:
            connected = Log()
            rooms.realtime.on_status(connected.append)
            await done(rooms.realtime.connect())
            await connected.until(lambda items: "connected" in items)

    with server(handle) as url:
        asyncio.run(scenario(url))
    line, *headers = requests[0].split("\r\n")
    assert line == "GET /socket/websocket?vsn=2.0.0 HTTP/1.1"
    (offered,) = [text for text in headers if text.startswith("Sec-WebSocket-Protocol: ")]
    assert offered.replace(" ", "").endswith(":phoenix,base64url.bearer.phx.c2VjcmV0")


def test_nobody_answers_in_time(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            world.sandbox.faults.mute()
            room = client.realtime.room(world.conversation)
            with pytest.raises(PushTimeout, match="not joined"):
                await done(room.wait_joined(timeout=0.1))
            world.sandbox.faults.unmute()
            await done(room.wait_joined())

    run(scenario)


def test_on_presence_state_comes_late_but_comes(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            first, second = Log(), Log()
            room.on(WHO, first.append)
            await first.until(len)
            room.on(WHO, second.append)
            await second.until(len)
            assert set(second.items[0]) == {world.sandbox.user_id("alice")}

    run(scenario)


def test_waiters_are_woken_by_close() -> None:
    with Sandbox() as sandbox:
        settings = RealtimeSettings(url=f"{sandbox.ws_url}/socket", close_timeout=0.1, **FAST)
        client = Sync(settings, lambda _: sandbox.token("alice"))
        sandbox.faults.mute()
        room = client.realtime.room("x")
        outcomes = Log()

        def wait() -> None:
            try:
                room.wait_joined(None)
            except ChannelClosed as error:
                outcomes.append(error)

        def iterate() -> None:
            outcomes.append(list(room.events()))

        threads = [threading.Thread(target=target) for target in (wait, iterate) for _ in range(3)]
        for thread in threads:
            thread.start()
        sandbox.wait_for(lambda: sandbox.sockets == 1)
        client.realtime.close()
        for thread in threads:
            thread.join(LIMIT)
        assert len(outcomes.items) == 6
