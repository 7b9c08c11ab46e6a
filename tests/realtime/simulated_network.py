"""A network and a server for the whole client, on a virtual clock, as unreliable as one likes.

The test is the driver too: it executes the commands of each socket when it pleases.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Literal

import attrs
import orjson

from poolse._realtime.channel_references import ChannelReference
from poolse._realtime.client import RealtimeClient
from poolse._realtime.effects import Command, Failure, Open, Send
from poolse._realtime.frames import Frame, decode
from poolse._realtime.public import Channel
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import Socket
from poolse.errors import PoolseError
from tests.realtime.channel_types import ROOM

__all__ = ["Network", "Room", "Server", "Wire"]


class Room(Channel[Any]):
    """A handle."""

    _TYPE = ROOM

    @property
    def subscription(self) -> Any:
        """What it stands for."""
        return self._subscription

    @property
    def reference(self) -> ChannelReference:
        """What it holds."""
        return self._reference


@attrs.define(eq=False)
class Wire:
    """One transport, and the server's end of it."""

    socket: Socket
    generation: int
    state: Literal["opening", "open", "closing"] = "opening"
    """`closing` is what we were told to close, whether it was open or not."""
    inbox: deque[list[object]] = attrs.field(factory=deque[list[object]])
    """What the server sent and we have not received."""
    joined: dict[str, str | None] = attrs.field(factory=dict[str, str | None])
    """Join_refs by topic."""


@attrs.define
class Server:
    """What the server does to what it is sent."""

    refusals: list[str] = attrs.field(factory=list[str])
    """Reasons for the next joins."""
    deaf: bool = False
    """Whether it answers nothing."""

    def receive(self, wire: Wire, frame: Frame) -> None:
        """Do as a Phoenix server does."""
        topic, joined = frame.topic, wire.joined.get(frame.topic)
        if self.deaf:
            return
        if frame.event == "heartbeat":
            self._reply(wire, frame, None)
        elif frame.event == "phx_join":
            self._join(wire, frame, joined)
        elif topic not in wire.joined:
            reason = None if frame.event == "phx_leave" else "unmatched topic"
            self._reply(wire, attrs.evolve(frame, join_ref=None), reason)
        elif frame.join_ref != joined:
            return
        elif frame.event == "phx_leave":
            del wire.joined[topic]
            self._reply(wire, frame, None)
            wire.inbox.append([joined, joined, topic, "phx_close", {}])
        else:
            self._reply(wire, frame, None)

    def _join(self, wire: Wire, frame: Frame, before: str | None) -> None:
        wire.joined.pop(frame.topic, None)
        refusal = self.refusals.pop() if self.refusals else None
        self._reply(wire, frame, refusal)
        if before is not None:
            wire.inbox.append([before, before, frame.topic, "phx_close", {}])
        if refusal is None:
            wire.joined[frame.topic] = frame.join_ref

    def _reply(self, wire: Wire, frame: Frame, reason: str | None) -> None:
        status, response = ("ok", {}) if reason is None else ("error", {"reason": reason})
        payload = {"status": status, "response": response}
        wire.inbox.append([frame.join_ref, frame.ref, frame.topic, "phx_reply", payload])


class Network:
    """A client, its wires, and the clock."""

    def __init__(self, settings: RealtimeSettings, random: Callable[[], float]) -> None:
        self.now = 1000.0
        self.server = Server()
        self.sockets: list[Socket] = []
        self.wires: list[Wire] = []
        self.errors: list[PoolseError] = []
        self.settings = settings
        self.client = RealtimeClient(
            settings,
            clock=lambda: self.now,
            random=random,
            lock=nullcontext(),
            process=lambda: 1,
            start=self.sockets.append,
            wake_callbacks=lambda: None,
            on_error=self.errors.append,
        )

    def room(self, parameter: str) -> Room:
        """A reference to a channel."""
        return Room(self.client, self.client.acquire(ROOM, parameter))

    def live(self, socket: Socket) -> list[Wire]:
        """The transports of a socket that it wants."""
        return [wire for wire in self.wires if wire.socket is socket and wire.state != "closing"]

    def execute(self, socket: Socket) -> None:
        """Execute the commands of a socket, as a driver does."""
        with self.client.step(socket) as now:
            socket.tick(now)
        for command in socket.take_commands():
            self._execute(socket, command)

    def opened(self, wire: Wire) -> None:
        """A transport is open. If it is not wanted any more, its socket ignores that."""
        if wire.state == "opening":
            wire.state = "open"
        with self.client.step(wire.socket) as now:
            wire.socket.connection.opened(wire.generation, now)

    def failed(self, wire: Wire, status: int | None) -> None:
        """A transport could not be opened."""
        self.wires.remove(wire)
        with self.client.step(wire.socket) as now:
            wire.socket.connection.failed(wire.generation, Failure(reason="x", status=status), now)

    def closed(self, wire: Wire, code: int) -> None:
        """A transport is gone, and what was under way on it too."""
        self.wires.remove(wire)
        with self.client.step(wire.socket) as now:
            wire.socket.connection.closed(wire.generation, code, now)

    def deliver(self, wire: Wire, *, twice: bool = False) -> None:
        """What the server sent first arrives; twice means that it will do so again."""
        frame = wire.inbox[0] if twice else wire.inbox.popleft()
        self.client.receive(wire.socket, wire.generation, orjson.dumps(frame))

    def advance(self, seconds: float) -> None:
        """Let time pass; sockets notice when they have their turn."""
        self.now += seconds

    def heal(self, seconds: float) -> None:
        """Let everything work, promptly, for so long."""
        until = self.now + seconds
        while self.now < until:
            busy = True
            while busy:
                busy = self._work()
            deadlines = [socket.next_deadline() for socket in self.sockets]
            self.now = min([until, *(due for due in deadlines if due is not None)])
            self.now = max(self.now, until - seconds)

    def _work(self) -> bool:
        for socket in self.sockets:
            self.execute(socket)
        for wire in list(self.wires):
            if wire.state == "closing":
                self.closed(wire, 1000)
            elif wire.state == "opening":
                self.opened(wire)
            elif wire.inbox:
                self.deliver(wire)
            else:
                continue
            return True
        return any(socket.connection.commands for socket in self.sockets)

    def _execute(self, socket: Socket, command: Command) -> None:
        if isinstance(command, Open):
            assert not self.live(socket), "two transports of one socket"
            self.wires.append(Wire(socket, command.generation))
            return
        for wire in self.live(socket):
            if wire.generation == command.generation:
                if isinstance(command, Send):
                    self.server.receive(wire, decode(command.data))
                else:
                    wire.state = "closing"
