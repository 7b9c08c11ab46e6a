"""Who wants which event of a channel, and the latest of the events that late subscribers are given.

Nothing here locks, waits or calls a user's code.
"""

from __future__ import annotations

from collections.abc import Collection
from contextvars import Context
from typing import Final, Generic, TypeVar

from poolse._realtime.bounded_queue import Backlog

__all__ = ["Subscriber", "Subscribers"]

E = TypeVar("E")
T = TypeVar("T")


class Subscriber(Backlog, Generic[T]):
    """A handler or an iterator that wants events, and how many wait for it."""

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
        """What the events are given to."""
        self.active: bool = True
        """False once removed. An event may still be on its way then: ask before calling."""


class Subscribers(Generic[T, E]):
    """The subscribers of one channel, and the latest of the events that late ones are given."""

    def __init__(self, replayed: Collection[str] = ()) -> None:
        self.replayed: Final[frozenset[str]] = frozenset(replayed)
        """Names of the events that late subscribers are given."""
        self._latest: dict[str, E] = {}
        self._subscribers: dict[str | None, list[Subscriber[T]]] = {}

    def subscribe(
        self,
        event: str | None,
        target: T,
        *,
        transient: bool = False,
        context: Context | None = None,
    ) -> tuple[Subscriber[T], list[tuple[str, E]]]:
        """Want an event, or with None every event, from now on.

        Returns:
            The subscriber, and the events to give it at once, with their names.
        """
        subscriber = Subscriber(event, target, transient=transient, context=context)
        self._subscribers.setdefault(event, []).append(subscriber)
        latest = self._latest.items()
        return subscriber, [(name, value) for name, value in latest if event in (None, name)]

    def unsubscribe(self, subscriber: Subscriber[T]) -> None:
        """Remove a subscriber. Doing it again does nothing."""
        if subscriber.active:
            subscriber.active = False
            self._subscribers[subscriber.event].remove(subscriber)

    def matching(self, event: str) -> list[Subscriber[T]]:
        """Whom to give an event to, in the order of subscribing; those for every event last."""
        subscribers = self._subscribers
        return [*subscribers.get(event, ()), *subscribers.get(None, ())]

    def keep(self, event: str, value: E) -> None:
        """Keep an event that is replayed, for those who subscribe later."""
        self._latest[event] = value

    def clear(self) -> None:
        """Remove all subscribers, and forget the latest events."""
        for subscribers in self._subscribers.values():
            for subscriber in subscribers:
                subscriber.active = False
        self._subscribers.clear()
        self._latest.clear()
