"""Channels with what comes and goes, as frozen objects."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from codegen.diagnostics import Location
from codegen.ir_calls import Param
from codegen.ir_deprecation import Old
from codegen.ir_models import Model

__all__ = ["Channel", "Event", "Presence", "Push"]


@attrs.frozen(kw_only=True)
class Event:
    """What a channel is sent."""

    const: str
    wire: str
    callback: str
    class_name: str
    doc: str
    replay: bool
    transient: bool
    """Whether it carries no lasting state, so that a full queue drops it first."""
    row_reader: str
    """The reader of the row that it carries, or ""."""
    base: str
    map_reader: str
    """The expression that reads the map that it is, or ""."""
    model: Model | None
    """Its own fields, when it has a shape of its own."""
    example: Mapping[str, object] = attrs.field(eq=False)
    """One as it stands in JSON; empty when the spec shows none."""
    reader: str
    old: Old
    mark: Location = attrs.field(eq=False, repr=False)
    """Where the spec says so."""

    @property
    def slug(self) -> str:
        """Distinguishes names that belong to it."""
        return self.reader.removeprefix("read_")


@attrs.frozen(kw_only=True)
class Push:
    """What a channel sends."""

    wire: str
    method: str
    summary: str
    params: tuple[Param, ...]
    result: str
    """The type of what answers it, or "" when nothing does."""
    read: str
    """The expression that reads that, or ""."""
    returns: str
    """What is said of it, or ""."""
    old: Old
    mark: Location = attrs.field(eq=False, repr=False)
    """Where the spec says so."""


@attrs.frozen(kw_only=True)
class Presence:
    """Which events of a channel say who is there."""

    property: str
    state: Event
    diff: Event


@attrs.frozen(kw_only=True)
class Channel:
    """A topic with its events."""

    const: str
    accessor: str
    class_name: str
    union: str
    doc: str
    topic: str
    param: str
    param_kind: str
    """What the parameter is the ID of."""
    param_takes: str
    """Its annotation, but for handles."""
    param_handle: str
    """The class of handles that may be given too, or ""."""
    param_doc: str
    events: tuple[Event, ...]
    pushes: tuple[Push, ...]
    presence: Presence | None
    old: Old
    mark: Location = attrs.field(eq=False, repr=False)
    """Where the spec says so."""
