"""A server that works on the joins of a socket one after the other, and takes its time."""

from __future__ import annotations

import asyncio
import time
from collections import deque

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolse._realtime.channel import ChannelProtocol
from poolse._realtime.effects import Send
from poolse._realtime.frames import PHX_JOIN, Frame, decode
from poolse._realtime.socket import Socket
from poolse.errors import PushTimeout
from tests.realtime.scripted_server import CONNECTIONS, phoenix
from tests.realtime.sync_and_async import FLAVOURS, Flavour, done
from tests.realtime.virtual_socket import Bench, fixed, reply


@attrs.define
class Busy:
    """A Phoenix server as it is: whatever comes waits until the joins before it are done."""

    bench: Bench
    join_takes: float
    forgets: frozenset[str] = frozenset()
    """Topics whose joins it never answers."""
    queue: deque[tuple[float, Frame]] = attrs.field(factory=deque[tuple[float, Frame]])
    free_at: float = 0.0
    joins: list[str] = attrs.field(factory=list[str])
    """Topics, as their joins were answered."""
    taken: int = 0

    def take(self) -> None:
        """Put what was sent since into the queue, each with the time at which it is done."""
        self.bench.collect()
        for when, command in self.bench.log[self.taken :]:
            if isinstance(command, Send):
                frame = decode(command.data)
                takes = self.join_takes if frame.event == PHX_JOIN else 0.0
                self.free_at = max(self.free_at, when) + takes
                self.queue.append((self.free_at, frame))
        self.taken = len(self.bench.log)

    def run(self, seconds: float) -> None:
        """Let server and client work for so long."""
        until = self.bench.now + seconds
        while True:
            self.take()
            times = [self.queue[0][0]] if self.queue else []
            deadline = self.bench.socket.next_deadline()
            times += [] if deadline is None else [deadline]
            if not times or min(times) > until:
                break
            self.bench.now = max(self.bench.now, min(times))
            if self.queue and self.queue[0][0] <= self.bench.now:
                self.answer(self.queue.popleft()[1])
            else:
                self.bench.socket.tick(self.bench.now)
        self.bench.now = until

    def answer(self, frame: Frame) -> None:
        if frame.event == PHX_JOIN:
            if frame.topic in self.forgets:
                return
            self.joins.append(frame.topic)
        self.bench.receive(reply(frame))


def joining(count: int, join_takes: float, **changes: object) -> Busy:
    """A client that wants so many channels of a slow server."""
    bench = Bench(answers_heartbeats=False)
    server = Busy(bench, join_takes, **changes)  # type: ignore[arg-type]
    bench.connect()
    for number in range(count):
        bench.socket.join(f"t:{number}", bench.now)
    return server


def channels(socket: Socket) -> dict[str, ChannelProtocol]:
    return socket.channels


def states(socket: Socket) -> list[str]:
    return [channel.state for channel in channels(socket).values()]


@pytest.mark.parametrize(("count", "takes"), [(40, 1.0), (90, 0.6), (20, 9.5)])
def test_all_are_joined_once_on_one_connection(count: int, takes: float) -> None:
    server = joining(count, takes)
    server.run(count * takes + 1)
    assert states(server.bench.socket) == ["joined"] * count
    assert len(server.joins) == count
    assert len(server.bench.opens()) == 1
    assert server.bench.troubles() == []


@given(count=st.integers(1, 90), takes=st.floats(0.01, 9.9), early=st.floats(0.0, 29.0))
@settings(max_examples=60, deadline=None)
def test_any_number_of_joins_that_each_come_in_time(count: int, takes: float, early: float) -> None:
    server = joining(0, takes)
    server.run(early)
    for number in range(count):
        server.bench.socket.join(f"t:{number}", server.bench.now)
    server.run(count * takes + 1)
    assert states(server.bench.socket) == ["joined"] * count
    assert len(server.bench.opens()) == 1
    # And afterwards the heart goes on.
    server.run(120)
    assert len(server.bench.opens()) == 1


@pytest.mark.parametrize("answered", [0, 1, 5])
def test_a_server_that_dies_among_joins_is_noticed(answered: int) -> None:
    server = joining(40, 1.0)
    server.run(answered + 0.5)
    assert len(server.joins) == answered
    server.join_takes = float("inf")
    server.queue.clear()
    died = server.bench.now
    while len(server.bench.closes()) == 0:
        server.run(1)
        assert server.bench.now - died < 60, "a dead server is a secret"
    # Interval, time for the join before the heartbeat, and time for its reply.
    assert server.bench.now - died <= 30 + 10 + 10 + 1


