"""Methods and the classes that have them, as frozen objects."""

from __future__ import annotations

import attrs

from codegen.diagnostics import Location
from codegen.ir_deprecation import Old

__all__ = [
    "Child",
    "Download",
    "Follow",
    "Many",
    "Operation",
    "Paging",
    "Param",
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
    handle: str
    """The class of handles that may be given too, without what distinguishes the async one."""
    check: str
    """The expression that tells whether a value may be sent."""
    value: str
    """The expression that is sent."""
    required: bool
    positional: bool
    generate: bool
    doc: str
    old: Old
    mark: Location = attrs.field(eq=False, repr=False)
    """Where the spec says so."""

    def annotation(self, prefix: str = "") -> str:
        """Its annotation in a signature of the sync client, or of the one with the prefix."""
        text = self.type
        if self.handle:
            inner, _, end = text.partition("]")
            text = f"{inner} | {prefix}{self.handle}" + ("]" + end if text != inner else "")
        return text if self.required else f"{text} | Unset"


@attrs.frozen(kw_only=True)
class Request:
    """The fields that a method takes, as a dict that can be passed on."""

    name: str
    doc: str
    fields: tuple[Param, ...]
    mark: Location = attrs.field(eq=False, repr=False)
    """Where the spec says so."""


@attrs.frozen(kw_only=True)
class Follow:
    """A method that hands out the rows of a list as they come, and none twice."""

    method: str
    summary: str
    key: str
    """The path value that tells one list from the others."""
    row: str
    handle: str
    """Class of the handle that the list belongs to."""
    reply: str
    """The method of the same resource that answers a row, or ""."""
    example: str


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
    many: Many | None


@attrs.frozen(kw_only=True)
class Many:
    """The same for several files."""

    method: str
    summary: str
    example: str


@attrs.frozen(kw_only=True)
class Download:
    """How a method fetches the bytes of a file from where another one says."""

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
    follow: Follow | None
    download: Download | None
    none_on: tuple[int, ...]
    """Statuses that mean that there is nothing."""
    is_former: bool
    """Whether it is only the old name of another one."""
    old: Old
    mark: Location = attrs.field(eq=False, repr=False)
    """Where the spec says so."""

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
    def segments(self) -> tuple[Param, ...]:
        """Values of the path that are given with the call, and may be given as objects."""
        return tuple(p for p in self.params if p.where == "path" and p.check != "a_string")

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
    old: Old


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
    kind: str
    """Of a handle: what its id belongs to. Else ""."""
    takes: str
    """Of a handle: the annotation of what it can be made with, but for other handles."""
    row: str
    """Of a handle: the class of the rows that it can be made with, or ""."""
    handle: str
    """The class of what `one` returns, or ""."""
    handle_takes: str
    """The annotation of what `one` takes, but for handles."""
    handle_row: str
    """The class of the rows that `one` keeps, or ""."""
    children: tuple[Child, ...]
    """What hangs under it."""
    operations: tuple[Operation, ...]
    credential: str
    """Which credential its calls carry: `token` or `api_key`."""
    hidden: tuple[str, ...]
    """Builtin types that a method of the class hides inside it."""
    old: Old
    mark: Location = attrs.field(eq=False, repr=False)
    """Where the spec says so."""

    @property
    def is_root(self) -> bool:
        """Whether it is an attribute of the client."""
        return not self.parent and not self.binds

    @property
    def as_child(self) -> Child:
        """The attribute that it is reached by."""
        return Child(
            attribute=self.attribute, class_name=self.class_name, doc=self.doc, old=self.old
        )

    @property
    def inherits_path(self) -> bool:
        """Whether it is made with the path values of what it hangs under."""
        return len(self.bound) > bool(self.binds)
