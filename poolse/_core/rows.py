"""What all rows of the API have in common: values, and what their JSON held besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Generic, TypeVar, overload

import attrs

from poolse._shown import Shown

__all__ = ["SEEN", "Facts", "Page", "Row", "Seen", "facts_of", "missing", "wire_items"]

T = TypeVar("T")

SEEN: Final = "__seen__"


@attrs.define(eq=False, repr=False)
class Seen:
    """What the JSON of a row held, and lacked, beside the values of its fields.

    Shared by rows, so never changed; not frozen, because a frozen one is slow to make.
    """

    absent: frozenset[str]
    """Fields whose key was not there, which is not the same as null."""
    extra: Mapping[str, object]
    """Keys that this release does not know, with their values."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Facts:
    """What is the same for all rows of a class."""

    names: tuple[str, ...]
    """Its fields in Python, in the order of the spec."""
    required: tuple[str, ...]
    optional: frozenset[str]
    key: tuple[str, ...]
    """The fields that it is hashed by."""
    kind: type
    """The class that rows must share to be equal."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Row(Shown):
    """Base of everything that the API sends. Frozen; compared by value; hashed by its id if any.

    Its own attributes have names with two underscores at both ends, which no field can have.
    """

    __nullable__: ClassVar[frozenset[str]] = frozenset()
    """Required fields whose value may be null."""
    __wire__: ClassVar[Mapping[str, str]] = {}
    """Names of fields in JSON, where they differ."""

    __seen__: Seen | None = attrs.field(default=None, repr=False, alias="__seen__")

    @property
    def extra(self) -> Mapping[str, object]:
        """Fields of the answer that this release does not know. Read-only, empty for most rows."""
        return MappingProxyType(dict(self.__seen__.extra) if self.__seen__ else {})

    def __eq__(self, other: object) -> bool:
        facts = facts_of(type(self))
        if not isinstance(other, Row) or facts_of(type(other)).kind is not facts.kind:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in facts.names)

    def __hash__(self) -> int:
        return hash(tuple([getattr(self, name) for name in facts_of(type(self)).key]))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Page(Row, Generic[T]):
    """A list that came in one answer. Iterable, with a length, and indexed like a list."""

    data: list[T]
    """The rows, in the order of the server."""

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self.data[index]


def missing(obj: Row) -> tuple[str, ...]:
    """Required fields that the server left out, or sent as null against its promise.

    They read None. When there are none, every field of the row has the type that it declares.
    """
    absent = obj.__seen__.absent if obj.__seen__ else frozenset[str]()
    return tuple(
        name
        for name in facts_of(type(obj)).required
        if getattr(obj, name) is None and (name in absent or name not in obj.__nullable__)
    )


def wire_items(row: Row) -> Iterator[tuple[str, object]]:
    """Keys and values as they stand in JSON: what was left out stays out, what was extra stays."""
    facts = facts_of(type(row))
    absent = row.__seen__.absent if row.__seen__ else facts.optional
    for name in facts.names:
        value: object = getattr(row, name)
        if value is not None or name not in absent:
            yield row.__wire__.get(name, name), value
    if row.__seen__:
        yield from row.__seen__.extra.items()


_facts: dict[type[Row], Facts] = {}


def facts_of(cls: type[Row]) -> Facts:
    """What is the same for all rows of the class."""
    facts = _facts.get(cls)
    if facts is None:
        facts = _facts[cls] = _find_facts(cls)
    return facts


def _find_facts(cls: type[Row]) -> Facts:
    fields = [field for field in attrs.fields(cls) if field.name != SEEN]
    names = tuple(field.name for field in fields)
    return Facts(
        names=names,
        required=tuple(field.name for field in fields if field.default is attrs.NOTHING),
        optional=frozenset(field.name for field in fields if field.default is not attrs.NOTHING),
        key=("id",) if "id" in names else names,
        kind=_kind(cls, names),
    )


def _kind(cls: type[Row], names: tuple[str, ...]) -> type[Row]:
    # An event that carries a row adds no field to it, so the two are the same kind of value.
    parent = cls.__mro__[1]
    if parent in (Row, Page) or not issubclass(parent, Row) or facts_of(parent).names != names:
        return cls
    return facts_of(parent).kind