def test_a_join_that_was_passed_over_has_no_more_than_its_time() -> None:
    server = joining(40, 3.0, forgets=frozenset({"t:2"}))
    server.run(9.1)
    # Joins are answered in order: with the one after it, its time is not extended any more.
    forgotten = channels(server.bench.socket)["t:2"]
    server.run(10)
    assert forgotten.state == "errored"
    (error,) = server.bench.troubles()
    assert error == PushTimeout.__name__
    server.forgets = frozenset()
    server.run(200)
    assert states(server.bench.socket) == ["joined"] * 40
    assert len(server.bench.opens()) == 1


def test_a_join_that_takes_longer_than_its_time_costs_no_connection() -> None:
    server = joining(1, 14.0)
    server.run(10.5)
    assert states(server.bench.socket) == ["errored"], "told and tried again"
    server.join_takes = 0.5
    server.run(120)
    assert states(server.bench.socket) == ["joined"]
    assert len(server.bench.opens()) == 1


def test_a_leave_behind_joins_waits_for_them() -> None:
    server = joining(1, 1.0)
    server.run(2)
    for number in range(8):
        server.bench.socket.join(f"s:{number}", server.bench.now)
    leaving = channels(server.bench.socket)["t:0"]
    server.bench.socket.leave(leaving, server.bench.now)
    server.run(6)
    assert leaving.state == "leaving", "its place on the server is taken until then"
    server.run(3)
    assert leaving.state == "ended"


def test_what_waited_for_the_wire_has_its_time_from_then_on() -> None:
    bench = Bench(answers_heartbeats=False)
    bench.connect()
    channel = bench.socket.join("t:1", bench.now)
    bench.advance(30)
    bench.socket.join("t:2", bench.now)
    # It took 9 s to send what came before.
    bench.now += 9
    bench.socket.held_up(bench.now)
    bench.advance(9.9)
    assert bench.closes() == []
    assert channels(bench.socket)["t:2"].state == "joining"
    bench.advance(20)
    assert len(bench.closes()) == 1
    assert channel.state == "errored"


def test_no_verdict_while_something_comes_in_but_not_for_ever() -> None:
    bench = Bench(answers_heartbeats=False)
    bench.connect()
    bench.advance(30)
    for _ in range(60):
        bench.advance(0.5)
        bench.socket.connection.received_part(bench.generation, bench.now)
    assert bench.closes() == [], "the reply may be behind a large frame"
    bench.advance(2)
    assert len(bench.closes()) == 1
    bench = Bench(answers_heartbeats=False)
    bench.connect()
    bench.advance(30)
    for _ in range(100):
        bench.advance(0.5)
        bench.receive(Frame(None, None, "t:1", "news", {}))
    assert len(bench.closes()) == 1, "other traffic is no reply"


def test_heartbeats_are_no_secret_to_joins() -> None:
    """The reply to a heartbeat says that the joins before it are done with."""
    bench = Bench(random=fixed(0.5))
    bench.connect()
    bench.socket.join("t:1", bench.now)
    bench.advance(30)
    assert len(bench.socket.connection.joins) == 0


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
@pytest.mark.parametrize("kind", CONNECTIONS)
def test_a_slow_server_joins_all_on_one_connection(flavour: Flavour, kind: str) -> None:
    """With 24 joins of 0.1 s, neither joins nor heartbeats may count the time of those before."""

    def slowly(frame: list[object]) -> list[object]:
        if frame[3] == PHX_JOIN:
            time.sleep(0.1)
        return []

    async def scenario() -> None:
        times = {
            "join_timeout": 0.7,
            "heartbeat_interval": 0.3,
            "heartbeat_timeout": 0.7,
            "close_timeout": 0.1,
        }
        with phoenix(lambda _: [], kind == "wss", before=slowly) as peer:
            async with peer.client(flavour, **times) as rooms:
                joined = [rooms.realtime.room(str(number)) for number in range(24)]
                for room in joined:
                    await done(room.wait_joined())
                assert len(peer.opened.items) == 1
                assert [frame[3] for frame in peer.frames.items] == [PHX_JOIN] * 24
                assert rooms.errors.items == []

    asyncio.run(scenario())
