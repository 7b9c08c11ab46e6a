"""Months in small: whatever goes on for long leaves nothing behind.

`make test` runs the day in full and a twentieth of the rest; `make soak` runs all of it. Counted
are the blocks that the interpreter has handed out: the speed of the machine does not matter.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Callable

from poolse._realtime.channel_references import EventStream
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import ConnectionFailed
from tests.realtime.channel_types import NEWS, PING, News
from tests.realtime.real_backend import World, run
from tests.realtime.simulated_network import Network, Room
from tests.realtime.sync_and_async import Log, Sync, done

FULL = bool(os.environ.get("POOLSE_SOAK"))
EVENTS = 1_000_000 if FULL else 50_000
RECONNECTS = 100_000 if FULL else 5_000
REAL = 500 if FULL else 25

DAY = 24 * 60
"""In minutes."""

SLACK = 500
"""Blocks that may come and go: a deque that keeps a spare part, an interned string."""


class Client:
    """Three channels on two sockets, each with a callback and an iterator."""

    def __init__(self) -> None:
        settings = RealtimeSettings(url="ws://h/socket", channels_per_socket=2)
        self.net = Network(settings, lambda: 0.5)
        self.called = 0
        self.rooms = [self.net.room(name) for name in "123"]
        self.streams = [self.listen(room) for room in self.rooms]
        self.net.heal(60)

    def listen(self, room: Room) -> EventStream[object]:
        self.net.client.subscribe(room.reference, NEWS, self.count)
        stream = EventStream[object](1000, lambda: None)
        self.net.client.add_stream(room.reference, stream)
        return stream

    def count(self, _: News) -> None:
        self.called += 1

    def consume(self) -> int:
        """Do what user code does: take all that waits; the number of events taken."""
        taken, calls = 0, self.net.client.callbacks
        for stream in self.streams:
            while stream.queue.is_ready():
                stream.queue.get()
                taken += 1
        while (call := calls.next()) is not None:
            call[0].target(call[1])
        self.net.errors.clear()
        return taken

    def minute(self) -> None:
        """One with a lost connection, a visit to another channel, and a push."""
        for wire in list(self.net.wires):
            self.net.closed(wire, 1006)
        visited = self.net.room("visited")
        push = self.net.client.push(self.rooms[0].reference, "ask", {}, 30)
        self.net.heal(55)
        assert push.is_done
        self.net.client.release(visited.reference)
        self.net.heal(5)
        assert [wire.state for wire in self.net.wires] == ["open", "open"]
        assert all(room.subscription.joined for room in self.rooms)
        self.consume()

    def reconnect(self) -> None:
        """A lost connection and the way back, and nothing else."""
        self.net.closed(self.net.wires[0], 1001)
        self.net.heal(31)
        assert all(room.subscription.joined for room in self.rooms)
        self.consume()

    def hear(self, count: int) -> None:
        """Events, and their consumers."""
        wire = self.net.wires[0]
        for number in range(count):
            topic = ("room:1", "room:2")[number % 2]
            wire.inbox.append([None, None, topic, "news", {"text": str(number)}])
            self.net.deliver(wire)
        assert self.consume() == count


def grown(work: Callable[[], object]) -> int:
    """How many blocks are in use after some work that were not before."""
    gc.collect()
    before = sys.getallocatedblocks()
    work()
    gc.collect()
    return sys.getallocatedblocks() - before


def test_a_day_with_a_reconnect_every_minute_leaves_nothing() -> None:
    client = Client()
    start = client.net.now

    def day() -> None:
        for _ in range(DAY):
            client.minute()

    client.minute()
    assert grown(day) < SLACK
    assert client.net.now - start >= DAY * 60
    assert len(client.net.sockets) == 2


def test_a_hundred_thousand_reconnects_leave_nothing() -> None:
    client = Client()

    def reconnects() -> None:
        for _ in range(RECONNECTS):
            client.reconnect()

    client.reconnect()
    assert grown(reconnects) < SLACK


def test_a_million_events_leave_nothing() -> None:
    client = Client()

    def events() -> None:
        for _ in range(EVENTS // 500):
            client.hear(500)

    client.hear(500)
    assert grown(events) < SLACK
    assert client.called == EVENTS + 500


def test_what_nobody_takes_is_bounded() -> None:
    client = Client()

    def flood() -> None:
        wire = client.net.wires[0]
        for number in range(20_000):
            wire.inbox.append([None, None, "room:1", "news", {"text": str(number % 10)}])
            client.net.deliver(wire)

    flood()
    assert grown(flood) < SLACK
    assert len(client.streams[0].queue) == 1000
    assert client.streams[0].queue.dropped == client.net.client.dropped() == 39_000


def test_reconnects_of_the_bodies_leave_no_thread_and_no_task(world: World) -> None:
    ours = ("poolse-calls", "poolse-socket", "poolse-transport")

    def workers() -> tuple[int, int]:
        threads = [t for t in threading.enumerate() if t.name.startswith(ours)]
        tasks = [t for t in asyncio.all_tasks() if t.get_name().startswith(ours)]
        return len(threads), len(tasks)

    async def scenario() -> None:
        async with world.client(reconnect_delays=(0.001,) * REAL, stable_after=0.0) as client:
            room, got = client.realtime.room(world.conversation), Log()
            room.on(PING, got.append)
            await done(room.wait_joined())
            before = workers()
            for number in range(1, REAL + 1):
                world.sandbox.faults.drop_sockets()
                await world.joins(number + 1)
                world.ping(str(number))
                await got.reach(number)
            assert workers() == before == ((2, 0) if world.flavour is Sync else (0, 3))
            assert all(isinstance(error, ConnectionFailed) for error in client.errors.items)

    run(scenario)
