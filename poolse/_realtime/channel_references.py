"""The life of one channel in a client: from the first reference to it to the last one released.

It knows who wants which event, who is present, and how it ended. Events go into bounded queues;
nothing here waits or calls a user's code.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from copy import copy
from typing import Generic, TypeVar, cast
from weakref import WeakKeyDictionary, ref

import attrs

from poolse._json.codec import Mismatch, decode_value
from poolse._realtime.channel import ChannelProtocol
from poolse._realtime.channel_types import ChannelType, EventType, UnknownEvent
from poolse._realtime.frames import Frame
from poolse._realtime.presence import Presence
from poolse._realtime.queues import (
    CallbackQueue,
    ChannelQueue,
    EventQueue,
    Handler,
    Subscriber,
    Wake,
)
from poolse._realtime.socket import Socket
from poolse.errors import ChannelClosed, DecodeError, PoolseError, UsageError

__all__ = [
    "ChannelReference",
    "ChannelSubscription",
    "EventSink",
    "EventStream",
    "fresh",
    "topic_of",
]

P = TypeVar("P")


class EventStream(Generic[P]):
    """Events on their way to one iterator."""

    def __init__(self, limit: int, wake: Wake, topic: str | None = None) -> None:
        self.queue: EventQueue[P] = EventQueue(limit, topic)
        self.wake = wake
        self.reference: ChannelReference | None = None
        """What it ends with."""

    def put(self, event: P, name: str | None = None, *, transient: bool = False) -> None:
        """Add an event."""
        if self.queue.put(event, name, transient=transient):
            self.wake()

    def end(self, error: PoolseError | None) -> None:
        """Let the iterator end after what is queued."""
        self.queue.close(error)
        self.wake()


class EventSink(EventStream[object]):
    """Events for a state that the library keeps: taken at once, while the lock is held."""

    def __init__(
        self, receive: Callable[[object], object], ended: Callable[[PoolseError | None], object]
    ) -> None:
        """Create it.

        Args:
            receive: Called with each event. Must not wait, nor call a user's code.
            ended: Called with the error that ended the channel; None if it was left.
        """
        super().__init__(1, lambda: None)
        self._receive = receive
        self._ended = ended

    def put(self, event: object, name: str | None = None, *, transient: bool = False) -> None:  # noqa: ARG002
        """Pass the event on."""
        self._receive(event)

    def end(self, error: PoolseError | None) -> None:
        """Pass on that no event will follow."""
        self._ended(error)


Target = Handler | ref[EventStream[object]]
"""A handler, or an iterator. An iterator is not kept alive: one that was thrown away in the
middle of a loop must not collect events for ever. While a task or thread waits for it, see
`ChannelSubscription.waiting`."""


@attrs.define(eq=False)
class ChannelReference:
    """A reference that keeps a channel joined. It is released once; again does nothing."""

    subscription: ChannelSubscription
    is_internal: bool
    """Whether it is the library's own, which a user's `leave` does not release."""
    epoch: int
    """How often all references of users had been released at once before it was acquired."""
    is_released: bool = False
    handlers: set[Subscriber[Target]] = attrs.field(factory=set[Subscriber[Target]])
    """Handlers that end with it."""

    @property
    def is_over(self) -> bool:
        """Whether it holds the channel no longer."""
        subscription = self.subscription
        revoked = not self.is_internal and self.epoch != subscription.epoch
        return self.is_released or subscription.is_over or revoked

    def check(self) -> None:
        """Raise what ended this reference, if it has ended."""
        self.subscription.check()
        if self.is_over:
            raise ChannelClosed(f"{self.subscription.topic} was left")

    @property
    def joined(self) -> bool:
        """Whether the channel is joined.

        Raises:
            PoolseError: It is not, and will not be.
        """
        self.check()
        return self.subscription.joined


class ChannelSubscription:
    """One channel, and all references to it."""

    def __init__(
        self,
        channel_type: ChannelType,
        parameter: str,
        socket: Socket,
        channel: ChannelProtocol,
        callbacks: CallbackQueue,
    ) -> None:
        self.channel_type = channel_type
        self.parameter = parameter
        self.topic: str = channel.topic
        self.socket = socket
        self.channel = channel
        self.references: int = 0
        """References of users. A handle that was thrown away keeps its own."""
        self.internal_references: int = 0
        """References of the library's own."""
        self.epoch: int = 0
        """How often all references of users were released at once."""
        self.is_over: bool = False
        self.is_left: bool = False
        """Whether it is over for the server too."""
        self.queue: ChannelQueue = ChannelQueue(self.topic)
        """The calls of handlers that wait."""
        self.waiting: set[EventStream[object]] = set()
        """Iterators that are waited for: there may be no other reference to them or their task."""
        self.wakes: list[Wake] = []
        """Called when something changed that a waiter may wait for."""
        self.presence: Presence = Presence(drops_stale=channel.policy.stale_diffs_dropped)
        """Who is in the channel, as last known."""
        self._callbacks = callbacks
        self._error: PoolseError | None = None
        self._subscribers: dict[str | None, list[Subscriber[Target]]] = {}
        """By the event that they want; None for those that want every event."""
        self._streams = WeakKeyDictionary[EventStream[object], Subscriber[Target]]()
        self._latest: dict[str, object] = {}
        """The latest of the events that late subscribers are given."""
        presence = channel_type.presence
        # The latest presence is that of `Presence`: the event itself is out of date soon.
        current = (presence.state, presence.diff) if presence else ()
        self._replayed = frozenset(
            event.wire
            for event in channel_type.events.values()
            if event.replay and event.wire not in current
        )

    def acquire(self, *, internal: bool) -> ChannelReference:
        """Add a reference."""
        if internal:
            self.internal_references += 1
        else:
            self.references += 1
        return ChannelReference(self, internal, self.epoch)

    def release(self, reference: ChannelReference) -> bool:
        """Drop a reference, with its handlers and iterators; False when it had ended before."""
        if reference.is_over:
            return False
        reference.is_released = True
        for handler in list(reference.handlers):
            self.unsubscribe(handler)
        for stream in list(self._streams):
            if stream.reference is reference:
                stream.end(None)
                self.remove_stream(stream)
        if reference.is_internal:
            self.internal_references -= 1
        else:
            self.references -= 1
        return True

    def release_all(self) -> None:
        """Drop all references of users."""
        self.references = 0
        self.epoch += 1

    @property
    def joined(self) -> bool:
        """Whether the channel is joined.

        Raises:
            PoolseError: It is not, and will not be.
        """
        self.check()
        if self.socket.failure is not None:
            raise fresh(self.socket.failure)
        if self.socket.connection.status == "closed":
            raise ChannelClosed(f"{self.topic} cannot be joined: realtime was disconnected")
        return self.channel.state == "joined"

    def explain(self, error: PoolseError) -> PoolseError:
        """Add to a timeout what was wrong last, in its text and as its cause."""
        cause = self.socket.trouble or self.channel.trouble
        if cause is not None:
            error.message = f"{error.message}; the reason: {cause}"
            error.args = (error.message,)
            error.__cause__ = fresh(cause)
        return error

    def check(self) -> None:
        """Raise what ended this channel, if it has ended."""
        if self.is_over:
            raise fresh(self._error or ChannelClosed(f"{self.topic} was left"))

    def subscribe(
        self, reference: ChannelReference, wire: str, handler: Handler, context: Context | None
    ) -> Subscriber[Target]:
        """Call a handler for each event of a name, until `unsubscribe`."""
        subscriber = self._subscribe(wire, handler, context)
        reference.handlers.add(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber[Target]) -> None:
        """Remove a handler or an iterator. Doing it again does nothing."""
        if subscriber.active:
            subscriber.active = False
            self._subscribers[subscriber.event].remove(subscriber)
            self._callbacks.remove(self.queue, subscriber)

    def add_stream(
        self, reference: ChannelReference, stream: EventStream[object], wire: str | None = None
    ) -> None:
        """Give an iterator the events of a name, or all events, from now on."""
        stream.reference = reference
        self._add_stream(stream, wire)
        if self.socket.failure is not None:
            stream.end(fresh(self.socket.failure))

    def remove_stream(self, stream: EventStream[object]) -> None:
        """Give an iterator no more events. Doing it again does nothing."""
        subscriber = self._streams.pop(stream, None)
        if subscriber is not None:
            self.unsubscribe(subscriber)

    def end_users(self) -> None:
        """End everything of the user, who has left, but not the library's own references."""
        internal: list[tuple[EventStream[object], str | None]] = []
        for stream, subscriber in list(self._streams.items()):
            if stream.reference is not None and stream.reference.is_internal:
                internal.append((stream, subscriber.event))
            else:
                stream.end(None)
        self._clear()
        self._streams.clear()
        for stream, wire in internal:
            self._add_stream(stream, wire)

    def _add_stream(self, stream: EventStream[object], wire: str | None) -> None:
        self._streams[stream] = self._subscribe(wire, ref(stream))

    def _subscribe(
        self, wire: str | None, target: Target, context: Context | None = None
    ) -> Subscriber[Target]:
        events, presence = self.channel_type.events, self.channel_type.presence
        event = events.get(wire or "")
        transient = event is not None and event.transient
        subscriber = Subscriber(wire, target, transient=transient, context=context)
        self._subscribers.setdefault(wire, []).append(subscriber)
        if not isinstance(target, ref):
            self.queue.backlogs.add(cast("Subscriber[Handler]", subscriber))
        latest = {name: v for name, v in self._latest.items() if wire in (None, name)}
        if presence and wire in (None, presence.state) and self.presence.is_synced:
            read = events[presence.state].read
            latest[presence.state] = decode_value(read, self.presence.snapshot)
        for name, value in latest.items():
            self._give([subscriber], value, events.get(name))
        return subscriber

    def deliver(self, frame: Frame) -> None:
        """Queue an event for all that want it, in the order of subscribing."""
        name, presence = frame.event, self.channel_type.presence
        if presence is not None and name == presence.state:
            self.presence.state(frame.payload, self.channel.join_ref)
        elif presence is not None and name == presence.diff:
            self.presence.diff(frame.payload, self.channel.join_ref)
        subscribers = [*self._subscribers.get(name, ()), *self._subscribers.get(None, ())]
        is_replayed = name in self._replayed
        # Events without a subscriber, now or later, are not decoded.
        if not subscribers and not is_replayed:
            return
        event = self.channel_type.events.get(name)
        try:
            value = event.read(frame.payload) if event else UnknownEvent(name, frame.payload)
        except Mismatch as mismatch:
            error = DecodeError(str(mismatch), mismatch.path)
            error.message = f"{name} of {self.topic}: {error.message}"
            self._callbacks.report_error(error)
            return
        if is_replayed:
            self._latest[name] = value
        self._give(subscribers, value, event)

    def _give(
        self,
        subscribers: list[Subscriber[Target]],
        value: object,
        event: EventType[object] | None,
    ) -> None:
        for subscriber in subscribers:
            target = subscriber.target
            if not isinstance(target, ref):
                self._callbacks.put(self.queue, subscriber, value)
            elif (stream := target()) is None:
                self.unsubscribe(subscriber)
            elif event is None:
                # A server can make up any number of names that this release does not know.
                stream.put(value)
            else:
                stream.put(value, event.wire, transient=event.transient)

    def has_left(self) -> bool:
        """Return whether the server has confirmed the leave, which `leave` waits for."""
        return self.is_left

    def end(self, error: PoolseError | None) -> None:
        """End the channel: left without an error, or ended by one. Again has no effect."""
        if not self.is_over:
            self.is_over = True
            self._error = error
            self.presence.lost()
            self.end_streams(error)
            self._clear()

    def end_streams(self, error: PoolseError | None) -> None:
        """Let all iterators end after what is queued for them."""
        for stream in list(self._streams):
            stream.end(error and fresh(error))

    def notify(self) -> None:
        """Wake all that wait for a change of this channel."""
        for wake in self.wakes:
            wake()

    def _clear(self) -> None:
        for subscribers in self._subscribers.values():
            for subscriber in subscribers:
                subscriber.active = False
        self._subscribers.clear()
        self._latest.clear()
        self._callbacks.clear(self.queue)


def fresh(error: PoolseError) -> PoolseError:
    """Copy an error to raise it: it may be raised to many, and each adds to its traceback."""
    twin = copy(error)
    twin.__cause__ = error.__cause__
    return twin


def topic_of(channel_type: ChannelType, parameter: str) -> str:
    """Return the topic of a channel of this type."""
    if not parameter:
        raise UsageError(f"a channel {channel_type.topic} needs an id, not {parameter!r}")
    try:
        parameter.encode()
    except UnicodeEncodeError as error:
        # Found here, because a socket would stumble over it after the caller has gone on.
        raise UsageError(f"{parameter!r} cannot be joined: it is not valid UTF-8") from error
    before, _, rest = channel_type.topic.partition("{")
    return before + parameter + rest.partition("}")[2]
