"""Rows and enums as frozen objects."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from codegen.diagnostics import Location
from codegen.ir_deprecation import Old

__all__ = ["Enum", "Field", "Model"]


@attrs.frozen(kw_only=True)
class Enum:
    """A string enum."""

    name: str
    doc: str
    members: tuple[tuple[str, str], ...]
    """Name and value."""
    open: bool
    reader: str
    old: Old
    mark: Location = attrs.field(eq=False, repr=False)
    """Where the spec says so."""

    @property
    def slug(self) -> str:
        """Distinguishes names that belong to it."""
        return self.reader.removeprefix("read_")


@attrs.frozen(kw_only=True)
class Field:
    """A field of a row."""

    name: str
    wire: str
    annotation: str
    argument: str = attrs.field(eq=False)
    """What may be given for it, null aside."""
    doc: str
    required: bool
    nullable: bool
    essential: bool
    """Without it the row is of no use, so that its absence is an error."""
    secret: bool
    scalar: str
    """The builtin type that it is checked against where it is read, or ""."""
    kind: str
    """That type in words."""
    reader: str
    """The expression that reads it when it is no scalar, or ""."""
    old: Old
    mark: Location = attrs.field(eq=False, repr=False)
    """Where the spec says so."""

    @property
    def local(self) -> str:
        """The variable that holds its value while the row is read."""
        return f"{self.name}_"

    @property
    def refused(self) -> str:
        """The condition under which a scalar is not what it should be, the usual case first."""
        wrong, there = f"type({self.local}) is not {self.scalar}", f"{self.local} is not None"
        if self.essential:
            return wrong
        return f"{there} and {wrong}" if self.nullable else f"{wrong} and {there}"


@attrs.frozen(kw_only=True)
class Model:
    """A row, or a page of rows, or an event with fields of its own."""

    name: str
    doc: str
    base: str
    item: str
    """Of a page: the class of its rows. Else ""."""
    ids: tuple[tuple[str, str], ...]
    """Which IDs its objects have: what each belongs to, and the field."""
    fields: tuple[Field, ...]
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

    @property
    def laid_out(self) -> tuple[Field, ...]:
        """All fields in the order in which the class has them: a page begins with its rows."""
        return tuple(sorted(self.fields, key=lambda f: not (self.item and f.name == "data")))

    @property
    def scalars(self) -> tuple[Field, ...]:
        """Fields that only need a look at their type."""
        return tuple(f for f in self.fields if f.scalar)

    @property
    def others(self) -> tuple[Field, ...]:
        """Fields that a reader makes."""
        return tuple(f for f in self.fields if not f.scalar)

    def reader_of(self, field: Field) -> str:
        """The name of what reads a field that is no scalar."""
        return f"_{self.slug}_read_{field.name}" if "(" in field.reader else field.reader

    @property
    def composed(self) -> tuple[tuple[str, str], ...]:
        """Readers that are put together from others: name and expression."""
        return tuple((self.reader_of(f), f.reader) for f in self.fields if "(" in f.reader)

    @property
    def own_fields(self) -> tuple[Field, ...]:
        """Those that its base does not have already."""
        return tuple(f for f in self.fields if not (self.item and f.name == "data"))

    @property
    def nullable(self) -> tuple[str, ...]:
        """Required fields that may be null."""
        return tuple(f.name for f in self.fields if f.required and f.nullable)

    @property
    def renamed(self) -> tuple[tuple[str, str], ...]:
        """Fields that JSON calls otherwise."""
        return tuple((f.name, f.wire) for f in self.fields if f.name != f.wire)
