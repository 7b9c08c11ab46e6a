"""The client with everything around it, on a virtual clock."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import attrs
import orjson

from poolse._realtime.channel_references import ChannelReference, ChannelSubscription, EventStream
from poolse._realtime.client import RealtimeClient
from poolse._realtime.effects import Open, Send
from poolse._realtime.frames import Frame, decode
from poolse._realtime.public import Channel
from poolse._realtime.queues import QueueEnded
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import Socket
from poolse.errors import (
    PoolseError,
)
from tests.realtime.channel_types import ROOM, WHO, Who
from tests.realtime.virtual_socket import OK, fixed


class Room(Channel[Any]):
    _TYPE = ROOM

    @property
    def reference(self) -> ChannelReference:
        return self._reference

    @property
    def subscription(self) -> ChannelSubscription:
        return self._subscription

    @property
    def who(self) -> Who:
        return self._presence(WHO)


@attrs.define
class World:
    """A client, its sockets, and the clock."""

    settings: RealtimeSettings = attrs.field(factory=lambda: RealtimeSettings(url="ws://h/socket"))
    now: float = 1000.0
    process: int = 1
    sockets: list[Socket] = attrs.field(factory=list[Socket])
    errors: list[PoolseError] = attrs.field(factory=list[PoolseError])
    client: RealtimeClient = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.client = RealtimeClient(
            self.settings,
            clock=lambda: self.now,
            random=fixed(),
            lock=nullcontext(),
            process=lambda: self.process,
            start=self.sockets.append,
            wake_callbacks=lambda: None,
            on_error=self.errors.append,
        )

    def room(self, parameter: str = "1") -> Room:
        return Room(self.client, self.client.acquire(ROOM, parameter))

    def joined(self, parameter: str = "1") -> Room:
        room = self.room(parameter)
        self.serve()
        return room

    def serve(self, answer: object = OK) -> list[Frame]:
        """Open what is to be opened, and answer what is sent; the frames that were."""
        sent: list[Frame] = []
        while commands := [(socket, c) for socket in self.sockets for c in socket.take_commands()]:
            for socket, command in commands:
                if isinstance(command, Open):
                    with self.client.step(socket) as now:
                        socket.connection.opened(command.generation, now)
                elif isinstance(command, Send):
                    frame = decode(command.data)
                    sent.append(frame)
                    self.say(Frame(frame.join_ref, frame.ref, frame.topic, "phx_reply", answer))
        return sent

    def say(self, *frames: Frame) -> None:
        """Frames that come together."""
        messages = [orjson.dumps(list(attrs.astuple(frame))) for frame in frames]
        for socket in self.sockets:
            for message in messages:
                self.client.receive(socket, socket.connection.generation, message)

    def news(self, text: object = "hi", event: str = "news", topic: str = "room:1") -> None:
        self.say(Frame(None, None, topic, event, {"text": text}))

    def call(self) -> None:
        """Call all that waits, as a body does."""
        while True:
            try:
                call = self.client.callbacks.next()
            except QueueEnded:
                return
            if call is None:
                return
            try:
                call[0].target(call[1])
            except Exception as error:
                report = self.client.callback_failed(call, error)
                if report is not None:
                    report[0].target(report[1])

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for socket in self.sockets:
            with self.client.step(socket) as now:
                socket.tick(now)


def taken(stream: EventStream[object]) -> list[object]:
    found: list[object] = []
    while stream.queue.is_ready():
        try:
            found.append(stream.queue.get())
        except QueueEnded:
            break
    return found


def stream_of(world: World, room: Room) -> EventStream[object]:
    stream = EventStream[object](world.settings.queue_limit, lambda: None)
    world.client.add_stream(room.reference, stream)
    return stream
