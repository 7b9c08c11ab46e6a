"""The API as frozen objects. All names, types and defaults are final: templates only print them.

Each has its location in the spec, which is ignored when two are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from codegen.kinds import TypeRef
from codegen.naming import pascal, snake
from codegen.yaml_source import Location

__all__ = [
    "NEW",
    "Alias",
    "Api",
    "Channel",
    "Child",
    "Code",
    "Deprecation",
    "Download",
    "Enum",
    "Errors",
    "Event",
    "Field",
    "Follow",
    "Lifted",
    "Limits",
    "Many",
    "Model",
    "Operation",
    "PagedThread",
    "Paging",
    "Param",
    "Presence",
    "Push",
    "Reference",
    "Request",
    "Resource",
    "Security",
    "Translation",
    "Upload",
]


Limits = tuple[tuple[str, object], ...]
"""What JSON Schema says of a value beside its type, such as its maximum."""


@attrs.frozen(kw_only=True)
class Alias:
    """An old name that still works."""

    name: str
    now: str
    """The current name."""
    since: str
    """The release that renamed it."""
    until: str
    """The release that removes the old name."""
    kind: str = ""
    """`class` for the name of its class, else ""."""
    location: Location = attrs.field(eq=False, repr=False)

    @property
    def notice(self) -> str:
        """The text of the deprecation warning."""
        return f"{self.name} is called {self.now} since {self.since}, and ends with {self.until}"


@attrs.frozen(kw_only=True)
class Deprecation:
    """Since when something exists, whether it is deprecated, and its old names."""

    since: str = ""
    """The release that added it, "" for the first."""
    deprecated: str = ""
    """The text of the deprecation warning, "" if it is not deprecated."""
    until: str = ""
    """If deprecated: the release that removes it, if known."""
    aliases: tuple[Alias, ...] = ()

    def called(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return the current and all old names, each with its deprecation warning."""
        return ((name, self.deprecated), *((alias.name, alias.notice) for alias in self.names))

    @property
    def names(self) -> tuple[Alias, ...]:
        """Old names of the thing itself."""
        return tuple(alias for alias in self.aliases if not alias.kind)

    @property
    def classes(self) -> tuple[Alias, ...]:
        """Old names of its class."""
        return tuple(alias for alias in self.aliases if alias.kind == "class")


NEW = Deprecation()


@attrs.frozen(kw_only=True)
class Enum:
    """A string enum."""

    name: str
    doc: str
    members: tuple[tuple[str, str], ...]
    """Name and value."""
    open: bool
    reader: str
    deprecation: Deprecation
    location: Location = attrs.field(eq=False, repr=False)
    """Its place in the spec."""

    @property
    def slug(self) -> str:
        """Distinguishes names that belong to it."""
        return self.reader.removeprefix("read_")


@attrs.frozen(kw_only=True)
class Field:
    """A field of a model."""

    name: str
    wire: str
    type: TypeRef
    doc: str
    required: bool
    essential: bool
    """A model without it is useless, so its absence is an error."""
    secret: bool
    limits: Limits
    deprecation: Deprecation
    location: Location = attrs.field(eq=False, repr=False)
    """Its place in the spec."""

    @property
    def annotation(self) -> str:
        """Its annotation: a field that may be left out reads None."""
        return self.type.result if self.required else self.type.null.result

    @property
    def local(self) -> str:
        """The variable that holds its value while the model is read."""
        return f"{self.name}_"

    @property
    def refused(self) -> str:
        """The condition under which a scalar has the wrong type, the usual case first."""
        wrong = f"type({self.local}) is not {self.type.row.inline}"
        present = f"{self.local} is not None"
        if self.essential:
            return wrong
        return f"{present} and {wrong}" if self.type.nullable else f"{wrong} and {present}"


@attrs.frozen(kw_only=True)
class Lifted:
    """A field that all items of a list share, so that the object with the list has it too."""

    name: str
    items: str
    """The field that has the list."""
    type: TypeRef
    doc: str
    location: Location = attrs.field(eq=False, repr=False)
    """Its place in the spec."""


