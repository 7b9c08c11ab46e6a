"""The life of one channel: from the first claim on it to the last one released.

It knows who wants which event, who is present, and how it ended. What it hands out goes into
bounded queues; nothing here waits or calls a user's code.
"""

from __future__ import annotations

from contextvars import Context
from copy import copy
from typing import Generic, TypeVar, cast
from weakref import WeakKeyDictionary, WeakSet, ref

import attrs

from poolse._json.codec import Mismatch, decode_value
from poolse._realtime.callback_queue import CallbackQueue, ChannelQueue, Handler, Wake
from poolse._realtime.channel import ChannelProtocol
from poolse._realtime.events import ChannelType, EventType, UnknownEvent
from poolse._realtime.frames import Frame
from poolse._realtime.presence import Presence
from poolse._realtime.socket import Socket
from poolse._realtime.subscribers import EventQueue, Subscribers, Subscription
from poolse.errors import ChannelClosed, DecodeError, PoolseError, UsageError

__all__ = ["ChannelReference", "ChannelSubscription", "EventStream", "fresh", "topic_of"]

P = TypeVar("P")


class EventStream(Generic[P]):
    """Events on their way to one iterator."""

    def __init__(self, limit: int, wake: Wake, topic: str | None = None) -> None:
        self.queue: EventQueue[P] = EventQueue(limit, topic)
        self.wake = wake
        self.claim: ChannelReference | None = None
        """What it hangs on."""

    def put(self, event: P, name: str | None = None, *, transient: bool = False) -> None:
        """One event more."""
        if self.queue.put(event, name, transient=transient):
            self.wake()

    def end(self, error: PoolseError | None) -> None:
        """Let the iterator end after what is queued."""
        self.queue.close(error)
        self.wake()


Target = Handler | ref[EventStream[object]]
"""A handler, or an iterator. An iterator is not kept alive: one that was thrown away in the
middle of a loop must not collect events for ever. While a task or thread waits for it, see
`ChannelSubscription.waiting`."""


@attrs.define(eq=False)
class ChannelReference:
    """One holder's right to a channel. It is released once; a second time does nothing."""

    session: ChannelSubscription
    is_own: bool
    """Whether it is the library's own, which a user's `leave` does not release."""
    epoch: int
    """How often all claims of users had been released at once before this one was acquired."""
    is_released: bool = False
    subscriptions: set[Subscription[Target]] = attrs.field(factory=set[Subscription[Target]])
    """Handlers that end with it."""

    @property
    def is_over(self) -> bool:
        """Whether it holds the channel no longer."""
        session = self.session
        revoked = not self.is_own and self.epoch != session.epoch
        return self.is_released or session.is_over or revoked

    def check(self) -> None:
        """Raise what ended this claim, if it has ended."""
        self.session.check()
        if self.is_over:
            raise ChannelClosed(f"{self.session.topic} was left")

    @property
    def joined(self) -> bool:
        """Whether the channel is joined.

        Raises:
            PoolseError: It is not, and will not be.
        """
        self.check()
        return self.session.joined


