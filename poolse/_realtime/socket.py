"""One socket with the channels on it.

Joins are paced: the server works on them one after the other, and answers neither heartbeats nor
anything else of that connection meanwhile. So the clocks of what was sent after a join start over
when that join is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from poolse._realtime.channel import ChannelProtocol
from poolse._realtime.channel_effects import Answered, Changed, Deliver, Ended, JoinDue
from poolse._realtime.connection import Connection
from poolse._realtime.connection_history import ConnectionHistory
from poolse._realtime.effects import (
    Close,
    Command,
    Down,
    Effect,
    Failed,
    Failure,
    Open,
    Send,
    Trouble,
    Up,
)
from poolse._realtime.frames import PHX_REPLY, Data, Frame
from poolse._realtime.push import Payload, Push
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import ChannelClosed, PoolseError, RealtimeError

__all__ = ["Heard", "News", "Socket"]

Heard = tuple[ChannelProtocol, Frame]
"""An event, and the channel in which it was heard."""

News = Changed | Ended | Answered | Trouble | Failed | Up | Down


class Socket:
    """One socket with the channels on it."""

    def __init__(
        self,
        settings: RealtimeSettings,
        random: Callable[[], float],
        history: ConnectionHistory | None = None,
        number: int = 1,
    ) -> None:
        self.number = number
        """Tells the sockets of a client apart."""
        self._history = history or ConnectionHistory(settings.stable_after)
        self.connection: Connection = Connection(settings, random, self._history)
        self.commands: list[Command] = []
        """What the owner of the transport has to carry out, in this order."""
        self.effects: list[Deliver | News] = []
        self.failure: PoolseError | None = None
        """Why this socket will not be tried again."""
        self.trouble: PoolseError | None = None
        """Why this socket is not open: what went wrong last."""
        self.is_retired: bool = False
        """Whether it is closed for good, since no channel needs it."""
        self.is_broken: bool = False
        """Whether nobody looks after this socket any more."""
        self.opened_times: int = 0
        self.wake: Callable[[], object] = _nobody
        """Tells the owner of the transport that there are commands, or that it is over."""
        self._announced: float | None = None
        self._settings = settings
        self._random = random
        self._channels: dict[str, ChannelProtocol] = {}
        # Those that wait for their turn to join, and those that have a deadline.
        self._due: dict[str, ChannelProtocol] = {}
        self._timed: dict[str, ChannelProtocol] = {}

    @property
    def has_room(self) -> bool:
        """Whether another channel fits on this socket."""
        return not self.is_broken and len(self._channels) < self._settings.channels_per_socket

    @property
    def is_empty(self) -> bool:
        """Whether no channel is on it any more."""
        return not self._channels

    def next_deadline(self) -> float | None:
        """When `tick` has something to do."""
        deadlines = [self.connection.deadline, *(c.wake_at for c in self._timed.values())]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def wake_if_needed(self) -> None:
        """Wake the owner of the transport, if it has more to do, or to do it at another time."""
        deadline = self.next_deadline()
        if self.commands or deadline != self._announced:
            self._announced = deadline
            self.wake()

    def take_commands(self) -> list[Command]:
        """What the owner of the transport has to carry out now."""
        commands, self.commands = self.commands, []
        return commands

    def connect(self, now: float) -> None:
        """Open the socket."""
        self.failure = None
        self.connection.connect(now)
        self._settle(now)

    def disconnect(self, now: float) -> None:
        """Close the socket. Its channels join again when it is opened again."""
        for channel in list(self._channels.values()):
            channel.give_up(ChannelClosed(f"{channel.topic}: realtime was disconnected"))
            self._carry(channel)
        self.connection.disconnect()
        self._settle(now)

    def opened(self, generation: int, now: float) -> None:
        """See `Connection.opened`; the other inputs of the transport likewise."""
        self.connection.opened(generation, now)
        self._settle(now)

    def failed(self, generation: int, failure: Failure, now: float) -> None:
        self.connection.failed(generation, failure, now)
        self._settle(now)

    def closed(self, generation: int, code: int, now: float) -> None:
        self.connection.closed(generation, code, now)
        self._settle(now)

    def received(self, generation: int, messages: Iterable[Data], now: float) -> Iterator[Heard]:
        """Messages came. Gives the events in them, each before the next message is looked at."""
        for data in messages:
            frame = self.connection.received(generation, data, now)
            if frame is not None:
                channel = self._channels.get(frame.topic)
                # Nearly every message is an event, which changes nothing that had to be settled.
                if channel is not None and channel.receive(frame, now):
                    yield channel, frame
                    continue
                if channel is not None:
                    self._carry(channel)
                if frame.event == PHX_REPLY and frame.ref is not None:
                    self._replied(frame.ref, now)
            self._settle(now)

    def hears(self, generation: int, now: float) -> None:
        """A part of a message came."""
        if generation == self.connection.generation:
            self.connection.hears(now)

    def held_up(self, now: float) -> None:
        """The owner of the transport had to wait before it could send what it was to send."""
        self.connection.held_up(now)
        for channel in self._channels.values():
            channel.held_up(now)

    def tick(self, now: float) -> None:
        """Time has passed."""
        self.connection.tick(now)
        for channel in list(self._timed.values()):
            channel.tick(now)
            self._carry(channel)
        self._settle(now)

    def broken(self, error: PoolseError, now: float) -> None:
        """Nobody looks after this socket any more. That is for good."""
        self.is_broken = True
        self.connection.disconnect()
        self.connection.effects.append(Failed(error))
        self._settle(now)

    def retire(self, now: float) -> None:
        """Close the socket for good. It has no channels."""
        self.is_retired = True
        self.connection.disconnect()
        self._settle(now)

    def join(self, topic: str, now: float, transient: Collection[str] = ()) -> ChannelProtocol:
        """Want a channel on this socket. It may be one that is still being left."""
        older = self._channels.get(topic)
        if older is not None:
            older.replaced(now)
            self._carry(older)
        next_ref = self.connection.next_ref
        channel = ChannelProtocol(
            topic, self._settings, self._random, next_ref, transient, self._history
        )
        self._channels[topic] = channel
        channel.start(now)
        self._carry(channel)
        self._settle(now)
        return channel

    def leave(self, channel: ChannelProtocol, now: float) -> None:
        """Want a channel no more."""
        channel.leave(now)
        self._carry(channel)
        self._settle(now)

    def push(
        self, channel: ChannelProtocol, event: str, payload: Mapping[str, object], now: float
    ) -> bool:
        """Send an event without a reply; False when it was dropped, not being joined.

        Raises:
            FrameError: The payload cannot be encoded.
            RealtimeError: Too much waits for the socket already.
        """
        self._check_backlog()
        sent = channel.push(event, payload)
        self._carry(channel)
        self._settle(now)
        return sent

    def ask(
        self, channel: ChannelProtocol, event: str, payload: Payload, deadline: float, now: float
    ) -> Push:
        """Send an event and want its reply.

        Raises:
            FrameError: The payload cannot be encoded.
            RealtimeError: Too much waits for the socket already, or for its turn.
        """
        self._check_backlog()
        push = channel.ask(event, payload, deadline, now)
        self._carry(channel)
        self._settle(now)
        return push

    def withdraw(self, channel: ChannelProtocol, push: Push) -> None:
        """Want a reply no more."""
        channel.withdraw(push)
        if self._channels.get(channel.topic) is channel:
            self._carry(channel)

    def _replied(self, ref: str, now: float) -> None:
        """A reply came. If it is to a join, what was sent after that join has its turn now."""
        if self.connection.joins.answered(ref):
            self.connection.join_answered(ref, now)
            for channel in self._channels.values():
                channel.join_answered(ref, now)

    def _check_backlog(self) -> None:
        if len(self.commands) >= self._settings.queue_limit:
            raise RealtimeError(f"{self._settings.queue_limit} frames wait for the socket already")

    def _settle(self, now: float) -> None:
        """Work off what the connection said, and what follows from it."""
        if self.connection.effects:
            self._follow_all(now)
        if self._due and self.connection.state == "open":
            self._join_due(now)
            self._follow_all(now)

    def _follow_all(self, now: float) -> None:
        while self.connection.effects:
            effects, self.connection.effects = self.connection.effects, []
            for effect in effects:
                self._follow(effect, now)

    def _follow(self, effect: Effect, now: float) -> None:
        match effect:
            case Open() | Send() | Close():
                self.commands.append(effect)
            case Up():
                self.opened_times += 1
                self.trouble = None
                self.effects.append(effect)
                self._due = dict(self._channels)
            case Down():
                self.effects.append(effect)
                self._due.clear()
                for channel in list(self._channels.values()):
                    channel.lost(now)
                    self._carry(channel)
            case Failed():
                self.failure = self.trouble = effect.error
                for channel in list(self._channels.values()):
                    channel.give_up(effect.error)
                    self._carry(channel)
                self.effects.append(effect)
            case Trouble():
                if self.connection.state != "open":
                    self.trouble = effect.error
                self.effects.append(effect)

    def _carry(self, channel: ChannelProtocol) -> None:
        """Pass on what a channel wants."""
        effects, channel.effects = channel.effects, []
        for effect in effects:
            match effect:
                case Deliver():
                    self.effects.append(effect)
                case Frame():
                    self.connection.send(effect)
                case JoinDue():
                    self._due[channel.topic] = channel
                case Ended():
                    del self._channels[channel.topic]
                    self._due.pop(channel.topic, None)
                    self.effects.append(effect)
                case _:
                    self.effects.append(effect)
        if channel.wake_at is None:
            self._timed.pop(channel.topic, None)
        else:
            self._timed[channel.topic] = channel

    def _join_due(self, now: float) -> None:
        under_way = sum(c.state == "joining" for c in self._channels.values())
        while self._due and under_way < self._settings.joins_at_once:
            channel = self._due.pop(next(iter(self._due)))
            channel.join(now)
            self._carry(channel)
            under_way += 1


def _nobody() -> None:
    """The socket has no owner yet."""