@attrs.frozen(kw_only=True)
class Model:
    """A model, or a page of models, or an event with fields of its own."""

    name: str
    doc: str
    base: str
    item: str
    """Of a page: the class of its models. Else ""."""
    ids: tuple[tuple[str, str], ...]
    """Which IDs its objects have: what each belongs to, and the field."""
    refs: tuple[tuple[str, str], ...]
    """Which IDs of other objects it refers by: what each belongs to, and the field."""
    lifted: tuple[Lifted, ...]
    """What it has of the items of its lists."""
    fields: tuple[Field, ...]
    example: Mapping[str, object] = attrs.field(eq=False)
    """One as it stands in JSON; empty when the spec shows none."""
    reader: str
    deprecation: Deprecation
    location: Location = attrs.field(eq=False, repr=False)
    """Its place in the spec."""

    @property
    def slug(self) -> str:
        """Distinguishes names that belong to it."""
        return self.reader.removeprefix("read_")

    @property
    def laid_out(self) -> tuple[Field, ...]:
        """All fields in the order in which the class has them: a page begins with its models."""
        return tuple(sorted(self.fields, key=lambda f: not (self.item and f.name == "data")))

    @property
    def scalars(self) -> tuple[Field, ...]:
        """Fields whose type is checked and that need no reader."""
        return tuple(f for f in self.fields if f.type.row.inline)

    @property
    def others(self) -> tuple[Field, ...]:
        """Fields that need a reader."""
        return tuple(f for f in self.fields if not f.type.row.inline)

    def reader_of(self, field: Field) -> str:
        """Return the name of what reads a field that is no scalar."""
        type_ = field.type.plain
        return f"_{self.slug}_read_{field.name}" if type_.parts else type_.reader

    @property
    def composed(self) -> tuple[tuple[str, str], ...]:
        """Readers that are put together from others: name and expression."""
        composed = [f for f in self.fields if f.type.parts]
        return tuple((self.reader_of(f), f.type.plain.reader) for f in composed)

    @property
    def own_fields(self) -> tuple[Field, ...]:
        """Those that its base does not have already."""
        return tuple(f for f in self.fields if not (self.item and f.name == "data"))

    @property
    def nullable(self) -> tuple[str, ...]:
        """Required fields that may be null."""
        return tuple(f.name for f in self.fields if f.required and f.type.nullable)

    @property
    def renamed(self) -> tuple[tuple[str, str], ...]:
        """Fields that JSON calls otherwise."""
        return tuple((f.name, f.wire) for f in self.fields if f.name != f.wire)


@attrs.frozen(kw_only=True)
class Translation:
    """How the values of one parameter become those of another one: a list has both."""

    const: str
    target: str
    """The other parameter."""
    is_needed: bool
    """Whether one of the two must be passed."""
    is_list: bool
    endpoint: str
    """The operation that returns the list."""
    method: str
    """Its name for users."""
    page: str
    items: str
    known: str
    """The field of an item that is passed, and the one that is sent for it."""
    wanted: str


@attrs.frozen(kw_only=True)
class Param:
    """A parameter of a method."""

    name: str
    wire: str
    where: str
    """`path`, `query`, `header` or `body`; `list` for one that another is looked up by."""
    type: TypeRef
    is_one_of_many: bool = False
    """Whether the list that is sent is made of it."""
    translation: Translation | None = None
    """How it becomes the value of another parameter, which is sent."""
    required: bool
    positional: bool
    generate: bool
    doc: str
    limits: Limits
    deprecation: Deprecation
    location: Location = attrs.field(eq=False, repr=False)
    """Its place in the spec."""

    @property
    def on_wire(self) -> str:
        """Where it is sent, and its name there, which a path does not show."""
        if self.translation:
            return f"{self.translation.endpoint} {self.translation.known} as {self.wire}"
        return self.where if self.where == "path" else f"{self.where} {self.wire}"

    def annotation(self, prefix: str = "") -> str:
        """Its annotation in a signature of the sync client, or of the one with the prefix."""
        text = self.type.argument(prefix)
        return text if self.required else f"{text} | Unset"

    @property
    def check(self) -> str:
        """Expression that checks whether a value may be sent."""
        check = self.type.check
        return f'a_list_of({check}, "{self.name}")' if self.is_one_of_many else check

    @property
    def value(self) -> str:
        """The expression that is sent."""
        return f"[{self.name}]" if self.is_one_of_many else self.name


