"""Who wants which event, and the bounded queues between the socket and whoever takes events.

Nothing here locks, waits or calls a user's code. A body holds its lock, puts events into the queues
of its `takers`, and wakes whoever waits for them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import Final, Generic, TypeVar

import attrs

from poolse.errors import SlowConsumer

__all__ = ["MAX_QUEUED", "EventQueue", "Fanout", "QueueEnded", "Subscription"]

MAX_QUEUED: Final = 1000

E = TypeVar("E")
T = TypeVar("T")


@attrs.define(eq=False)
class Subscription(Generic[T]):
    """One interest in the events of a channel."""

    event: str | None
    """Its name on the wire; None for every event."""
    target: T
    """What the body gives the events to."""
    active: bool = True
    """False once taken back. An event may still be on its way then: ask before handing it over."""


class Fanout(Generic[T, E]):
    """The subscriptions of one channel, and the latest of the events that late ones are given."""

    def __init__(self, replayed: Collection[str] = ()) -> None:
        self.replayed: Final[frozenset[str]] = frozenset(replayed)
        """Names of the events that late subscribers are given."""
        self._latest: dict[str, E] = {}
        self._subscriptions: dict[str | None, list[Subscription[T]]] = {}

    def subscribe(self, event: str | None, target: T) -> tuple[Subscription[T], list[E]]:
        """Want an event, or with None every event, from now on.

        Returns:
            The subscription, and the events to give it at once.
        """
        subscription = Subscription(event, target)
        self._subscriptions.setdefault(event, []).append(subscription)
        if event is None:
            return subscription, list(self._latest.values())
        return subscription, [self._latest[event]] if event in self._latest else []

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
    """A bounded queue from the socket to one consumer: an iterator, or whoever runs callbacks.

    The socket must never wait for a consumer, or heartbeats would stop. So when the queue is full
    the oldest event makes room for the new one, and is counted. The next `get` then raises
    `SlowConsumer` with the number lost, once, before the events that came after the gap.
    """

    def __init__(self, limit: int = MAX_QUEUED) -> None:
        self.dropped: int = 0
        """How many events were lost so far, reported or not."""
        self._limit = limit
        self._events: deque[E] = deque()
        self._unreported = 0
        self._closed = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        return len(self._events)

    @property
    def ready(self) -> bool:
        """Whether `get` has something to say. What a consumer waits for."""
        return self._closed or bool(self._events)

    def put(self, event: E) -> bool:
        """Add an event. After `close` it is ignored.

        Returns:
            Whether `ready` has become true by it, so that a consumer may have to be woken.
        """
        if self._closed:
            return False
        waiting = len(self._events)
        if waiting == self._limit:
            self._events.popleft()
            self._unreported += 1
            self.dropped += 1
        self._events.append(event)
        return not waiting

    def get(self) -> E:
        """Take the oldest event. Call it when `ready`.

        Raises:
            SlowConsumer: Events were lost before this one; the next call goes on with it.
            QueueEnded: Closed and empty. Before that once the error of `close`, if it had one.
            IndexError: Not `ready`.
        """
        if self._unreported:
            lost, self._unreported = self._unreported, 0
            raise SlowConsumer(f"{lost} events were lost: they came faster than taken", lost)
        if self._events or not self._closed:
            return self._events.popleft()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        raise QueueEnded

    def clear(self) -> None:
        """Forget what is queued, and what was lost, since nobody wants it any more."""
        self._events.clear()
        self._unreported = 0

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
