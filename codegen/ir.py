"""The API as frozen objects. All names, types and defaults are final: templates only print them.

Each knows where the spec says so, which does not count when two are compared.
"""

from __future__ import annotations

import attrs

from codegen.diagnostics import Location
from codegen.ir_calls import (
    Child,
    Download,
    Follow,
    Many,
    Operation,
    Paging,
    Param,
    Request,
    Resource,
    Upload,
)
from codegen.ir_deprecation import Alias, Old
from codegen.ir_events import Channel, Event, Presence, Push
from codegen.ir_models import Enum, Field, Model

__all__ = [
    "Alias",
    "Api",
    "Channel",
    "Child",
    "Code",
    "Download",
    "Enum",
    "Event",
    "Field",
    "Follow",
    "Many",
    "Model",
    "Old",
    "Operation",
    "Paging",
    "Param",
    "Presence",
    "Push",
    "Request",
    "Resource",
    "Upload",
]


@attrs.frozen(kw_only=True)
class Code:
    """An error code that the API answers with."""

    name: str
    mark: Location = attrs.field(eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Api:
    """Everything that is generated."""

    enums: tuple[Enum, ...]
    models: tuple[Model, ...]
    requests: tuple[Request, ...]
    resources: tuple[Resource, ...]
    """Those whose calls carry a token."""
    backend_resources: tuple[Resource, ...]
    """Those whose calls carry an API key."""
    channels: tuple[Channel, ...]
    realtime: str
    """The class that gives the channels."""
    codes: tuple[Code, ...]
    version: str
    """What the spec says of itself."""

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Those of all resources."""
        found = (*self.resources, *self.backend_resources)
        return tuple(op for resource in found for op in resource.operations if not op.is_former)

    @property
    def events(self) -> tuple[Event, ...]:
        """Those of all channels."""
        return tuple(event for channel in self.channels for event in channel.events)
