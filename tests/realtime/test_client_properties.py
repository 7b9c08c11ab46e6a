"""The whole client against drops, refusals, delays, duplicates and close codes, in any order."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from poolse._realtime.channel import Push
from poolse._realtime.channel_references import EventStream
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import Socket
from poolse.errors import PoolseError
from tests.realtime.simulated_network import Network, Room, Wire

ROOMS = st.sampled_from(["1", "2", "3", "4", "5"])
CODES = st.sampled_from([1000, 1001, 1002, 1005, 1006, 1008, 1009, 1011, 1012, 1013, 4000])
STATUSES = st.sampled_from([None, 403, 401, 404, 429, 500, 503])
REASONS = st.sampled_from(["busy", "unauthorized", "unmatched topic", "too many channels joined"])

# Small, so that all limits are met.
SETTINGS = RealtimeSettings(
    url="ws://h/socket", channels_per_socket=2, joins_at_once=1, queue_limit=5
)


class Client(RuleBasedStateMachine):
    """Users, network and server, all at once."""

    def __init__(self) -> None:
        super().__init__()
        self.draws = [0.5]
        self.net = Network(SETTINGS, lambda: self.draws[-1])
        self.rooms: dict[str, Room] = {}
        self.pushes: list[Push] = []
        self.streams: list[tuple[Room, EventStream[object]]] = []
        self.wanted = True
        self.was_open = False
        self.unfailed: list[Socket] = []

    # The user.

    @rule(room=ROOMS)
    def reference(self, room: str) -> None:
        if room not in self.rooms or self.rooms[room].subscription.is_over:
            self.rooms[room] = self.net.room(room)

    @precondition(lambda self: self.rooms)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        room = self.rooms.pop(data.draw(st.sampled_from(sorted(self.rooms))))
        self.net.client.release(room.reference)
        assert room.subscription.is_over

    @rule()
    def connect(self) -> None:
        self.wanted = True
        self.net.client.connect()

    @rule()
    def disconnect(self) -> None:
        self.wanted = False
        self.net.client.disconnect()

    @precondition(lambda self: self.rooms)
    @rule(data=st.data(), timeout=st.sampled_from([1.0, 20.0, 120.0]))
    def push(self, data: st.DataObject, timeout: float) -> None:
        room = self.rooms[data.draw(st.sampled_from(sorted(self.rooms)))]
        try:
            self.pushes.append(self.net.client.push(room.reference, "ask", {}, timeout))
            self.net.client.send(room.reference, "typing", {})
        except PoolseError:
            return

    @precondition(lambda self: self.rooms)
    @rule(data=st.data())
    def iterate(self, data: st.DataObject) -> None:
        room = self.rooms[data.draw(st.sampled_from(sorted(self.rooms)))]
        if not room.subscription.is_over:
            stream = EventStream[object](SETTINGS.queue_limit, lambda: None)
            self.net.client.add_stream(room.reference, stream)
            self.streams.append((room, stream))

    # The driver, the network and the clock.

    @precondition(lambda self: self.net.sockets)
    @rule(data=st.data())
    def execute(self, data: st.DataObject) -> None:
        self.net.execute(data.draw(st.sampled_from(self.net.sockets)))

    @precondition(lambda self: self.net.wires)
    @rule(data=st.data(), status=STATUSES)
    def answer_the_handshake(self, data: st.DataObject, status: int | None) -> None:
        wire: Wire = data.draw(st.sampled_from(self.net.wires))
        if wire.state == "opening" and status is not None:
            self.net.failed(wire, status)
        else:
            self.net.opened(wire)

    @precondition(lambda self: self.net.wires)
    @rule(data=st.data(), code=CODES)
    def cut(self, data: st.DataObject, code: int) -> None:
        wire: Wire = data.draw(st.sampled_from(self.net.wires))
        if wire.state == "opening":
            self.net.failed(wire, None)
        else:
            self.net.closed(wire, code)

    @precondition(lambda self: any(wire.inbox for wire in self.net.wires))
    @rule(data=st.data(), twice=st.booleans(), count=st.integers(1, 5))
    def deliver(self, data: st.DataObject, twice: bool, count: int) -> None:
        wire = data.draw(st.sampled_from([wire for wire in self.net.wires if wire.inbox]))
        for _ in range(min(count, len(wire.inbox))):
            self.net.deliver(wire, twice=twice)

    @rule(seconds=st.sampled_from([0.01, 1.0, 9.0, 31.0, 3600.0]), draw=st.floats(0.0, 1.0))
    def wait(self, seconds: float, draw: float) -> None:
        self.draws.append(draw)
        self.net.advance(seconds)

    @precondition(lambda self: self.net.sockets)
    @rule(steps=st.integers(1, 6))
    def be_punctual(self, steps: int) -> None:
        """Let every timer fire when it is due, while nothing arrives."""
        for _ in range(steps):
            due = [socket.next_deadline() for socket in self.net.sockets]
            self.net.now = max(self.net.now, min((at for at in due if at is not None), default=0))
            for socket in self.net.sockets:
                self.net.execute(socket)

    # The server.

    @rule(reason=REASONS)
    def refuse_a_join(self, reason: str) -> None:
        self.net.server.refusals.append(reason)

    @rule(deaf=st.booleans())
    def hear(self, deaf: bool) -> None:
        self.net.server.deaf = deaf

    @precondition(lambda self: any(wire.joined for wire in self.net.wires))
    @rule(data=st.data(), how=st.sampled_from(["phx_error", "phx_close", "forgotten", "news"]))
    def happen(self, data: st.DataObject, how: str) -> None:
        wire = data.draw(st.sampled_from([wire for wire in self.net.wires if wire.joined]))
        topic = data.draw(st.sampled_from(sorted(wire.joined)))
        ref = wire.joined[topic]
        if how == "news":
            wire.inbox.append([None, None, topic, "news", {"text": "x"}])
            return
        del wire.joined[topic]
        if how != "forgotten":
            wire.inbox.append([ref, ref, topic, how, {}])

    # What always holds.

    @invariant()
    def never_two_transports_of_one_socket(self) -> None:
        for socket in self.net.sockets:
            assert len(self.net.live(socket)) <= 1

    @invariant()
    def no_socket_without_an_exit(self) -> None:
        for socket in self.net.sockets:
            connection = socket.connection
            opening = bool(socket.connection.commands) or bool(self.net.live(socket))
            match connection.state:
                case "connecting":
                    assert opening
                case "open" | "waiting":
                    assert connection.deadline is not None
                case _:
                    assert connection.deadline is None

    @invariant()
    def nothing_is_final_for_one_answer_after_a_success(self) -> None:
        # Fifty steps cannot hold ten refusals over five minutes, and a success before them.
        if self.was_open:
            assert not any(socket.failure for socket in self.net.sockets if socket in self.unfailed)
        self.was_open = self.was_open or any(socket.opened_times for socket in self.net.sockets)
        self.unfailed = [socket for socket in self.net.sockets if socket.failure is None]

    @invariant()
    def every_wait_has_an_end_that_is_near(self) -> None:
        for socket in self.net.sockets:
            deadline = socket.connection.deadline
            assert deadline is None or deadline - self.net.now <= SETTINGS.max_retry_after + 31

    @invariant()
    def no_channel_without_an_exit(self) -> None:
        for room in self.rooms.values():
            subscription = room.subscription
            if subscription.is_over:
                continue
            is_open = subscription.socket.connection.state == "open"
            match subscription.channel.state:
                case "joining" | "leaving":
                    assert is_open
                    assert subscription.channel.deadline is not None
                case "joined":
                    assert is_open
                case "errored":
                    waits = subscription.channel.deadline is not None
                    assert waits or not is_open or self._has_a_turn(subscription.socket)
                case state:
                    assert state == "closed"
                    waits = subscription.channel.deadline is not None
                    assert waits or not is_open or self._has_a_turn(subscription.socket)

    def _has_a_turn(self, socket: Socket) -> bool:
        """Whether another join is under way, after which the next has its turn."""
        rooms = [
            room.subscription.channel
            for room in self.rooms.values()
            if room.subscription.socket is socket
        ]
        leaving = any(wire.joined for wire in self.net.live(socket))
        return leaving or any(machine.state == "joining" for machine in rooms)

    @invariant()
    def no_waiter_is_lost(self) -> None:
        waiting = [push for push in self.pushes if not push.is_done]
        due = [socket.next_deadline() for socket in self.net.sockets]
        for push in waiting:
            assert any(at is not None and at <= push.deadline for at in due)
        for room, stream in self.streams:
            assert stream.queue.is_ready() or not room.subscription.is_over
            assert len(stream.queue) <= SETTINGS.queue_limit

    # And in the end.

    def teardown(self) -> None:
        self.net.server.deaf = False
        self.net.server.refusals.clear()
        self.net.client.connect()
        self.net.heal(120)
        for room in self.rooms.values():
            # What the server forgot without a word can only be noticed by pushing.
            if not room.subscription.is_over:
                self.net.client.send(room.reference, "typing", {})
        self.net.heal(120)
        for wire in list(self.net.wires):
            self.net.closed(wire, 1006)
        self.net.heal(120)
        for socket in self.net.sockets:
            # One without channels is closed, but for the last one.
            states = [wire.state for wire in self.net.live(socket)]
            assert states == ([] if socket.is_over else ["open"])
            assert socket.is_over or socket.failure is None
        claimed = {room.topic for room in self.rooms.values() if not room.subscription.is_over}
        joined = [topic for wire in self.net.wires for topic in wire.joined]
        assert sorted(joined) == sorted(claimed), "every channel is joined, once"
        for room in self.rooms.values():
            assert room.subscription.is_over or room.subscription.joined
        assert all(push.is_done for push in self.pushes)
        self.net.client.close()
        assert all(stream.queue.is_ready() for _, stream in self.streams)
        for socket in self.net.sockets:
            self.net.execute(socket)
        assert {wire.state for wire in self.net.wires} <= {"closing"}


TestClient: Any = Client.TestCase
TestClient.settings = settings(
    max_examples=5000 if os.environ.get("POOLSE_SOAK") else 120,
    stateful_step_count=50,
    deadline=None,
    # What fails is found again by its seed; to make it short would take minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
