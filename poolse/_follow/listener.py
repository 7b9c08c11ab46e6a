"""What a feed hears of one channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from poolse._realtime.channel_references import EventStream
from poolse._realtime.channel_types import ChannelType, EventType
from poolse._realtime.client import RealtimeClient
from poolse.errors import PoolseError

__all__ = ["ChannelListener", "ListenerCallbacks"]


class ListenerCallbacks(Protocol):
    """The loop of a feed, sync or async. Called while the lock of realtime is held."""

    def joined(self, key: str) -> None:
        """Note that the channel was joined, for the first time or again."""

    def lost(self, key: str) -> None:
        """Note that the channel was lost; it will be rejoined."""

    def heard(self, key: str, event: object) -> None:
        """Process an event."""

    def ended(self, key: str, error: PoolseError | None) -> None:
        """Note that the channel has ended; without an error if the client was closed."""


class ChannelListener(EventStream[object]):
    """A reference to a channel that no `leave` of the user's releases, and one of its events."""

    def __init__(
        self,
        client: RealtimeClient,
        kind: ChannelType,
        key: str,
        event: EventType[object] | None,
        callbacks: ListenerCallbacks,
        wake: Callable[[], object],
    ) -> None:
        """Listen.

        Args:
            client: The core of realtime.
            kind: The type of the channel.
            key: What it is about, such as the ID of a conversation.
            event: The event to listen to; None for all.
            callbacks: What is told.
            wake: Called after each callback.
        """
        super().__init__(1, wake)
        self._client = client
        self._key = key
        self._callbacks = callbacks
        self._join_ref: str | None = None
        with client.lock:
            self._reference = client.acquire(kind, key, internal=True)
            self._subscription = self._reference.subscription
            self._subscription.wakes.append(self.look)
            wire = None if event is None else event.wire
            self._subscription.add_stream(self._reference, self, wire)
            self.look()

    @property
    def present(self) -> frozenset[str]:
        """The users who are present in the channel."""
        return self._subscription.presence.users

    def look(self) -> None:
        """Something about the channel may have changed."""
        channel = self._subscription.channel
        join_ref = channel.join_ref if channel.state == "joined" else None
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
        """Pass on an event immediately, because the loop has bounded buffers."""
        self._callbacks.heard(self._key, event)
        self.wake()

    def end(self, error: PoolseError | None) -> None:
        """Note that the channel has ended."""
        self._callbacks.ended(self._key, error)
        self.wake()

    def send(self, event: str) -> None:
        """Send an event that has no reply, or drop it if the channel is not joined."""
        self._client.send(self._reference, event, {})

    def close(self) -> None:
        """Release the reference."""
        with self._client.lock:
            if self.look in self._subscription.wakes:
                self._subscription.wakes.remove(self.look)
                self._subscription.remove_stream(self)
                self._client.release(self._reference)
