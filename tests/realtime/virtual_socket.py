"""A link without transports and without time: the test is the server, the network and the clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import attrs
import orjson

from poolse._realtime.channel_effects import Deliver
from poolse._realtime.effects import Close, Command, Failure, Open, Send, Trouble
from poolse._realtime.frames import HEARTBEAT, Frame, decode
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import Socket

__all__ = ["OK", "Bench", "fixed", "refusal", "reply"]

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


@attrs.define
class Bench:
    """One link on a bench."""

    settings: RealtimeSettings = attrs.field(factory=lambda: RealtimeSettings(url="ws://h/socket"))
    random: Callable[[], float] = attrs.field(factory=fixed)
    now: float = 1000.0
    answers_heartbeats: bool = True
    log: list[tuple[float, Command]] = attrs.field(factory=list[tuple[float, Command]])
    """Every command, with the time at which it came."""
    seen: int = 0
    link: Socket = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.link = Socket(self.settings, self.random)

    @property
    def generation(self) -> int:
        return self.link.connection.generation

    def connect(self) -> None:
        """Open the first transport."""
        self.link.connect(self.now)
        self.open()

    def open(self) -> None:
        self.link.opened(self.generation, self.now)

    def drop(self, code: int = 1006) -> None:
        self.link.closed(self.generation, code, self.now)

    def fail(self, status: int | None = None, *, retry_after: float = 0.0) -> None:
        failure = Failure(reason="it did not work", status=status, retry_after=retry_after)
        self.link.failed(self.generation, failure, self.now)

    def receive(self, frame: Frame) -> None:
        parts = [frame.join_ref, frame.ref, frame.topic, frame.event, frame.payload]
        self.receive_data(orjson.dumps(parts))

    def receive_data(self, data: bytes, generation: int | None = None) -> None:
        """A message comes, on the transport of now unless another one is named."""
        generation = generation or self.generation
        for heard in self.link.received(generation, [data], self.now):
            self.link.effects.append(Deliver(*heard))

    def advance(self, seconds: float) -> None:
        """Let time pass: every timer fires when it is due."""
        until = self.now + seconds
        while True:
            self.collect()
            deadline = self.link.next_deadline()
            if deadline is None or deadline > until:
                break
            self.now = max(self.now, deadline)
            self.link.tick(self.now)
        self.now = until

    def drain(self) -> list[Command]:
        """The commands that nobody has looked at yet."""
        self.collect()
        commands = [command for _, command in self.log[self.seen :]]
        self.seen = len(self.log)
        return commands

    def collect(self) -> None:
        for command in self.link.take_commands():
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
        self.link.join(topic, self.now)
        frame = self.sent()[-1]
        assert frame.event == "phx_join"
        self.receive(reply(frame))
        return frame

    def events(self) -> list[str]:
        """Names of what was delivered since."""
        return [e.frame.event for e in self.effects(Deliver)]

    def troubles(self) -> list[str]:
        return [type(e.error).__name__ for e in self.effects(Trouble)]

    def effects(self, kind: type[T]) -> list[T]:
        """Take the effects of one kind."""
        found: list[T] = [e for e in self.link.effects if isinstance(e, kind)]
        self.link.effects = [e for e in self.link.effects if not isinstance(e, kind)]
        return found
