"""What is final: a refusal before the first success, and afterwards only one that lasts."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl

import attrs
import pytest
import trustme

from poolse._realtime.effects import Ended, Failed, Failure, Open
from poolse._realtime.reconnect_policy import FinalAfter, Policy
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import AuthError, ConnectionFailed, JoinError, PoolseError
from tests.realtime.hostile_servers import TLS, Tls, read_until_closed, upgrade
from tests.realtime.hostile_servers import server as hostile_server
from tests.realtime.real_backend import World, run
from tests.realtime.sync_and_async import FAST, FLAVOURS, Flavour, Log, done, opened
from tests.realtime.virtual_client import World as HubWorld
from tests.realtime.virtual_socket import Bench, fixed, refusal, reply

REFUSALS = [302, 400, 401, 403, 404, 426, "certificate"]
LASTING = Policy().lasting or FinalAfter(0, 0.0)


def refuse(bench: Bench, how: object) -> None:
    if how == "certificate":
        failure = Failure(reason="the certificate is not trusted", final=True)
        bench.socket.failed(bench.generation, failure, bench.now)
    else:
        bench.fail(how)  # type: ignore[arg-type]


def connected_once(seed: int | None = None) -> Bench:
    """A client that has lost its connection and is about to open the next one."""
    bench = Bench(random=fixed() if seed is None else random.Random(seed).random)
    bench.connect()
    bench.advance(20)
    bench.drop()
    bench.advance(10)
    bench.drain()
    bench.effects(Failed)
    bench.troubles()
    return bench


@pytest.mark.parametrize("how", REFUSALS)
def test_one_refusal_after_a_success_is_reported_and_retried(how: object) -> None:
    bench = connected_once()
    for _ in range(4):
        refuse(bench, how)
        assert bench.socket.failure is None
        assert bench.socket.connection.status == "reconnecting"
        assert bench.troubles() == ["ConnectionFailed"], "each one is told"
        bench.advance(31)
        (again,) = bench.drain()
        assert again == Open(bench.generation, refresh=how in (401, 403))
    bench.open()
    assert bench.socket.connection.status == "connected"


@pytest.mark.parametrize("how", REFUSALS)
@pytest.mark.parametrize("seed", range(5))
def test_what_lasts_is_final(how: object, seed: int) -> None:
    bench = connected_once(seed)
    first, count = bench.now, 0
    while bench.socket.failure is None:
        refuse(bench, how)
        count += 1
        if bench.socket.failure is None:
            deadline = bench.socket.next_deadline()
            assert deadline is not None
            assert bench.now < deadline <= bench.now + 31
            bench.advance(deadline - bench.now)
            assert count < 1000
    assert count >= LASTING.times
    assert LASTING.seconds <= bench.now - first <= LASTING.seconds + 31
    expected = AuthError if how in (401, 403) else ConnectionFailed
    assert isinstance(bench.socket.failure, expected)
    assert getattr(bench.socket.failure, "final", True)
    assert bench.socket.connection.status == "closed"


def test_a_success_in_between_starts_the_count_over() -> None:
    bench = connected_once()
    for _ in range(5):
        for _ in range(LASTING.times - 1):
            bench.fail(404)
            bench.advance(100)
        bench.open()
        bench.drop()
        bench.advance(100)
    assert bench.socket.failure is None


def test_there_is_a_pause_and_a_refresh_between_two_refusals_of_a_token() -> None:
    for bench in (Bench(random=fixed(0.0)), connected_once(0)):
        bench.random = fixed(0.0)
        bench.socket.connect(bench.now)
        bench.drain()
        bench.fail(403)
        refused = bench.now
        assert bench.drain() == []
        bench.advance(40)
        (again,) = bench.drain()
        assert again == Open(bench.generation, refresh=True)
        assert bench.opens()[-1] - refused >= 0.5


def test_a_further_socket_is_not_the_first_to_succeed() -> None:
    world = HubWorld(RealtimeSettings(url="ws://h", channels_per_socket=1))
    assert world.joined("1").subscription.joined
    world.room("2")
    second = world.sockets[1]
    second.take_commands()
    with world.client.step(second) as now:
        second.connection.failed(1, Failure(reason="x", status=404), now)
    assert second.failure is None
    world.advance(5)
    world.serve()
    assert world.room("2").subscription.joined


def test_who_connects_again_is_refused_at_once_no_more() -> None:
    """A new `connect` after the end is a new try, as patient as before."""
    bench = connected_once()
    while bench.socket.failure is None:
        bench.fail(403)
        bench.advance(31)
    bench.socket.connect(bench.now)
    bench.advance(40)
    bench.fail(403)
    assert bench.socket.failure is None


# Joins.


def rejoining(bench: Bench) -> None:
    join = bench.joined()
    bench.receive_data(b'["%s","%s","t:1","phx_error",{}]' % ((str(join.ref).encode(),) * 2))
    bench.troubles()


@pytest.mark.parametrize("reason", sorted(Policy().terminal_reasons))
def test_a_channel_that_was_joined_is_not_given_up_for_two_refusals(reason: str) -> None:
    bench = Bench()
    bench.connect()
    rejoining(bench)
    start = bench.now
    count = 0
    ended: list[Ended] = []
    while not ended:
        bench.advance(10)
        (join,) = bench.sent()
        bench.receive(reply(join, refusal(reason)))
        count += 1
        ended = bench.effects(Ended)
        if count == 5:
            assert not ended
            assert bench.troubles() == ["JoinError"] * 5
    assert count >= LASTING.times
    assert bench.now - start >= LASTING.seconds
    assert isinstance(ended[0].error, JoinError)


def test_a_channel_is_joined_again_after_a_deploy_that_refused_it() -> None:
    bench = Bench()
    bench.connect()
    rejoining(bench)
    for _ in range(4):
        bench.advance(10)
        (join,) = bench.sent()
        bench.receive(reply(join, refusal("unauthorized")))
    bench.advance(10)
    (join,) = bench.sent()
    bench.receive(reply(join))
    assert bench.effects(Ended) == []
    assert bench.events() == []
    bench.receive_data(b'[null,null,"t:1","news",{}]')
    assert bench.events() == ["news"]


# Both clients.


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404])
def test_a_deploy_that_refuses_for_a_moment(world: World, status: int) -> None:
    async def scenario() -> None:
        async with world.client() as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            world.sandbox.faults.refuse_handshakes(status, times=3)
            world.sandbox.faults.drop_sockets()
            await world.until(lambda: len(world.sandbox.joins) == 2)
            await client.errors.reach(4)
            lost, *refused = client.errors.items
            assert lost.code == 1006
            assert [(type(e), e.code, e.final) for e in refused] == [
                (ConnectionFailed, status, False)
            ] * 3
            await done(room.wait_joined())
            assert client.realtime.status == "connected"

    run(scenario)


@pytest.mark.parametrize("status", [403, 404])
def test_what_lasts_ends_it_for_those_who_wait(world: World, status: int) -> None:
    async def scenario() -> None:
        policy = attrs.evolve(FAST["policy"], lasting=FinalAfter(4, 0.05))
        async with world.client(policy=policy) as client:
            room = client.realtime.room(world.conversation)
            await done(room.wait_joined())
            events = room.events()
            world.sandbox.faults.refuse_handshakes(status, times=1000)
            world.sandbox.faults.drop_sockets()
            expected = AuthError if status == 403 else ConnectionFailed
            with pytest.raises(expected):
                await client.take(events, 100)
            assert client.realtime.status == "closed"
            world.sandbox.faults.clear()

    run(scenario)


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
def test_a_wrong_certificate_at_a_reconnect(flavour: Flavour) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    ours, theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.configure_trust(theirs)  # pyright: ignore[reportUnknownMemberType]

    def show(by: trustme.CA) -> None:
        by.issue_cert("127.0.0.1").configure_cert(ours)  # pyright: ignore[reportUnknownMemberType]

    connections = Log()

    def handle(connection: socket.socket) -> None:
        upgrade(connection)
        connections.append(connection)
        read_until_closed(connection)

    async def scenario(url: str) -> None:
        settings = RealtimeSettings(url=url, ssl_context=theirs, **FAST)
        async with opened(flavour, settings, lambda _: "secret") as rooms:
            await done(rooms.realtime.connect())
            await connections.until(len)
            show(stranger)
            connections.items[0].shutdown(socket.SHUT_RDWR)
            refused: list[ConnectionFailed] = await rooms.errors.until(mistrusted_twice)
            assert not any(error.final for error in refused)
            show(authority)
            await connections.reach(2)

    def mistrusted_twice(errors: list[PoolseError]) -> bool:
        return len([error for error in errors if "certificate" in str(error)]) >= 2

    show(authority)
    mark = TLS.set(Tls(ours, theirs))
    try:
        with hostile_server(handle) as url:
            asyncio.run(scenario(url))
    finally:
        TLS.reset(mark)
