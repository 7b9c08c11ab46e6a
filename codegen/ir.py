"""The API as frozen objects. All names, types and defaults are final: templates only print them."""

from __future__ import annotations

import attrs

from codegen.ir_rows import Enum, Model

__all__ = [
    "Api",
    "Channel",
    "Event",
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
class Param:
    """A parameter of a method."""

    name: str
    wire: str
    where: str
    """`path`, `query` or `body`."""
    type: str
    """Its annotation when it is given."""
    check: str
    """The expression that tells whether a value may be sent."""
    value: str
    """The expression that is sent."""
    required: bool
    positional: bool
    generate: bool
    doc: str

    @property
    def annotation(self) -> str:
        """Its annotation in a signature."""
        return self.type if self.required else f"{self.type} | Unset"


@attrs.frozen(kw_only=True)
class Request:
    """The fields that a method takes, as a dict that can be passed on."""

    name: str
    doc: str
    fields: tuple[Param, ...]


@attrs.frozen(kw_only=True)
class Upload:
    """How a method puts the bytes of a file where another one says."""

    const: str
    method: str
    summary: str
    answer: str
    target: str
    result: str
    result_type: str
    content_type: str
    size: str
    filename: str
    example: str


@attrs.frozen(kw_only=True)
class Paging:
    """How a method walks over all pages of another one."""

    const: str
    method: str
    page: str
    item: str
    items: str
    cursor: str
    by: str
    descending: bool
    example: str


@attrs.frozen(kw_only=True)
class Operation:
    """A method that sends one request."""

    const: str
    name: str
    summary: str
    description: str
    verb: str
    path: str
    path_argument: str
    """The expression that gives the values of the path, or ""."""
    params: tuple[Param, ...]
    result: str
    read: str
    returns: str
    """What is said of the result, or ""."""
    idempotency: str
    retry: bool
    generate: tuple[str, ...]
    errors: tuple[str, ...]
    example: str
    paging: Paging | None
    upload: Upload | None

    @property
    def positional(self) -> tuple[Param, ...]:
        """Those that may be passed by position."""
        return tuple(p for p in self.params if p.positional)

    @property
    def keyword(self) -> tuple[Param, ...]:
        """Those that may not, the required ones first."""
        rest = [p for p in self.params if not p.positional]
        return tuple(sorted(rest, key=lambda p: not p.required))

    @property
    def query(self) -> tuple[Param, ...]:
        """Those of the query."""
        return tuple(p for p in self.params if p.where == "query")

    @property
    def body(self) -> tuple[Param, ...]:
        """Those of the body."""
        return tuple(p for p in self.params if p.where == "body")

    @property
    def takes(self) -> tuple[Param, ...]:
        """Those whose values are looked at before anything is sent; paths see to their own."""
        return tuple(p for p in self.params if p.where != "path")

    @property
    def needs(self) -> tuple[Param, ...]:
        """Those of them that nothing else stands in for."""
        return tuple(p for p in self.takes if p.required)


@attrs.frozen(kw_only=True)
class Resource:
    """A class with methods, reached by an attribute of another one, or by its `one`."""

    address: str
    attribute: str
    class_name: str
    doc: str
    parent: str
    """The address that it hangs under, "" for a root."""
    binds: str
    """Of a handle: the path value that it stands for. Else ""."""
    bound: tuple[str, ...]
    """All path values that are known here."""
    handle: str
    """The class of what `one` returns, or ""."""
    children: tuple[tuple[str, str, str], ...]
    """Attribute, class and documentation of what hangs under it."""
    operations: tuple[Operation, ...]
    credential: str
    """Which credential its calls carry: `token` or `api_key`."""
    hidden: tuple[str, ...]
    """Builtin types that a method of the class hides inside it."""

    @property
    def is_root(self) -> bool:
        """Whether it is an attribute of the client."""
        return not self.parent and not self.binds

    @property
    def inherits_path(self) -> bool:
        """Whether it is made with the path values of what it hangs under."""
        return len(self.bound) > bool(self.binds)


@attrs.frozen(kw_only=True)
class Event:
    """What a channel is sent."""

    const: str
    wire: str
    callback: str
    class_name: str
    doc: str
    replay: bool
    row_reader: str
    """The reader of the row that it carries, or ""."""
    base: str
    map_reader: str
    """The expression that reads the map that it is, or ""."""
    model: Model | None
    """Its own fields, when it has a shape of its own."""
    reader: str

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
    param_doc: str
    events: tuple[Event, ...]
    pushes: tuple[Push, ...]
    presence: Presence | None


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

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Those of all resources."""
        found = (*self.resources, *self.backend_resources)
        return tuple(op for resource in found for op in resource.operations)

    @property
    def events(self) -> tuple[Event, ...]:
        """Those of all channels."""
        return tuple(event for channel in self.channels for event in channel.events)
