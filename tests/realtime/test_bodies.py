"""Both bodies against a whole backend, over ws and wss."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import attrs
import pytest

from poolse._realtime.events import UnknownEvent
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import (
    AuthError,
    ChannelClosed,
    ConnectionFailed,
    DecodeError,
    JoinError,
    PushTimeout,
    RealtimeError,
    UsageError,
)
from poolse.testing import Sandbox
from tests.realtime.backend import post
from tests.realtime.flavours import FAST, FLAVOURS, LIMIT, Aio, Flavour, Log, Sync, done, opened
from tests.realtime.kinds import MESSAGE, PING, TYPING, WHO, News


@attrs.frozen
class World:
    """A backend with a conversation of alice and bob, and clients of theirs."""

    sandbox: Sandbox
    flavour: Flavour
    tls: bool
    conversation: str

    @property
    def topic(self) -> str:
        return f"conversation:{self.conversation}"

    def settings(self, **changes: Any) -> RealtimeSettings:
        context = self.sandbox.ssl_context() if self.tls else None
        url = f"{self.sandbox.ws_url}/socket"
        return RealtimeSettings(url=url, ssl_context=context, **{**FAST, **changes})

    def client(self, user: str = "alice", **changes: Any) -> Any:
        return opened(self.flavour, self.settings(**changes), lambda _: self.sandbox.token(user))

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait for the sandbox, and let the event loop run meanwhile."""
        await asyncio.to_thread(self.sandbox.wait_for, predicate, LIMIT)

    def ping(self, text: object) -> None:
        self.sandbox.broadcast(self.topic, "ping", {"text": text})


def make_world(flavour: Flavour, *, tls: bool) -> Iterator[World]:
    with Sandbox(tls=tls) as sandbox:
        sandbox.token("bob")
        body = {"type": "direct", "member_external_ids": ["bob"]}
        yield World(sandbox, flavour, tls, post(sandbox, "/v1/conversations", body)["id"])