def _required_first(params: Iterable[Param]) -> tuple[Param, ...]:
    return tuple(sorted(params, key=lambda p: not p.required))


@attrs.frozen(kw_only=True)
class Request:
    """An object that is sent, as a dict that can be passed on."""

    name: str
    doc: str
    fields: tuple[Param, ...]
    is_passed: bool
    """Whether it is passed as it is, inside of another request."""
    location: Location = attrs.field(eq=False, repr=False)
    """Its place in the spec."""

    @property
    def slug(self) -> str:
        """Distinguishes names that belong to it."""
        return snake(self.name)


@attrs.frozen(kw_only=True)
class Follow:
    """A feed: yields the models of a list as they arrive, each once."""

    method: str
    summary: str
    key: str
    """The path value that identifies the list."""
    row: str
    handle: str
    """Class of the handle that the list belongs to."""
    reply: str
    """The method of the same resource that replies to an item, or ""."""
    example: str


@attrs.frozen(kw_only=True)
class Upload:
    """A method that uploads a file to the URL that another one returns."""

    const: str
    method: str
    summary: str
    answer: str
    target: str
    result: str
    result_type: TypeRef
    content_type: str
    size: str
    filename: str
    example: str
    many: Many | None


@attrs.frozen(kw_only=True)
class Many:
    """The same for several files."""

    method: str
    summary: str
    example: str


@attrs.frozen(kw_only=True)
class Download:
    """A method that downloads a file from the URL that another one returns."""

    const: str
    method: str
    summary: str
    answer: str
    url: str
    row: str
    size: str
    sha256: str
    example: str


@attrs.frozen(kw_only=True)
class Paging:
    """A method that iterates over all pages of another one."""

    const: str
    method: str
    page: str
    item: str
    items: str
    cursor: str
    by: str
    """The field of an item that the cursor is compared with, or ""."""
    next: str
    """The field of a page that is the cursor of the next one, or ""."""
    descending: bool
    thread: PagedThread | None
    """The replies to an item, which the list does not contain."""
    example: str


@attrs.frozen(kw_only=True)
class PagedThread:
    """The list of the replies to an item of another list."""

    const: str
    path: str
    """The path value of that list."""
    id: str
    """The field of an item that is this value."""
    count: str
    """The field of an item that is the number of its replies, or 0 if it has no thread."""


