"""The hub with everything around it, on a virtual clock."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import attrs
import orjson

from poolse._realtime.client import RealtimeClient
from poolse._realtime.effects import Open, Send
from poolse._realtime.frames import Frame, decode
from poolse._realtime.public_base import BaseChannel
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import Socket
from poolse._realtime.subscribers import QueueEnded
from poolse._realtime.subscription import ChannelReference, ChannelSubscription, EventStream
from poolse.errors import (
    PoolseError,
)
from tests.realtime.channel_types import ROOM, WHO, Who
from tests.realtime.virtual_socket import OK, fixed


class Room(BaseChannel[Any]):
    TYPE = ROOM

    @property
    def claim(self) -> ChannelReference:
        return self._claim

    @property
    def session(self) -> ChannelSubscription:
        return self._session

    @property
    def who(self) -> Who:
        return self._presence(WHO)


@attrs.define
class World:
    """A hub, its sockets, and the clock."""

    settings: RealtimeSettings = attrs.field(factory=lambda: RealtimeSettings(url="ws://h/socket"))
    now: float = 1000.0
    process: int = 1
    links: list[Socket] = attrs.field(factory=list[Socket])
    errors: list[PoolseError] = attrs.field(factory=list[PoolseError])
    hub: RealtimeClient = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.hub = RealtimeClient(
            self.settings,
            clock=lambda: self.now,
            random=fixed(),
            guard=nullcontext(),
            process=lambda: self.process,
            start=self.links.append,
            wake_calls=lambda: None,
            on_error=self.errors.append,
        )

    def room(self, parameter: str = "1") -> Room:
        return Room(self.hub, self.hub.acquire(ROOM, parameter))

    def joined(self, parameter: str = "1") -> Room:
        room = self.room(parameter)
        self.serve()
        return room

    def serve(self, answer: object = OK) -> list[Frame]:
        """Open what is to be opened, and answer what is sent; the frames that were."""
        sent: list[Frame] = []
        while commands := [(link, c) for link in self.links for c in link.take_commands()]:
            for link, command in commands:
                if isinstance(command, Open):
                    with self.hub.turn(link) as now:
                        link.opened(command.generation, now)
                elif isinstance(command, Send):
                    frame = decode(command.data)
                    sent.append(frame)
                    self.say(Frame(frame.join_ref, frame.ref, frame.topic, "phx_reply", answer))
        return sent

    def say(self, *frames: Frame) -> None:
        """Frames that come together."""
        messages = [orjson.dumps(list(attrs.astuple(frame))) for frame in frames]
        for link in self.links:
            self.hub.received(link, link.connection.generation, messages)

    def news(self, text: object = "hi", event: str = "news", topic: str = "room:1") -> None:
        self.say(Frame(None, None, topic, event, {"text": text}))

    def call(self) -> None:
        """Call all that waits, as a body does."""
        while True:
            try:
                call = self.hub.calls.next()
            except QueueEnded:
                return
            if call is None:
                return
            try:
                call[0].target(call[1])
            except Exception as error:
                report = self.hub.callback_failed(call, error)
                if report is not None:
                    report[0].target(report[1])

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for link in self.links:
            with self.hub.turn(link) as now:
                link.tick(now)


def taken(stream: EventStream[object]) -> list[object]:
    found: list[object] = []
    while stream.queue.ready:
        try:
            found.append(stream.queue.get())
        except QueueEnded:
            break
    return found


def stream_of(world: World, room: Room) -> EventStream[object]:
    stream = EventStream[object](world.settings.queue_limit, lambda: None)
    world.hub.stream(room.claim, stream)
    return stream
