"""The life of one channel handle: from the first claim on it to the last one given back.

It knows who wants which event, who is present, and how it ended. What it hands out goes into
bounded queues; nothing here waits or calls a user's code.
"""

from __future__ import annotations

from copy import copy
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary, WeakSet, ref

from poolse._core.codec import Mismatch, decode_value
from poolse._realtime.calls import Calls, Handler, Wake
from poolse._realtime.channel import ChannelMachine
from poolse._realtime.events import ChannelType, EventType, UnknownEvent
from poolse._realtime.fanout import EventQueue, Fanout, Subscription
from poolse._realtime.frames import Frame
from poolse._realtime.link import Link
from poolse._realtime.presence import Presence
from poolse.errors import ChannelClosed, DecodeError, PoolseError, UsageError

__all__ = ["Session", "Stream", "fresh", "topic_of"]

P = TypeVar("P")


class Stream(Generic[P]):
    """Events on their way to one iterator."""

    def __init__(self, limit: int, wake: Wake) -> None:
        self.queue: EventQueue[P] = EventQueue(limit)
        self.wake = wake

    def put(self, event: P) -> None:
        """One event more."""
        if self.queue.put(event):
            self.wake()

    def end(self, error: PoolseError | None) -> None:
        """Let the iterator end after what is queued."""
        self.queue.close(error)
        self.wake()


Target = Handler | ref[Stream[object]]
"""A handler, or an iterator. An iterator is not kept alive: one that was thrown away in the
middle of a loop must not collect events for ever."""


