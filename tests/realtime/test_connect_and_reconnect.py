"""How both bodies open their socket, lose it, and come back."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from itertools import pairwise
from typing import Any

import pytest

from poolse._realtime.settings import RealtimeSettings
from poolse.errors import (
    AuthError,
    ConnectionFailed,
)
from poolse.testing import Sandbox
from tests.realtime.channel_types import PING, News
from tests.realtime.hostile_servers import server
from tests.realtime.real_backend import World, run
from tests.realtime.sync_and_async import (
    FAST,
    FLAVOURS,
    AsyncRooms,
    Flavour,
    Log,
    Sync,
    SyncRooms,
    done,
    opened,
)


@pytest.mark.parametrize("code", [None, 1000, 1001, 1002, 1008, 1011, 4000])
def test_it_comes_back_when_the_server_hangs_up(world: World, code: int | None) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            statuses = Log()
            client.realtime.on_status(statuses.append)
            room = client.realtime.room(world.conversation)
            got = Log()
            room.on(PING, got.append)
            await done(room.wait_joined())
            world.sandbox.faults.drop_sockets(code)
            await client.errors.until(len)
            await world.until(lambda: len(world.sandbox.joins) == 2)
            world.ping("again")
            await got.until(len)
            assert got.items == [News("again")]
            assert statuses.items == ["connecting", "connected", "reconnecting", "connected"]
            (error,) = client.errors.items
            assert isinstance(error, ConnectionFailed)
            assert error.code == (code or 1006)
            assert not error.final

    run(scenario)


def test_every_attempt_asks_for_a_token(world: World) -> None:
    async def scenario() -> None:
        asked: list[str | None] = []

        def token(stale: str | None) -> str:
            asked.append(stale)
            return world.sandbox.token("alice")

        async with opened(world.flavour, world.settings(), token) as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            world.sandbox.faults.drop_sockets()
            await world.until(lambda: len(world.sandbox.joins) == 2)
            assert asked == [None, None]

    run(scenario)


def test_an_expired_token_is_replaced(world: World) -> None:
    async def scenario() -> None:
        expired = world.sandbox.token("alice", lifetime=-10)

        def token(stale: str | None) -> str:
            return expired if stale is None else world.sandbox.token("alice")

        async with opened(world.flavour, world.settings(), token) as client:
            await done(client.realtime.room(world.conversation).wait_joined())
            assert client.errors.items == []
        refused, accepted = world.sandbox.handshakes
        assert expired in refused.path
        assert expired not in accepted.path

    run(scenario)


def test_a_token_that_stays_refused_is_final(world: World) -> None:
    async def scenario() -> None:
        expired = world.sandbox.token("alice", lifetime=-10)
        stale: list[str | None] = []

        def token(refused: str | None) -> str:
            stale.append(refused)
            return expired

        async with opened(world.flavour, world.settings(), token) as client:
            room = client.realtime.room(world.conversation)
            events = room.events()
            with pytest.raises(AuthError) as caught:
                await done(room.wait_joined())
            assert caught.value.status == 403
            assert expired not in str(caught.value) + repr(client.realtime) + repr(room)
            with pytest.raises(AuthError):
                await client.take(events, 1)
            assert client.realtime.status == "closed"
            assert stale == [None, expired]
            await client.errors.until(len)
        assert len(world.sandbox.handshakes) == 2

    run(scenario)


@pytest.mark.parametrize("status", [400, 404, 302])
def test_what_time_does_not_heal_is_final(world: World, status: int) -> None:
    async def scenario() -> None:
        world.sandbox.faults.refuse_handshakes(status, times=5)
        async with world.client() as client:
            with pytest.raises(ConnectionFailed, match=f"HTTP {status}") as caught:
                await done(client.realtime.room(world.conversation).wait_joined())
            assert caught.value.final
            assert caught.value.code == status
        assert len(world.sandbox.handshakes) == 1

    run(scenario)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_outage_is_retried(world: World, status: int) -> None:
    async def scenario() -> None:
        world.sandbox.faults.refuse_handshakes(status, times=3)
        async with world.client() as client:
            await done(client.realtime.room(world.conversation).wait_joined())
            await client.errors.reach(3)
            assert [error.code for error in client.errors.items] == [status] * 3

    run(scenario)


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
def test_a_certificate_that_is_not_trusted_is_final(flavour: Flavour) -> None:
    async def scenario() -> None:
        with Sandbox(tls=True) as sandbox:
            settings = RealtimeSettings(url=f"{sandbox.ws_url}/socket", **FAST)
            async with opened(flavour, settings, lambda _: sandbox.token("alice")) as client:
                with pytest.raises(ConnectionFailed, match="certificate") as caught:
                    await done(client.realtime.room("x").wait_joined())
                assert caught.value.final

    run(scenario)


def test_a_token_that_cannot_be_had_is_asked_for_again(world: World) -> None:
    async def scenario() -> None:
        answers = iter([ZeroDivisionError("secret"), ZeroDivisionError("secret")])

        def token(_: str | None) -> str:
            for error in answers:
                raise error
            return world.sandbox.token("alice")

        async with opened(world.flavour, world.settings(), token) as client:
            await done(client.realtime.room(world.conversation).wait_joined())
            assert [type(e.__cause__) for e in client.errors.items] == [ZeroDivisionError] * 2
            assert "secret" not in str(client.errors.items[0])

    run(scenario)


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
def test_connect_in_an_error_handler_is_no_hot_loop(
    flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "random", lambda: 1.0)
    knocks = Log()

    def busy(connection: socket.socket) -> None:
        connection.recv(65536)
        knocks.append(time.monotonic())
        connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")

    async def scenario(url: str) -> None:
        changes: dict[str, Any] = {**FAST, "reconnect_delays": (0.2,) * 20}
        settings = RealtimeSettings(url=url, **changes)

        async def token(_: str | None) -> str:
            return "secret"

        def again(_: object) -> Any:
            return realtime.connect()

        realtime: Any = (
            SyncRooms(settings, lambda _: "secret", again)
            if flavour is Sync
            else AsyncRooms(settings, token, again)
        )
        try:
            await done(realtime.connect())
            times = await knocks.until(lambda found: len(found) >= 4)
            assert all(later - earlier >= 0.19 for earlier, later in pairwise(times))
        finally:
            await done(realtime.close() if flavour is Sync else realtime.aclose())

    with server(busy) as url:
        asyncio.run(scenario(url))


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
def test_nobody_waits_a_day(flavour: Flavour) -> None:
    knocks = Log()

    def busy(connection: socket.socket) -> None:
        connection.recv(65536)
        knocks.append(time.monotonic())
        connection.sendall(b"HTTP/1.1 503 Busy\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n")

    async def scenario(url: str) -> None:
        changes: dict[str, Any] = {**FAST, "max_retry_after": 0.2}
        settings = RealtimeSettings(url=url, **changes)
        async with opened(flavour, settings, lambda _: "secret") as client:
            await done(client.realtime.connect())
            first, second = (await knocks.until(lambda found: len(found) >= 2))[:2]
            assert second - first >= 0.19
            (error, *_) = await client.errors.until(len)
            assert "asked for 86400 s" in str(error)

    with server(busy) as url:
        asyncio.run(scenario(url))