class ChannelSubscription:
    """One channel, and everybody who holds it."""

    def __init__(
        self, kind: ChannelType, parameter: str, topic: str, link: Socket, machine: ChannelProtocol
    ) -> None:
        self.kind = kind
        self.parameter = parameter
        self.topic = topic
        self.link = link
        self.machine = machine
        self.claims: int = 0
        """How many claims of users there are. A handle that was thrown away keeps its claim."""
        self.holds: int = 0
        """Claims of the library's own."""
        self.epoch: int = 0
        """How often all claims of users were released at once."""
        self.is_over: bool = False
        self.has_left = False
        self.lane: ChannelQueue = ChannelQueue(topic)
        """The calls of handlers that wait."""
        self.waiting: set[EventStream[object]] = set()
        """Iterators that are waited for: nobody else may hold them, nor the task that waits."""
        self.wakes: list[Wake] = []
        """Called when something changed that a waiter may wait for."""
        self._error: PoolseError | None = None
        self._presence = Presence(drops_stale=machine.policy.stale_diffs_dropped)
        self._streams = WeakSet[EventStream[object]]()
        self._taps = WeakKeyDictionary[EventStream[object], Subscription[Target]]()
        events = kind.events.values()
        presence = kind.presence
        self._of_presence = frozenset((presence.state, presence.diff) if presence else ())
        self._fanout = Subscribers[Target, object](
            # The latest presence is that of `Presence`: the event itself is out of date soon.
            [event.wire for event in events if event.replay and event.wire not in self._of_presence]
        )

    def acquire(self, *, own: bool) -> ChannelReference:
        """One claim more."""
        if own:
            self.holds += 1
        else:
            self.claims += 1
        return ChannelReference(self, own, self.epoch)

    def release(self, claim: ChannelReference, calls: CallbackQueue) -> bool:
        """One claim less, with its handlers and iterators; False when it had ended before."""
        if claim.is_over:
            return False
        claim.is_released = True
        for subscription in list(claim.subscriptions):
            self.unsubscribe(subscription, calls)
        for stream in list(self._streams):
            if stream.claim is claim and stream not in self._taps:
                stream.end(None)
                self._streams.discard(stream)
        if claim.is_own:
            self.holds -= 1
        else:
            self.claims -= 1
        return True

    def release_all(self) -> None:
        """No claim of a user's any more."""
        self.claims = 0
        self.epoch += 1

    @property
    def joined(self) -> bool:
        """Whether the channel is joined.

        Raises:
            PoolseError: It is not, and will not be.
        """
        self.check()
        if self.link.failure is not None:
            raise fresh(self.link.failure)
        if self.link.connection.status == "closed":
            raise ChannelClosed(f"{self.topic} cannot be joined: realtime was disconnected")
        return self.machine.state == "joined"

    def explain(self, error: PoolseError) -> PoolseError:
        """Add to a timeout what was wrong last, in its text and as its cause."""
        cause = self.link.trouble or self.machine.trouble
        if cause is not None:
            error.message = f"{error.message}; the reason: {cause}"
            error.args = (error.message,)
            error.__cause__ = fresh(cause)
        return error

    def is_left(self) -> bool:
        """Whether the server is done with it too."""
        return self.has_left

    def check(self) -> None:
        """Raise what ended this channel, if it has ended."""
        if self.is_over:
            raise fresh(self._error or ChannelClosed(f"{self.topic} was left"))

    def presence(self, event: EventType[P]) -> P:
        """Who is in the channel, as far as the server has told."""
        return decode_value(event.read, self._presence.snapshot)

    def subscribe(
        self,
        claim: ChannelReference,
        wire: str,
        handler: Handler,
        context: Context | None,
        calls: CallbackQueue,
    ) -> Subscription[Target]:
        """Let a handler be called for an event."""
        subscription = self._subscribe(wire, handler, calls, context)
        claim.subscriptions.add(subscription)
        return subscription

    def stream(
        self, claim: ChannelReference, stream: EventStream[object], calls: CallbackQueue
    ) -> None:
        """Give an iterator every event from now on."""
        stream.claim = claim
        self._streams.add(stream)
        self._subscribe(None, ref(stream), calls)
        if self.link.failure is not None:
            stream.end(fresh(self.link.failure))

    def tap(self, stream: EventStream[object], wire: str, calls: CallbackQueue) -> None:
        """Give a reader of the library's own an event from now on, whoever leaves meanwhile."""
        self._streams.add(stream)
        self._taps[stream] = self._subscribe(wire, ref(stream), calls)

    def untap(self, stream: EventStream[object], calls: CallbackQueue) -> None:
        """Such a reader wants no more."""
        self._streams.discard(stream)
        self.unsubscribe(self._taps.pop(stream), calls)

    def silence(self, calls: CallbackQueue) -> None:
        """The user has left, and the library has not: forget everything but the taps."""
        taps = dict(self._taps)
        for stream in set(self._streams) - taps.keys():
            stream.end(None)
            self._streams.discard(stream)
        self._clear(calls)
        for stream, subscription in taps.items():
            self.tap(stream, str(subscription.event), calls)

    def _subscribe(
        self,
        wire: str | None,
        target: Target,
        calls: CallbackQueue,
        context: Context | None = None,
    ) -> Subscription[Target]:
        event = self.kind.events.get(wire or "")
        subscription, latest = self._fanout.subscribe(
            wire, target, transient=event is not None and event.transient, context=context
        )
        if not isinstance(target, ref):
            self.lane.backlogs.add(cast("Subscription[Handler]", subscription))
        events, kind = self.kind.events, self.kind.presence
        if kind and wire in (None, kind.state) and self._presence.is_synced:
            latest.append((kind.state, self.presence(events[kind.state])))
        for name, value in latest:
            self._give([subscription], value, events.get(name), calls)
        return subscription

    def unsubscribe(self, subscription: Subscription[Target], calls: CallbackQueue) -> None:
        """Take an interest back. Doing it again does nothing."""
        if subscription.active:
            self._fanout.unsubscribe(subscription)
            calls.remove(self.lane, subscription)

    def deliver(self, frame: Frame, calls: CallbackQueue) -> None:
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
        self._give(takers, value, event, calls)

    def _give(
        self,
        takers: list[Subscription[Target]],
        value: object,
        event: EventType[object] | None,
        calls: CallbackQueue,
    ) -> None:
        for subscription in takers:
            target = subscription.target
            if not isinstance(target, ref):
                calls.put(self.lane, subscription, value)
            elif (stream := target()) is not None:
                # A server can make up any number of names that this release does not know.
                if event is None:
                    stream.put(value)
                else:
                    stream.put(value, event.wire, transient=event.transient)
            else:
                self.unsubscribe(subscription, calls)

    def lost(self) -> None:
        """The channel is not joined any more, or not yet again."""
        self._presence.lost()

    def over(self, error: PoolseError | None, calls: CallbackQueue) -> None:
        """The channel is dead: left without an error, or ended by one."""
        if not self.is_over:
            self.is_over = True
            self._error = error
            self._presence.lost()
            self.end_streams(error)
            self._clear(calls)

    def end_streams(self, error: PoolseError | None) -> None:
        """Let all iterators end after what is queued for them."""
        for stream in list(self._streams):
            stream.end(error and fresh(error))

    def _clear(self, calls: CallbackQueue) -> None:
        self._fanout.clear()
        calls.clear(self.lane)

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