class Session:
    """One channel handle."""

    def __init__(
        self, kind: ChannelType, parameter: str, topic: str, link: Link, machine: ChannelMachine
    ) -> None:
        self.kind = kind
        self.parameter = parameter
        self.topic = topic
        self.link = link
        self.machine = machine
        self.claims = 0
        self.holds = 0
        """Claims of the library's own."""
        self.is_over: bool = False
        self.has_left = False
        self.handle: object = None
        """What the user holds: the same one for all claims."""
        self.wakes: list[Wake] = []
        """Called when something changed that a waiter may wait for."""
        self._error: PoolseError | None = None
        self._presence = Presence(drops_stale=machine.policy.stale_diffs_dropped)
        self._streams = WeakSet[Stream[object]]()
        self._taps = WeakKeyDictionary[Stream[object], Subscription[Target]]()
        events = kind.events.values()
        presence = kind.presence
        self._of_presence = frozenset((presence.state, presence.diff) if presence else ())
        self._fanout = Fanout[Target, object](
            # The latest presence is that of `Presence`: the event itself is out of date soon.
            [event.wire for event in events if event.replay and event.wire not in self._of_presence]
        )

    @property
    def joined(self) -> bool:
        """Whether the server has let us in.

        Raises:
            PoolseError: It has not, and will not.
        """
        self.check()
        if self.link.failure is not None:
            raise fresh(self.link.failure)
        if self.link.connection.status == "closed":
            raise ChannelClosed(f"{self.topic} cannot be joined: realtime was disconnected")
        return self.machine.state == "joined"

    def is_left(self) -> bool:
        """Whether the server is done with it too."""
        return self.has_left

    def check(self) -> None:
        """Raise what ended this handle, if it has ended."""
        if self.is_over:
            raise fresh(self._error or ChannelClosed(f"{self.topic} was left"))

    def presence(self, event: EventType[P]) -> P:
        """Who is in the channel, as far as the server has told."""
        return decode_value(event.read, self._presence.snapshot)

    def subscribe(self, wire: str, handler: Handler, calls: Calls) -> Subscription[Target]:
        """Let a handler be called for an event."""
        return self._subscribe(wire, handler, calls)

    def stream(self, stream: Stream[object], calls: Calls) -> None:
        """Give an iterator every event from now on."""
        self._streams.add(stream)
        self._subscribe(None, ref(stream), calls)

    def tap(self, stream: Stream[object], wire: str, calls: Calls) -> None:
        """Give a reader of the library's own an event from now on, whoever leaves meanwhile."""
        self._streams.add(stream)
        self._taps[stream] = self._subscribe(wire, ref(stream), calls)

    def untap(self, stream: Stream[object]) -> None:
        """Such a reader wants no more."""
        self._streams.discard(stream)
        self.unsubscribe(self._taps.pop(stream))

    def silence(self, calls: Calls) -> None:
        """The user has left, and the library has not: forget everything but the taps."""
        taps = dict(self._taps)
        for stream in set(self._streams) - taps.keys():
            stream.end(None)
            self._streams.discard(stream)
        self._fanout.clear()
        for stream, subscription in taps.items():
            self.tap(stream, str(subscription.event), calls)

    def _subscribe(self, wire: str | None, target: Target, calls: Calls) -> Subscription[Target]:
        subscription, latest = self._fanout.subscribe(wire, target)
        kind = self.kind.presence
        if kind and wire in (None, kind.state) and self._presence.is_synced:
            latest.append(self.presence(self.kind.events[kind.state]))
        for value in latest:
            self._give([subscription], value, calls)
        return subscription

    def unsubscribe(self, subscription: Subscription[Target]) -> None:
        """Take an interest back. Doing it again does nothing."""
        if subscription.active:
            self._fanout.unsubscribe(subscription)

    def deliver(self, frame: Frame, calls: Calls) -> None:
        """The server said something: queue it for whoever wants it."""
        if frame.event in self._of_presence:
            self._keep_presence(frame)
        takers, keeps = self._fanout.takers(frame.event), frame.event in self._fanout.replayed
        # What nobody wants, now or later, is not worth reading.
        if not takers and not keeps:
            return
        event = self.kind.events.get(frame.event)
        try:
            value = event.read(frame.payload) if event else _unknown(frame)
        except Mismatch as mismatch:
            error = DecodeError(str(mismatch), mismatch.path)
            error.message = f"{frame.event} of {self.topic}: {error.message}"
            calls.report(error)
            return
        if keeps:
            self._fanout.keep(frame.event, value)
        self._give(takers, value, calls)

    def _give(self, takers: list[Subscription[Target]], value: object, calls: Calls) -> None:
        for subscription in takers:
            target = subscription.target
            if not isinstance(target, ref):
                calls.put(subscription, value)
            elif (stream := target()) is not None:
                stream.put(value)
            else:
                self.unsubscribe(subscription)

    def lost(self) -> None:
        """The channel is not joined any more, or not yet again."""
        self._presence.lost()

    def over(self, error: PoolseError | None) -> None:
        """The handle is dead: left without an error, or ended by one."""
        if not self.is_over:
            self.is_over = True
            self._error = error
            self._presence.lost()
            self.end_streams(error)
            self._fanout.clear()

    def end_streams(self, error: PoolseError | None) -> None:
        """Let all iterators end after what is queued for them."""
        for stream in list(self._streams):
            stream.end(error and fresh(error))

    def _keep_presence(self, frame: Frame) -> None:
        kind = self.kind.presence
        if kind is not None and frame.event == kind.state:
            self._presence.state(frame.payload, self.machine.join_ref)
        else:
            self._presence.diff(frame.payload, self.machine.join_ref)


def _unknown(frame: Frame) -> UnknownEvent:
    return UnknownEvent(frame.event, frame.payload)


def fresh(error: PoolseError) -> PoolseError:
    """A copy to raise: one error may be told to many, and each raise adds to its traceback."""
    twin = copy(error)
    twin.__cause__ = error.__cause__
    return twin


def topic_of(kind: ChannelType, parameter: str) -> str:
    """The topic of a channel of this kind."""
    if not parameter:
        raise UsageError(f"a channel {kind.topic} needs an id, not {parameter!r}")
    before, _, rest = kind.topic.partition("{")
    return before + parameter + rest.partition("}")[2]