@attrs.frozen(kw_only=True)
class Security:
    """How a credential is sent."""

    credential: str
    """`token` or `api_key`."""
    scheme: str
    """`bearer`, `basic`, `header` or `query`."""
    name: str
    """Of the header or of the query's parameter, or ""."""
    errors: tuple[str, ...]
    """Codes that any call with the credential may be refused with."""
    location: Location = attrs.field(eq=False, repr=False)


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
    result: TypeRef | None
    """What it returns; None for nothing."""
    read: str
    """The expression that reads the response."""
    returns: str
    """The description of the result, or ""."""
    security: Security | None
    idempotency: str
    retry: bool
    generate: tuple[str, ...]
    errors: tuple[str, ...]
    example: str
    paging: Paging | None
    upload: Upload | None
    follow: Follow | None
    download: Download | None
    none_on: tuple[int, ...]
    """Statuses that mean that there is nothing."""
    secrets: tuple[str, ...]
    """Values of the path that are not shown."""
    is_former: bool
    """Whether it is only the old name of another one."""
    deprecation: Deprecation
    location: Location = attrs.field(eq=False, repr=False)
    """Its place in the spec."""

    @property
    def is_single(self) -> bool:
        """Whether it does for one thing what another method does for many."""
        return self.const.endswith("_FIRST")

    @property
    def positional(self) -> tuple[Param, ...]:
        """Those that may be passed by position."""
        return tuple(p for p in self.params if p.positional)

    @property
    def keyword(self) -> tuple[Param, ...]:
        """Those that may not, the required ones first."""
        return _required_first(p for p in self.params if not p.positional)

    @property
    def query(self) -> tuple[Param, ...]:
        """Those of the query, and those that are sent as headers."""
        return tuple(p for p in self.params if p.where in ("query", "header"))

    @property
    def headers(self) -> tuple[Param, ...]:
        """Those that are sent as headers."""
        return tuple(p for p in self.params if p.where == "header")

    @property
    def body(self) -> tuple[Param, ...]:
        """Those of the body."""
        return tuple(p for p in self.params if p.where == "body")

    @property
    def takes(self) -> tuple[Param, ...]:
        """Those whose values are looked at before anything is sent; paths see to their own."""
        return tuple(p for p in self.params if p.where not in ("path", "list"))

    @property
    def translated(self) -> tuple[Param, ...]:
        """Those that become the value of another one."""
        return tuple(p for p in self.params if p.translation)

    @property
    def versions(self) -> tuple[Operation, ...]:
        """The same with one or the other parameter, where exactly one of two is needed."""
        for param in self.translated:
            if param.translation and param.translation.is_needed:
                target = param.translation.target
                return tuple(
                    attrs.evolve(
                        self,
                        params=tuple(
                            attrs.evolve(p, required=p.required or p.name == kept)
                            for p in self.params
                            if p.name != left_out
                        ),
                    )
                    for kept, left_out in ((target, param.name), (param.name, target))
                )
        return ()

    @property
    def segments(self) -> tuple[Param, ...]:
        """Values of the path that are given with the call, and may be given as objects."""
        return tuple(p for p in self.params if p.where == "path" and p.type.kind != "string")

    @property
    def needs(self) -> tuple[Param, ...]:
        """Those of them that nothing else stands in for."""
        return tuple(p for p in self.takes if p.required)


@attrs.frozen(kw_only=True)
class Child:
    """A resource as an attribute of another one."""

    attribute: str
    class_name: str
    doc: str
    deprecation: Deprecation


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
    id: TypeRef
    """Of a handle: the type of its ID."""
    row: str
    """Of a handle: the class of the models that it can be made with, or ""."""
    handle: str
    """The class of what `one` returns, or ""."""
    handle_id: TypeRef
    """The type of the ID that `one` takes."""
    children: tuple[Child, ...]
    """What hangs under it."""
    operations: tuple[Operation, ...]
    credential: str
    """Which credential its calls carry: `token` or `api_key`."""
    hidden: tuple[str, ...]
    """Builtin types that a method of the class hides inside it."""
    deprecation: Deprecation
    location: Location = attrs.field(eq=False, repr=False)
    """Its place in the spec."""

    @property
    def takes(self) -> str:
        """Of a handle: the annotation of what it is made with. Else ""."""
        return self.id.argument(None) if self.binds else ""

    @property
    def is_root(self) -> bool:
        """Whether it is an attribute of the client."""
        return not self.parent and not self.binds

    @property
    def root(self) -> tuple[Child, ...]:
        """The attribute of the client that it is reached by, if it is one."""
        return (self.as_child,) if self.is_root else ()

    @property
    def as_child(self) -> Child:
        """The attribute that it is reached by."""
        return Child(
            attribute=self.attribute,
            class_name=self.class_name,
            doc=self.doc,
            deprecation=self.deprecation,
        )

    @property
    def inherits_path(self) -> bool:
        """Whether it is made with the path values of what it hangs under."""
        return len(self.bound) > bool(self.binds)


