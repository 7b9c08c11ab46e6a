"""Who wants which event, and the bounded queues between the socket and whoever takes events.

Nothing here locks, waits or calls a user's code. A body holds its lock, puts events into the queues
of its `takers`, and wakes whoever waits for them.
"""

from __future__ import annotations

from collections.abc import Collection
from contextvars import Context
from typing import Final, Generic, TypeVar

from poolse._realtime.bounded_queue import Backlog, OrderedQueue, victim
from poolse.errors import SlowConsumer

__all__ = ["MAX_QUEUED", "EventQueue", "QueueEnded", "Subscribers", "Subscription"]

MAX_QUEUED: Final = 1000

E = TypeVar("E")
T = TypeVar("T")


class Subscription(Backlog, Generic[T]):
    """One interest in the events of a channel, and what is waiting for it."""

    __slots__ = ("active", "context", "event", "target")

    def __init__(
        self,
        event: str | None,
        target: T,
        *,
        transient: bool = False,
        context: Context | None = None,
    ) -> None:
        super().__init__(transient=transient)
        self.context: Context = Context() if context is None else context
        """The context variables that a handler is called with."""
        self.event: str | None = event
        """Its name on the wire; None for every event."""
        self.target: T = target
        """What the body gives the events to."""
        self.active: bool = True
        """False once taken back. An event may still be on its way then: ask before calling."""


class Subscribers(Generic[T, E]):
    """The subscriptions of one channel, and the latest of the events that late ones are given."""

    def __init__(self, replayed: Collection[str] = ()) -> None:
        self.replayed: Final[frozenset[str]] = frozenset(replayed)
        """Names of the events that late subscribers are given."""
        self._latest: dict[str, E] = {}
        self._subscriptions: dict[str | None, list[Subscription[T]]] = {}

    def subscribe(
        self,
        event: str | None,
        target: T,
        *,
        transient: bool = False,
        context: Context | None = None,
    ) -> tuple[Subscription[T], list[tuple[str, E]]]:
        """Want an event, or with None every event, from now on.

        Returns:
            The subscription, and the events to give it at once, with their names.
        """
        subscription = Subscription(event, target, transient=transient, context=context)
        self._subscriptions.setdefault(event, []).append(subscription)
        latest = self._latest.items()
        return subscription, [(name, value) for name, value in latest if event in (None, name)]

    def unsubscribe(self, subscription: Subscription[T]) -> None:
        """Take an interest back. Doing it again does nothing."""
        if subscription.active:
            subscription.active = False
            self._subscriptions[subscription.event].remove(subscription)

    def takers(self, event: str) -> list[Subscription[T]]:
        """Whom to give an event to, in the order of subscribing; those for every event last."""
        subscriptions = self._subscriptions
        return [*subscriptions.get(event, ()), *subscriptions.get(None, ())]

    def keep(self, event: str, value: E) -> None:
        """Keep an event that is replayed, for those who subscribe later."""
        self._latest[event] = value

    def clear(self) -> None:
        """End all subscriptions, and forget the latest events."""
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.active = False
        self._subscriptions.clear()
        self._latest.clear()


class QueueEnded(Exception):  # noqa: N818  (as StopIteration, it is no error)
    """The queue was closed, and nothing is left in it."""


class EventQueue(Generic[E]):
    """A bounded queue from the socket to one iterator.

    The socket must never wait for a consumer, or heartbeats would stop. So when the queue is full
    an event is dropped and counted, see `queues`. The next `get` then raises `SlowConsumer` with
    the number lost, once.
    """

    def __init__(self, limit: int = MAX_QUEUED, topic: str | None = None) -> None:
        """Start empty.

        Args:
            limit: How many events may wait.
            topic: The channel's topic, for `SlowConsumer`.
        """
        self._limit = limit
        self._topic = topic
        self._unreported = 0
        self._queue = OrderedQueue[_Kind, E]()
        self._kinds: dict[str | None, _Kind] = {}
        self._closed = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def dropped(self) -> int:
        """How many events were lost so far, reported or not."""
        return sum(kind.dropped for kind in self._kinds.values())

    @property
    def ready(self) -> bool:
        """Whether `get` has something to say. What a consumer waits for."""
        return self._closed or len(self._queue) > 0

    def put(self, event: E, name: str | None = None, *, transient: bool = False) -> bool:
        """Add an event. After `close` it is ignored.

        Args:
            event: The event.
            name: Its name on the wire. The names must be few; None stands for the others.
            transient: Whether it carries no lasting state.

        Returns:
            Whether `ready` has become true by it, so that a consumer may have to be woken.
        """
        if self._closed:
            return False
        kind, queue = self._kinds.get(name) or self._new_kind(name, transient), self._queue
        queue.entries.append((kind, event))
        kind.waiting += 1
        waiting = len(queue)
        if waiting > self._limit:
            queue.drop(victim(self._kinds.values()))
            self._unreported += 1
        return waiting == 1

    def get(self) -> E:
        """Take the oldest event. Call it when `ready`.

        Raises:
            SlowConsumer: Events were lost; the next call goes on with what is left.
            QueueEnded: Closed and empty. Before that once the error of `close`, if it had one.
            IndexError: Not `ready`.
        """
        if self._unreported:
            raise self._report()
        entry = self._queue.pop()
        if entry is not None:
            return entry[1]
        if not self._closed:
            raise IndexError
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        raise QueueEnded

    def clear(self) -> None:
        """Forget what is queued, and what was lost, since nobody wants it any more."""
        self._queue.clear()
        self._forget_lost()

    def close(self, error: Exception | None = None, *, discard: bool = False) -> None:
        """Take no more events. Only the first close counts, except for `discard`.

        Args:
            error: What the consumer is told after the last event.
            discard: Forget what is still queued, since the consumer no longer wants it.
        """
        if discard:
            self.clear()
        if not self._closed:
            self._closed = True
            self._error = error

    def _new_kind(self, name: str | None, transient: bool) -> _Kind:
        kind = self._kinds[name] = _Kind(name, transient=transient)
        return kind

    def _report(self) -> SlowConsumer:
        total = self._unreported
        kinds = sorted(self._kinds.values(), key=lambda kind: -kind.unreported)
        counts = ", ".join(f"{k.unreported} {k.event or 'other'}" for k in kinds if k.unreported)
        text = (
            f"events() of {self._topic or 'a channel'} lost {total} events ({counts}): they "
            "arrived faster than they were taken"
        )
        self._forget_lost()
        return SlowConsumer(text, total, topic=self._topic)

    def _forget_lost(self) -> None:
        self._unreported = 0
        for kind in self._kinds.values():
            kind.unreported = 0


class _Kind(Backlog):
    """The events of one name in a queue."""

    __slots__ = ("event",)

    def __init__(self, event: str | None, *, transient: bool) -> None:
        super().__init__(transient=transient)
        self.event = event
