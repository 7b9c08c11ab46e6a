"""Base classes of all models of the API, with unknown and absent fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar, cast, overload

import attrs

from poolse._support.repr import ReprMixin

__all__ = [
    "EXTRA",
    "Model",
    "ModelFields",
    "Page",
    "Row",
    "Visited",
    "first_in",
    "keyed_by",
    "missing",
    "model_fields",
    "wire_items",
]

T = TypeVar("T")

EXTRA: Final = "extra"
"""The only attribute of models that is not a field of the API."""


class Visited(Mapping[str, object]):
    """Unknown fields of a model's JSON, and the names of absent fields.

    As a mapping it contains the unknown fields. Shared by models, so it is never changed.
    """

    __slots__ = ("_values", "absent")

    def __init__(self, absent: frozenset[str] | None, values: Mapping[str, object]) -> None:
        self.absent = absent
        """Fields whose key was absent, which is not the same as null. None for a model that was not
        read from JSON: its optional fields that are None count as absent."""
        self._values = values

    def __getitem__(self, key: str) -> object:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(dict(self._values))

    def __reduce__(self) -> tuple[type[Visited], tuple[frozenset[str] | None, dict[str, object]]]:
        return type(self), (self.absent, dict(self._values))

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        # As it was pickled when attrs made this class.
        self.absent = state["absent"]
        self._values = state["extra"]


BY_HAND: Final = Visited(None, {})


def _visited(extra: Mapping[str, object]) -> Visited:
    return extra if isinstance(extra, Visited) else Visited(None, dict(extra))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ModelFields:
    """Properties of all models of a class."""

    names: tuple[str, ...]
    """Names of the fields in Python, in the order of the spec."""
    required: tuple[str, ...]
    optional: frozenset[str]
    key: tuple[str, ...]
    """Fields that are hashed."""
    kind: type
    """The class that models must share to be equal."""
    state: frozenset[str]
    """Attributes that are pickled."""


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Model(ReprMixin):
    """Base class of all models. Immutable, compared by value, and hashed by `id` if it has one.

    Attributes other than fields and `extra` have names with double underscores, which no field can
    have.
    """

    __nullable__: ClassVar[frozenset[str]] = frozenset()
    """Required fields that may be null."""
    __wire__: ClassVar[Mapping[str, str]] = {}
    """Names of fields in JSON that differ from the names in Python."""
    __refs__: ClassVar[Mapping[str, str]] = {}
    """Attributes that are IDs of other objects, by what these are: `user`."""

    # A field of attrs, so that `attrs.evolve` keeps it.
    extra: Mapping[str, object] = attrs.field(default=BY_HAND, converter=_visited, repr=False)
    """Fields of the response that are unknown to this release. Read-only, and usually empty."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> object:
        """Let pydantic accept instances. Called by pydantic only."""
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    def __eq__(self, other: object) -> bool:
        facts = model_fields(type(self))
        if not isinstance(other, Model) or model_fields(type(other)).kind is not facts.kind:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in facts.names)

    def __getstate__(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in model_fields(type(self)).state}

    def __setstate__(self, state: object) -> None:
        """Restore a model pickled by any release. Fields that it did not have are None."""
        if isinstance(state, dict) and state.keys() == model_fields(type(self)).state:
            for name, value in cast("dict[str, object]", state).items():
                object.__setattr__(self, name, value)
            return
        values = dict(cast("Mapping[str, Any]", state)) if isinstance(state, Mapping) else {}
        seen: object = values.pop("__seen__", None)
        seen = values.pop(EXTRA, seen)
        new: list[str] = []
        for name in model_fields(type(self)).names:
            # A field that was renamed since is still called as in JSON there.
            key = name if name in values else self.__wire__.get(name, name)
            if key not in values:
                new.append(name)
            object.__setattr__(self, name, values.pop(key, None))
        object.__setattr__(self, EXTRA, _unpickled(seen, new, values))

    def __hash__(self) -> int:
        return hash(tuple([getattr(self, name) for name in model_fields(type(self)).key]))


Row = Model
"""Name of `Model` in release 0.1."""


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Page(Model, Generic[T]):
    """A list from one response. Iterable, with a length, and indexed like a list."""

    data: list[T]
    """The objects, in the order of the server."""

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


def missing(obj: Model) -> tuple[str, ...]:
    """Return the names of required fields that the server left out, or sent as null wrongly.

    Such fields are None. If the result is empty, every field has its declared type.
    """
    absent = _absent(obj) or frozenset[str]()
    return tuple(
        name
        for name in model_fields(type(obj)).required
        if getattr(obj, name) is None and (name in absent or name not in obj.__nullable__)
    )


def first_in(items: Iterable[object] | None, name: str) -> Any:  # noqa: ANN401
    """Return the attribute of the first item that has a value for it, None if none has."""
    values = (getattr(item, name) for item in items or ())
    return next((value for value in values if value is not None), None)


def keyed_by(name: str, items: Iterable[T]) -> dict[Any, T]:
    """Return the items by an attribute, without those that have no value for it."""
    return {key: item for item in items if (key := getattr(item, name)) is not None}


def wire_items(row: Model) -> Iterator[tuple[str, object]]:
    """Iterate over the items of the JSON object: without absent keys, with unknown fields."""
    facts = model_fields(type(row))
    absent = _absent(row)
    if absent is None:
        absent = facts.optional
    for name in facts.names:
        value: object = getattr(row, name)
        if value is not None or name not in absent:
            yield row.__wire__.get(name, name), value
    yield from row.extra.items()


def _absent(row: Model) -> frozenset[str] | None:
    return cast(Visited, row.extra).absent


def _unpickled(seen: object, new: list[str], gone: Mapping[str, object]) -> Visited:
    """Return the state of a model of another release: fields removed since become extra."""
    before = seen if isinstance(seen, Visited) else BY_HAND
    if not (new or gone):
        return before
    absent = None if before.absent is None else before.absent.union(new)
    return Visited(absent, {**before, **gone})


_facts: dict[type[Model], ModelFields] = {}


def model_fields(cls: type[Model]) -> ModelFields:
    """Return the properties of all models of a class."""
    facts = _facts.get(cls)
    if facts is None:
        facts = _facts[cls] = _find_model_fields(cls)
    return facts


def _find_model_fields(cls: type[Model]) -> ModelFields:
    fields = [field for field in attrs.fields(cls) if field.name != EXTRA]
    names = tuple(field.name for field in fields)
    return ModelFields(
        names=names,
        required=tuple(field.name for field in fields if field.default is attrs.NOTHING),
        optional=frozenset(field.name for field in fields if field.default is not attrs.NOTHING),
        key=("id",) if "id" in names else names,
        kind=_kind(cls, names),
        state=frozenset((*names, EXTRA)),
    )


def _kind(cls: type[Model], names: tuple[str, ...]) -> type[Model]:
    # An event that carries a model adds no field to it, so the two are the same kind of value.
    parent = cls.__mro__[1]
    if (
        parent in (Model, Page)
        or not issubclass(parent, Model)
        or model_fields(parent).names != names
    ):
        return cls
    return model_fields(parent).kind