@attrs.frozen(kw_only=True)
class Event:
    """An event that a channel receives."""

    const: str
    wire: str
    callback: str
    class_name: str
    doc: str
    replay: bool
    transient: bool
    """Whether it carries no lasting state, so that a full queue drops it first."""
    payload: TypeRef | None
    """What it is: a model, or a map. None when it has a shape of its own."""
    model: Model | None
    """Its own fields, when it has a shape of its own."""
    lifted: tuple[Lifted, ...]
    """Of a map: texts that its values have too, and that it can be looked at by."""
    example: Mapping[str, object] = attrs.field(eq=False)
    """One as it stands in JSON; empty when the spec shows none."""
    reader: str
    deprecation: Deprecation
    location: Location = attrs.field(eq=False, repr=False)
    """Its place in the spec."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """Its own fields."""
        return self.model.fields if self.model else ()

    @property
    def refs(self) -> tuple[tuple[str, str], ...]:
        """Which IDs of other objects its own fields are."""
        return self.model.refs if self.model else ()

    @property
    def slug(self) -> str:
        """Distinguishes names that belong to it."""
        return self.reader.removeprefix("read_")

    @property
    def base(self) -> str:
        """The class that its class is made of."""
        return self.payload.result if self.payload else "Model"

    @property
    def is_map(self) -> bool:
        """Whether it is an object whose keys are data."""
        return bool(self.payload and self.payload.kind != "model")


@attrs.frozen(kw_only=True)
class Push:
    """A push: what a channel sends."""

    wire: str
    method: str
    summary: str
    params: tuple[Param, ...]
    is_answered: bool
    """Whether it waits for a reply, which may say nothing."""
    result: TypeRef | None
    """The type of what the reply says."""
    returns: str
    """Its description, or ""."""
    repeated: str
    """The method that sends it again and again while a block runs, or ""."""
    every: float
    """So many seconds apart."""
    deprecation: Deprecation
    location: Location = attrs.field(eq=False, repr=False)
    """Its place in the spec."""

    @property
    def positional(self) -> tuple[Param, ...]:
        """Those that may be passed by position."""
        return ()

    @property
    def keyword(self) -> tuple[Param, ...]:
        """Those that may not, the required ones first."""
        return _required_first(self.params)


@attrs.frozen(kw_only=True)
class Presence:
    """The events of a channel that carry presence."""

    property: str
    state: Event
    diff: Event | None
    """None where each state is whole."""


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
    param_type: TypeRef
    param_doc: str
    events: tuple[Event, ...]
    pushes: tuple[Push, ...]
    presence: Presence | None
    deprecation: Deprecation
    location: Location = attrs.field(eq=False, repr=False)
    """Its place in the spec."""

    @property
    def param_annotation(self) -> str:
        """The annotation of its parameter."""
        return self.param_type.argument()


@attrs.frozen(kw_only=True)
class Code:
    """An error code of the API."""

    name: str
    location: Location = attrs.field(eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Errors:
    """Where a refusal says what: the steps to each value, through objects and lists."""

    code: tuple[str | int, ...] = ()
    message: tuple[str | int, ...] = ()
    details: tuple[str | int, ...] = ()
    doc_url: tuple[str | int, ...] = ()


@attrs.frozen(kw_only=True)
class Reference:
    """All classes whose objects refer to one kind of object, or are it."""

    name: str
    kind: str
    classes: tuple[str, ...]


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
    errors: Errors
    security: tuple[Security, ...]
    url: str
    """Where the service is, with the path that all paths of calls begin with."""
    socket: str
    """Where its WebSocket is."""
    version: str
    """The version of the spec."""

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Those of all resources."""
        resources = (*self.resources, *self.backend_resources)
        return tuple(op for resource in resources for op in resource.operations if not op.is_former)

    @property
    def events(self) -> tuple[Event, ...]:
        """Those of all channels."""
        return tuple(event for channel in self.channels for event in channel.events)

    @property
    def references(self) -> tuple[Reference, ...]:
        """What can be passed where an object is looked up by what refers to it."""
        events = (event.model for event in self.events if event.model)
        holders = [(one.name, one.ids, one.refs) for one in (*self.models, *events)]
        kinds = dict.fromkeys(_owner(kind) for _, _, refs in holders for kind, _ in refs)
        return tuple(
            Reference(
                name=f"{pascal(kind)}Like",
                kind=kind,
                classes=tuple(
                    name
                    for name, ids, refs in holders
                    if kind in [_owner(one) for one, _ in (*ids, *refs)]
                ),
            )
            for kind in kinds
        )


def _owner(kind: str) -> str:
    """Return what has an ID: that of `book.number` is `book`."""
    return kind.partition(".")[0]
