"""What a feed hears of one channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from poolse._realtime.client import RealtimeClient
from poolse._realtime.events import ChannelType, EventType
from poolse._realtime.subscription import EventStream, fresh
from poolse.errors import PoolseError

__all__ = ["ChannelListener", "ListenerCallbacks"]


class ListenerCallbacks(Protocol):
    """The loop of a feed, sync or async. Called while the lock of realtime is held."""

    def joined(self, key: str) -> None:
        """The channel was joined, for the first time or again."""
        ...

    def lost(self, key: str) -> None:
        """The channel is not joined any more; it will be again."""
        ...

    def heard(self, key: str, event: object) -> None:
        """An event came."""
        ...

    def ended(self, key: str, error: PoolseError | None) -> None:
        """The channel is over; without an error when the client was closed."""
        ...


class ChannelListener(EventStream[object]):
    """A claim on a channel that no `leave` of the user's releases, and one of its events."""

    def __init__(
        self,
        hub: RealtimeClient,
        kind: ChannelType,
        key: str,
        event: EventType[object],
        callbacks: ListenerCallbacks,
        wake: Callable[[], object],
    ) -> None:
        super().__init__(1, wake)
        self._hub = hub
        self._key = key
        self._callbacks = callbacks
        self._join_ref: str | None = None
        with hub.guard:
            self._claim = hub.acquire(kind, key, own=True)
            self._session = self._claim.session
            self._session.tap(self, event.wire, hub.calls)
            self._session.wakes.append(self.look)
            failure = self._session.link.failure
            if failure is not None:
                # The socket was given up before, and says so to nobody again.
                self.end(fresh(failure))
            self.look()

    def look(self) -> None:
        """Something about the channel may have changed."""
        machine = self._session.machine
        join_ref = machine.join_ref if machine.state == "joined" else None
        if join_ref == self._join_ref:
            return
        self._join_ref = join_ref
        if join_ref is None:
            self._callbacks.lost(self._key)
        else:
            self._callbacks.joined(self._key)
        self.wake()

    def put(
        self,
        event: object,
        name: str | None = None,  # noqa: ARG002  (as that of all streams)
        *,
        transient: bool = False,  # noqa: ARG002
    ) -> None:
        """One event more: handed on at once, because the loop has bounded buffers."""
        self._callbacks.heard(self._key, event)
        self.wake()

    def end(self, error: PoolseError | None) -> None:
        """The channel is over."""
        self._callbacks.ended(self._key, error)
        self.wake()

    def close(self) -> None:
        """Release the claim."""
        with self._hub.guard:
            if self.look in self._session.wakes:
                self._session.wakes.remove(self.look)
                self._session.untap(self, self._hub.calls)
                self._hub.release(self._claim)
