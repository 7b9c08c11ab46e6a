"""Event types, which the generated channels declare, and the event for unknown ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import attrs

from poolse.types import RealtimeStatus

__all__ = ["ChannelType", "EventType", "PresenceType", "RealtimeStatus", "UnknownEvent"]

P = TypeVar("P", covariant=True)


@attrs.frozen
class UnknownEvent:
    """An event that is unknown to this release, for example from a newer backend."""

    event: str
    """Name of the event on the wire."""
    payload: object
    """Payload, as parsed JSON."""


@attrs.frozen(eq=False)
class EventType(Generic[P]):
    """Type of an incoming event."""

    wire: str
    """Name of the event on the wire."""
    read: Callable[[object], P]
    """Reads the typed event from parsed JSON; raises `codec.Mismatch` if it does not match."""
    replay: bool = False
    """Whether a late subscriber receives the last event immediately."""
    transient: bool = False
    """Whether it carries no lasting state, so that a full queue drops it first."""


@attrs.frozen
class PresenceType:
    """Names of the presence events of a channel."""

    state: str
    diff: str | None = None
    """None if each state is complete."""


@attrs.frozen
class ChannelType:
    """Type of a channel."""

    topic: str
    """With one `{name}`, such as `room:{room_id}`."""
    events: Mapping[str, EventType[object]]
    """By name on the wire."""
    presence: PresenceType | None = None