@pytest.fixture(params=FLAVOURS, ids=["sync", "async"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from make_world(request.param, tls=False)


@pytest.fixture(
    params=[(flavour, tls) for flavour in FLAVOURS for tls in (False, True)],
    ids=["sync-ws", "sync-wss", "async-ws", "async-wss"],
)
def both_world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from make_world(request.param[0], tls=request.param[1])


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario(), debug=True)


def test_a_conversation(both_world: World) -> None:
    world = both_world

    async def scenario() -> None:
        async with world.client() as alice, world.client("bob") as bob:
            ours = alice.realtime.room(world.conversation)
            messages, typing = Log(), Log()
            off = ours.on(MESSAGE, messages.append)
            ours.on(TYPING, typing.append)
            await done(ours.wait_joined())
            events = ours.events()
            theirs = bob.realtime.room(world.conversation)
            await done(theirs.wait_joined())
            await done(theirs.push("typing"))
            await typing.until(len)
            assert typing.items == [{"user_id": world.sandbox.user_id("bob")}]
            path = f"/v1/conversations/{world.conversation}/messages"
            for number in range(3):
                post(world.sandbox, path, {"body": str(number)}, "bob")
            await messages.until(lambda items: len(items) == 3)
            assert [m["body"] for m in messages.items] == ["0", "1", "2"]
            users = {world.sandbox.user_id("alice"), world.sandbox.user_id("bob")}
            assert set(ours.who) == users
            bodies: list[str] = []
            while len(bodies) < 3:
                bodies += [e["body"] for e in await alice.take(events, 1) if "body" in e]
            assert bodies == ["0", "1", "2"]
            off()
            await done(theirs.leave())
            assert alice.errors.items == bob.errors.items == []

    run(scenario)
    world.sandbox.wait_for(lambda: world.sandbox.sockets == 0)


@pytest.mark.parametrize("code", [None, 1000, 1001, 1011])
def test_it_comes_back_when_the_server_hangs_up(both_world: World, code: int | None) -> None:
    world = both_world

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


def test_an_expired_token_is_replaced(both_world: World) -> None:
    world = both_world

    async def scenario() -> None:
        expired = world.sandbox.token("alice", lifetime=-10)

        def token(stale: str | None) -> str:
            return expired if stale is None else world.sandbox.token("alice")

        async with opened(world.flavour, world.settings(), token) as client:
            await done(client.realtime.room(world.conversation).wait_joined())
            assert client.errors.items == []

    run(scenario)


def test_a_token_that_stays_refused_is_final(both_world: World) -> None:
    world = both_world

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
def test_an_outage_is_tried_again(world: World, status: int) -> None:
    async def scenario() -> None:
        world.sandbox.faults.refuse_handshakes(status, times=3)
        async with world.client() as client:
            await done(client.realtime.room(world.conversation).wait_joined())
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


def test_a_refused_channel_is_tried_once_more(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            world.sandbox.faults.refuse_joins("unauthorized", times=1)
            await done(client.realtime.room(world.conversation).wait_joined())
            world.sandbox.faults.refuse_joins("unauthorized", times=2)
            world.sandbox.token("carol")
            other = client.realtime.room("00000000-0000-4000-8000-000000000000")
            with pytest.raises(JoinError) as caught:
                await done(other.wait_joined())
            assert caught.value.reason == "unauthorized"
            assert caught.value.topic == other.topic

    run(scenario)


def test_a_refusal_is_named_when_the_wait_is_over(world: World) -> None:
    async def scenario() -> None:
        async with world.client(rejoin_delays=(60.0,)) as client:
            world.sandbox.faults.refuse_joins("busy", times=1)
            room = client.realtime.room(world.conversation)
            await client.errors.until(len)
            with pytest.raises(JoinError, match="busy"):
                await done(room.wait_joined(timeout=0.01))

    run(scenario)


def test_a_crashed_channel_comes_back(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            got = Log()
            room.on(PING, got.append)
            await done(room.wait_joined())
            world.sandbox.faults.crash(world.topic)
            await client.errors.until(len)
            await world.until(lambda: len(world.sandbox.joins) == 2)
            world.ping("back")
            await got.until(len)
            assert client.realtime.status == "connected"

    run(scenario)


def test_a_channel_that_the_server_closed_is_over(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            events = room.events()
            world.sandbox.faults.close_channel(world.topic)
            with pytest.raises(ChannelClosed, match="server closed"):
                while True:
                    await client.take(events, 1)
            with pytest.raises(ChannelClosed, match="server closed"):
                await done(room.wait_joined())
            again = client.realtime.room(world.conversation)
            assert again is not room
            await done(again.wait_joined())

    run(scenario)


def test_a_half_open_link_is_noticed(both_world: World) -> None:
    world = both_world

    async def scenario() -> None:
        times = {"heartbeat_interval": 0.1, "heartbeat_timeout": 0.5, "close_timeout": 0.1}
        async with world.client(**times) as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            world.sandbox.faults.mute()
            await client.errors.until(len)
            assert "heartbeat" in str(client.errors.items[0])
            world.sandbox.faults.unmute()
            await done(room.wait_joined())

    run(scenario)


def test_heartbeats_keep_the_link(world: World) -> None:
    async def scenario() -> None:
        async with world.client(heartbeat_interval=0.05) as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            got = Log()
            room.on(PING, got.append)
            for number in range(20):
                world.ping(str(number))
                await got.until(lambda items, n=number: len(items) == n + 1)
                await asyncio.sleep(0.02)
            assert client.errors.items == []
            assert len(world.sandbox.handshakes) == 1

    run(scenario)


def test_unknown_and_broken_events(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            events = room.events(timeout=LIMIT)
            world.sandbox.broadcast(world.topic, "brand:new", {"a": 1})
            world.ping(7)
            world.ping("good")
            found: list[Any] = []
            while News("good") not in found:
                found += await client.take(events, 1)
            assert UnknownEvent("brand:new", {"a": 1}) in found
            await client.errors.until(len)
            assert [type(error) for error in client.errors.items] == [DecodeError]

    run(scenario)


def test_an_iterator_ends_after_silence_and_can_go_on(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            events = room.events(timeout=0.2)
            await client.take(events, 100)
            assert await client.take(events, 1) == []
            world.ping("late")
            assert await client.take(room.events(timeout=0.01), 1) != [News("late")]
            assert await client.take(events, 1) == [News("late")]

    run(scenario)


def test_a_raising_callback_stops_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            got = Log()

            def fail(_: object) -> None:
                raise ZeroDivisionError

            room.on(PING, fail)
            room.on(PING, got.append)
            await done(room.wait_joined())
            for text in "ab":
                world.ping(text)
            await got.until(lambda items: len(items) == 2)
            await client.errors.until(lambda items: len(items) == 2)
            assert [type(error) for error in client.errors.items] == [RealtimeError] * 2
            assert isinstance(client.errors.items[0].__cause__, ZeroDivisionError)
            assert client.realtime.status == "connected"

    run(scenario)
    records = [record for record in caplog.records if record.name == "poolse"]
    assert len(records) == 2
    assert all(record.exc_info for record in records)


def test_callbacks_may_use_everything(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            called, seen, closed = Log(), Log(), Log()

            def more(_: object) -> object:
                room.on(PING, seen.append)
                off()
                called.append("more")
                return room.push("typing")

            def end(_: object) -> object:
                closed.append("closing")
                return client.close() if world.flavour is Aio else client.realtime.close()

            off = room.on(PING, more)
            await done(room.wait_joined())
            world.ping("a")
            await called.until(len)
            world.ping("b")
            await seen.until(len)
            room.on(PING, end)
            world.ping("c")
            await closed.until(len)
            await client.close()
            assert client.realtime.status == "closed"

    run(scenario)


def test_leave_and_come_again(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            assert client.realtime.room(world.conversation) is room
            await done(room.wait_joined())
            got = Log()
            room.on(PING, got.append)
            await done(room.leave())
            world.ping("one claim left")
            await got.until(len)
            events = room.events()
            await done(client.realtime.leave(world.conversation))
            world.ping("nobody is there")
            assert News("nobody is there") not in await client.take(events, 100)
            with pytest.raises(ChannelClosed):
                await done(room.wait_joined())
            with pytest.raises(ChannelClosed):
                await done(room.push("typing"))
            again = client.realtime.room(world.conversation)
            await done(again.wait_joined())
            assert len(world.sandbox.joins) == 2
            await done(again.leave())
            await done(again.leave())

    run(scenario)


def test_disconnect_and_connect(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            await done(client.realtime.connect())
            await world.until(lambda: world.sandbox.sockets == 1)
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            await done(client.realtime.disconnect())
            assert client.realtime.status == "closed"
            await world.until(lambda: world.sandbox.sockets == 0)
            with pytest.raises(ChannelClosed, match="disconnected"):
                await done(room.wait_joined())
            await done(client.realtime.connect())
            await done(room.wait_joined())
            assert client.errors.items == []

    run(scenario)


def test_many_channels_take_several_sockets(world: World) -> None:
    async def scenario() -> None:
        body = {"type": "group"}
        ids = [post(world.sandbox, "/v1/conversations", body)["id"] for _ in range(7)]
        async with world.client(channels_per_socket=3, joins_at_once=2) as client:
            rooms = [client.realtime.room(id_) for id_ in ids]
            for room in rooms:
                await done(room.wait_joined())
            assert world.sandbox.sockets == 3
            assert client.realtime.status == "connected"

    run(scenario)


def test_after_close_everything_says_so(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            events = room.events()
            await client.close()
            await client.close()
            assert all(not isinstance(e, News) for e in await client.take(events, 100))
            with pytest.raises(ChannelClosed):
                await done(room.wait_joined())
            with pytest.raises(UsageError, match="closed"):
                client.realtime.room(world.conversation)
            with pytest.raises(UsageError, match="closed"):
                await done(client.realtime.connect())
            assert client.realtime.status == "closed"

    run(scenario)
    world.sandbox.wait_for(lambda: world.sandbox.sockets == 0)


def test_contexts_join_and_leave(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            if isinstance(client, Sync):
                with room as live:
                    assert live is room
                    assert live.who is not None
            else:
                async with room as live:
                    assert live is room
            assert repr(room).endswith("left>")
            world.sandbox.faults.refuse_joins("forbidden", times=2)
            room = client.realtime.room(world.conversation)
            with pytest.raises(JoinError, match="forbidden"):
                if isinstance(client, Sync):
                    room.__enter__()
                else:
                    await room.__aenter__()

    run(scenario)


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
            await client.errors.until(lambda items: len(items) == 2)
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
