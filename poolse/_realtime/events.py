"""What the generated channels say about their events, and the event for what they do not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import attrs

from poolse.types import RealtimeStatus

__all__ = ["ChannelType", "EventType", "PresenceType", "RealtimeStatus", "UnknownEvent"]

P = TypeVar("P", covariant=True)


@attrs.frozen
class UnknownEvent:
    """An event that this release does not know. A newer backend may send some."""

    event: str
    """Its name on the wire."""
    payload: object
    """Its payload as parsed JSON."""


@attrs.frozen(eq=False)
class EventType(Generic[P]):
    """An incoming event as data."""

    wire: str
    """Its name on the wire."""
    read: Callable[[object], P]
    """Parsed JSON to the typed event; raises `codec.Mismatch` when it does not fit."""
    replay: bool = False
    """Whether a late subscriber is given the latest one at once."""
    transient: bool = False
    """Whether it carries no lasting state, so that a full queue drops it first."""


@attrs.frozen
class PresenceType:
    """Which events of a channel carry presence, by their names on the wire."""

    state: str
    diff: str | None = None
    """None where each state is whole."""


@attrs.frozen
class ChannelType:
    """A kind of channel as data."""

    topic: str
    """With one `{name}`, such as `room:{room_id}`."""
    events: Mapping[str, EventType[object]]
    """By name on the wire."""
    presence: PresenceType | None = None
