"""One connection with the channels on it.

Joins are paced: the server works on them one after the other, and answers neither heartbeats nor
anything else of that connection meanwhile. So the clocks of what was sent after a join start over
when that join is answered.

Effects of a step, those of the connection and of every channel, are one list, which `flush` works
off in order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from poolse._realtime.channel import ChannelProtocol, Effects
from poolse._realtime.connection import Connection
from poolse._realtime.effects import Command, Down, Effect, Ended, Failed, JoinDue, Trouble, Up
from poolse._realtime.frames import PHX_REPLY, Data, Frame
from poolse._realtime.reconnect_policy import ConnectionHistory
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import ChannelClosed, PoolseError, RealtimeError

__all__ = ["Socket"]


class Socket:
    """One connection with the channels on it."""

    def __init__(
        self,
        settings: RealtimeSettings,
        random: Callable[[], float],
        history: ConnectionHistory | None = None,
        number: int = 1,
    ) -> None:
        self.number = number
        """Tells the sockets of a client apart."""
        self.effects: Effects = []
        """What `flush` has to work off."""
        self._history = history or ConnectionHistory(settings.stable_after)
        self.connection: Connection = Connection(settings, random, self.effects, self._history)
        self.failure: PoolseError | None = None
        """Why this socket will not be tried again."""
        self.trouble: PoolseError | None = None
        """Why this socket is not open: what went wrong last."""
        self.is_retired: bool = False
        """Whether it is closed for good, since no channel needs it."""
        self.is_broken: bool = False
        """Whether its driver has failed."""
        self.opened_times: int = 0
        self.deadline: float | None = None
        """When the driver has to `tick` next."""
        self.wake: Callable[[], object] = _no_driver
        """Wakes the driver: there are commands, another deadline, or it is over."""
        self._settings = settings
        self._random = random
        self._channels: dict[str, ChannelProtocol] = {}
        self._due: dict[ChannelProtocol, None] = {}
        """Channels that wait for their turn to join, in order."""

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
        deadlines = [self.connection.deadline, *(c.wake_at for c in self._channels.values())]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def wake_if_needed(self) -> None:
        """Wake the driver, if it has more to do, or has to do it at another time."""
        deadline = self.next_deadline()
        if self.connection.commands or deadline != self.deadline:
            self.deadline = deadline
            self.wake()

    def take_commands(self) -> list[Command]:
        """Return what the driver has to execute now."""
        commands, self.connection.commands = self.connection.commands, []
        return commands

    def connect(self, now: float) -> None:
        """Open the socket."""
        self.failure = None
        self.connection.connect(now)

    def disconnect(self) -> None:
        """Close the socket. Its channels join again when it is opened again."""
        for channel in self._channels.values():
            channel.give_up(ChannelClosed(f"{channel.topic}: realtime was disconnected"))
        self.connection.disconnect()

    def retire(self) -> None:
        """Close the socket for good. It has no channels."""
        self.is_retired = True
        self.connection.disconnect()

    def driver_failed(self, error: PoolseError) -> None:
        """Nobody opens the socket or reads from it any more. That is for good."""
        self.is_broken = True
        self.connection.give_up(error)

    def receive(
        self, generation: int, data: Data, now: float
    ) -> tuple[ChannelProtocol, Frame] | None:
        """Take a message. Return it with its channel if it is an event: that has no effects."""
        frame = self.connection.received(generation, data, now)
        if frame is None:
            return None
        channel = self._channels.get(frame.topic)
        if channel is not None and channel.receive(frame, now):
            return channel, frame
        if frame.event == PHX_REPLY and frame.ref and self.connection.joins.answered(frame.ref):
            # What was sent after that join has its turn now.
            self.connection.join_answered(frame.ref, now)
            for channel in self._channels.values():
                channel.join_answered(frame.ref, now)
        return None

    def held_up(self, now: float) -> None:
        """The driver had to wait before it could send what it was to send."""
        self.connection.held_up(now)
        for channel in self._channels.values():
            channel.held_up(now)

    def tick(self, now: float) -> None:
        """Time has passed: do what is due."""
        self.connection.tick(now)
        for channel in self._channels.values():
            deadline = channel.wake_at
            if deadline is not None and deadline <= now:
                channel.tick(now)

    def join(self, topic: str, now: float, transient: Collection[str] = ()) -> ChannelProtocol:
        """Join a channel on this socket. The topic may be one that is still being left."""
        older = self._channels.get(topic)
        if older is not None:
            older.replaced(now)
        channel = ChannelProtocol(
            topic,
            self._settings,
            self._random,
            self.connection.next_ref,
            self.connection.send,
            self.effects,
            transient,
            self._history,
        )
        self._channels[topic] = channel
        channel.start(now)
        return channel

    def check_backlog(self) -> None:
        """Refuse a push when the socket is too far behind.

        Raises:
            RealtimeError: Too many frames wait for the socket already.
        """
        if len(self.connection.commands) >= self._settings.queue_limit:
            raise RealtimeError(f"{self._settings.queue_limit} frames wait for the socket already")

    def flush(self, now: float) -> Iterator[tuple[ChannelProtocol | None, Effect]]:
        """Work off all effects in their order, then let channels join.

        Yields:
            Each effect with its channel, after it has changed what it changes here.
        """
        while self.effects:
            channel, effect = self.effects.pop(0)
            match effect:
                case Up():
                    self.opened_times += 1
                    self.trouble = None
                    self._due = dict.fromkeys(self._channels.values())
                case Down():
                    self._due.clear()
                    for other in self._channels.values():
                        other.lost(now)
                case Failed():
                    self.failure = self.trouble = effect.error
                    for other in self._channels.values():
                        other.give_up(effect.error)
                case Trouble():
                    if channel is None and self.connection.state != "open":
                        self.trouble = effect.error
                case JoinDue() if channel is not None:
                    self._due[channel] = None
                case Ended() if channel is not None:
                    self._remove(channel)
                case _:
                    pass
            yield channel, effect
        if self._due and self.connection.state == "open":
            self._join_due(now)

    def _remove(self, channel: ChannelProtocol) -> None:
        self._due.pop(channel, None)
        # Another channel may have taken its place.
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]

    def _join_due(self, now: float) -> None:
        joining = sum(channel.state == "joining" for channel in self._channels.values())
        while self._due and joining < self._settings.joins_at_once:
            channel = next(iter(self._due))
            del self._due[channel]
            channel.join(now)
            joining += 1


def _no_driver() -> None:
    """The socket has no driver yet."""
