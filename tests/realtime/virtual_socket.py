"""A socket without transports or time: the test is the server, the network and the clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

import attrs
import orjson

from poolse._realtime.channel import ChannelProtocol, Effects, Payload, Push
from poolse._realtime.effects import Close, Command, Deliver, Ended, Failure, Open, Send, Trouble
from poolse._realtime.frames import HEARTBEAT, Frame, decode
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import Socket
from poolse.errors import PoolseError

__all__ = ["OK", "Bench", "VirtualSocket", "fixed", "refusal", "reply"]

T = TypeVar("T")

OK: dict[str, object] = {"status": "ok", "response": {}}


def fixed(value: float = 1.0) -> Callable[[], float]:
    """A random source that always says the same."""
    return lambda: value


def reply(frame: Frame, payload: object = OK) -> Frame:
    """The server's answer to a frame of ours."""
    return Frame(frame.join_ref, frame.ref, frame.topic, "phx_reply", payload)


def refusal(reason: str) -> dict[str, object]:
    """The payload of a reply that refuses."""
    return {"status": "error", "response": {"reason": reason}}


class VirtualSocket(Socket):
    """A socket that works off its effects after each step, as the client does."""

    def __init__(self, settings: RealtimeSettings, random: Callable[[], float]) -> None:
        super().__init__(settings, random)
        self.news: Effects = []
        """What came of them, until a test takes it."""

    def work_off(self, now: float) -> None:
        self.news += self.flush(now)

    def connect(self, now: float) -> None:
        super().connect(now)
        self.work_off(now)

    def tick(self, now: float) -> None:
        super().tick(now)
        self.work_off(now)

    def join(self, topic: str, now: float, transient: Collection[str] = ()) -> ChannelProtocol:
        channel = super().join(topic, now, transient)
        self.work_off(now)
        return channel

    def disconnected(self, now: float) -> None:
        self.disconnect()
        self.work_off(now)

    def broken(self, error: PoolseError, now: float) -> None:
        self.driver_failed(error)
        self.work_off(now)

    def opened(self, generation: int, now: float) -> None:
        self.connection.opened(generation, now)
        self.work_off(now)

    def failed(self, generation: int, failure: Failure, now: float) -> None:
        self.connection.failed(generation, failure, now)
        self.work_off(now)

    def closed(self, generation: int, code: int, now: float) -> None:
        self.connection.closed(generation, code, now)
        self.work_off(now)

    def received(self, generation: int, data: bytes, now: float) -> None:
        event = self.receive(generation, data, now)
        if event is not None:
            assert not self.effects, "an event is delivered before what came of earlier messages"
            self.news.append((event[0], Deliver(event[1])))
        self.work_off(now)

    def leave(self, channel: ChannelProtocol, now: float) -> None:
        channel.leave(now)
        self.work_off(now)

    def send(
        self, channel: ChannelProtocol, event: str, payload: Mapping[str, object], now: float
    ) -> bool:
        self.check_backlog()
        sent = channel.send(event, payload)
        self.work_off(now)
        return sent

    def push(
        self, channel: ChannelProtocol, event: str, payload: Payload, deadline: float, now: float
    ) -> Push:
        self.check_backlog()
        push = channel.push(event, payload, deadline, now)
        self.work_off(now)
        return push


@attrs.define
class Bench:
    """One socket on a bench."""

    settings: RealtimeSettings = attrs.field(factory=lambda: RealtimeSettings(url="ws://h/socket"))
    random: Callable[[], float] = attrs.field(factory=fixed)
    now: float = 1000.0
    answers_heartbeats: bool = True
    log: list[tuple[float, Command]] = attrs.field(factory=list[tuple[float, Command]])
    """Every command, with the time at which it came."""
    seen: int = 0
    socket: VirtualSocket = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.socket = VirtualSocket(self.settings, self.random)

    @property
    def generation(self) -> int:
        return self.socket.connection.generation

    def connect(self) -> None:
        """Open the first transport."""
        self.socket.connect(self.now)
        self.open()

    def open(self) -> None:
        self.socket.opened(self.generation, self.now)

    def drop(self, code: int = 1006) -> None:
        self.socket.closed(self.generation, code, self.now)

    def fail(self, status: int | None = None, *, retry_after: float = 0.0) -> None:
        failure = Failure(reason="it did not work", status=status, retry_after=retry_after)
        self.socket.failed(self.generation, failure, self.now)

    def receive(self, frame: Frame) -> None:
        parts = [frame.join_ref, frame.ref, frame.topic, frame.event, frame.payload]
        self.receive_data(orjson.dumps(parts))

    def receive_data(self, data: bytes, generation: int | None = None) -> None:
        """A message comes, on the transport of now unless another one is named."""
        generation = generation or self.generation
        self.socket.received(generation, data, self.now)

    def advance(self, seconds: float) -> None:
        """Let time pass: every timer fires when it is due."""
        until = self.now + seconds
        while True:
            self.collect()
            deadline = self.socket.next_deadline()
            if deadline is None or deadline > until:
                break
            self.now = max(self.now, deadline)
            self.socket.tick(self.now)
        self.now = until

    def drain(self) -> list[Command]:
        """The commands that nobody has looked at yet."""
        self.collect()
        commands = [command for _, command in self.log[self.seen :]]
        self.seen = len(self.log)
        return commands

    def collect(self) -> None:
        for command in self.socket.take_commands():
            self.log.append((self.now, command))
            frame = decode(command.data) if isinstance(command, Send) else None
            if frame is not None and frame.event == HEARTBEAT and self.answers_heartbeats:
                self.receive(reply(frame))

    def sent(self) -> list[Frame]:
        """The frames among them, heartbeats left out."""
        frames = [decode(command.data) for command in self.drain() if isinstance(command, Send)]
        return [frame for frame in frames if frame.topic != "phoenix"]

    def opens(self) -> list[float]:
        """When transports were asked for, so far."""
        self.drain()
        return [when for when, command in self.log if isinstance(command, Open)]

    def closes(self) -> list[Close]:
        self.drain()
        return [command for _, command in self.log if isinstance(command, Close)]

    def joined(self, topic: str = "t:1") -> Frame:
        """Join a channel, and let the server agree.

        Returns:
            The frame that joined it.
        """
        self.socket.join(topic, self.now)
        frame = self.sent()[-1]
        assert frame.event == "phx_join"
        self.receive(reply(frame))
        return frame

    def ended(self) -> list[ChannelProtocol | None]:
        """Take the channels that have ended."""
        ended = [channel for channel, effect in self.socket.news if isinstance(effect, Ended)]
        self.effects(Ended)
        return ended

    def events(self) -> list[str]:
        """Names of what was delivered since."""
        return [e.frame.event for e in self.effects(Deliver)]

    def troubles(self) -> list[str]:
        return [type(e.error).__name__ for e in self.effects(Trouble)]

    def effects(self, kind: type[T]) -> list[T]:
        """Take the effects of one kind."""
        found: list[T] = [e for _, e in self.socket.news if isinstance(e, kind)]
        self.socket.news = [(c, e) for c, e in self.socket.news if not isinstance(e, kind)]
        return found
