"""From parsed JSON to typed values: the pieces that the generated readers are made of.

A reader takes parsed JSON and returns a typed value, or raises `Mismatch`. While the exception
passes through the readers around it, each adds its step to the path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from operator import itemgetter
from typing import Any, Final, TypeVar, cast

from poolse._json.models import Model, Visited, model_fields
from poolse._rest.endpoint import Read
from poolse.errors import DecodeError
from poolse.types import Json

__all__ = [
    "MAX_KEYS",
    "MAX_SHAPES",
    "MAX_VALUES",
    "Mismatch",
    "ModelKeys",
    "as_object",
    "boolean",
    "draft_of",
    "enum_of",
    "first_of",
    "instant",
    "integer",
    "json_object",
    "list_of",
    "map_of",
    "needed",
    "nullable",
    "number",
    "one_of",
    "read_json",
    "read_nothing",
    "string",
]

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

parse_time: Final = datetime.fromisoformat

KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


class Mismatch(Exception):  # noqa: N818  (caught by `decode`, never seen by a caller)
    """A value is not what the spec promises. Says its kind only: the value may be a secret."""

    def __init__(self, wanted: str, value: object, *steps: str) -> None:
        super().__init__(f"expected {wanted}, got {KINDS.get(type(value), type(value).__name__)}")
        self._steps: list[str | int] = [*steps]

    def under(self, step: str | int) -> None:
        """Add the key or index of the value in its container to the path."""
        self._steps.append(step)

    @property
    def path(self) -> str:
        """Where it is, as `$.data[3].sequence`."""
        return "$" + "".join(_step(step) for step in reversed(self._steps))


def _step(step: str | int) -> str:
    if isinstance(step, str) and step.isidentifier():
        return f".{step}"
    return f"[{step!r}]"


def string(value: object) -> str:
    """Read a string."""
    if isinstance(value, str):
        return value
    raise Mismatch("a string", value)


def integer(value: object) -> int:
    """Read an integer. Python's booleans are numbers, JSON's are not."""
    if type(value) is int:
        return value
    raise Mismatch("an integer", value)


def number(value: object) -> float:
    """Read a number, as a float."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise Mismatch("a number", value)


def boolean(value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise Mismatch("a boolean", value)


def instant(value: Any) -> datetime:  # noqa: ANN401  (parsed JSON)
    """Read a time, always aware and in UTC; one without an offset is taken as UTC."""
    try:
        time = parse_time(value)
        if time.tzinfo is UTC:
            return time
        # fromisoformat reads bare dates too, which the API never sends.
        if len(value) > len("2026-06-01"):
            return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise Mismatch("a time", value)


def json_object(value: object) -> dict[str, Any]:
    """Read an object of any content."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise Mismatch("an object", value)


def as_object(value: object) -> dict[str, object]:
    """Return the JSON object, or an empty one for anything else."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def needed(value: T | None, path: str) -> T:
    """Return a value from the server that the library itself cannot continue without.

    A caller gets None for what a server leaves out. A flow would stumble over that somewhere else,
    or do the wrong thing: without its token, a call is sent without a user.

    Args:
        value: A field of a result.
        path: Where the field is in the response, such as `$.token`.

    Raises:
        DecodeError: It is None or empty.
    """
    if value is None or value == "":
        raise DecodeError("the server did not send a required value", path)
    return value


MAX_VALUES: Final = 256
MAX_LENGTH: Final = 64


def enum_of(cls: type[E], *, is_open: bool) -> Read[E]:
    """Return a reader of an enum; any string is a member of one that is open."""
    members = {str(member.value): member for member in cls}
    wanted = "a string" if is_open else f"one of {', '.join(members)}"

    def read(value: object) -> E:
        member = members.get(value) if isinstance(value, str) else None
        if member is not None:
            return member
        if not (is_open and isinstance(value, str)):
            raise Mismatch(wanted, value)
        member = cls(value)
        # Bounded in both ways: the server decides which values come.
        if len(members) < MAX_VALUES and len(value) <= MAX_LENGTH:
            members[value] = member
        return member

    return read


def list_of(read: Read[T]) -> Read[list[T]]:
    """Return a reader of lists."""
    return cast("Read[list[T]]", strings) if read is string else _each(read)


def _each(read: Read[T]) -> Read[list[T]]:
    def read_list(value: Any) -> list[T]:  # noqa: ANN401
        if value.__class__ is not list:
            raise Mismatch("a list", value)
        if not value:
            return []
        items: list[T] = []
        try:
            for item in value:
                items.append(read(item))  # noqa: PERF401  (its length shows where it stopped)
        except Mismatch as mismatch:
            mismatch.under(len(items))
            raise
        return items

    return read_list


def strings(value: Any) -> list[str]:  # noqa: ANN401
    """Read a list of strings; with `string` for each of them, it would take twice as long."""
    if value.__class__ is not list:
        raise Mismatch("a list", value)
    for item in value:
        if item.__class__ is not str:
            return _read_strings(value)
    return [*value]


_read_strings: Final = _each(string)


def first_of(key: str, read: Read[T]) -> Read[T]:
    """Return a reader of the first item of a list under the key of an object."""

    def read_first(value: Any) -> T:  # noqa: ANN401
        items: Any = json_object(value).get(key)
        if items.__class__ is not list:
            raise Mismatch("a list", items, key)
        if not items:
            raise Mismatch("a list that is not empty", items, key)
        try:
            return read(items[0])
        except Mismatch as mismatch:
            mismatch.under(0)
            mismatch.under(key)
            raise

    return read_first


def one_of(readers: Mapping[type, Read[Any]]) -> Read[Any]:
    """Return a reader of several types, chosen by the type of the parsed JSON."""
    wanted = " or ".join(KINDS[type_] for type_ in readers)

    def read_one(value: object) -> Any:  # noqa: ANN401
        read = readers.get(type(value))
        if read is None:
            raise Mismatch(wanted, value)
        return read(value)

    return read_one


def map_of(read: Read[T]) -> Read[dict[str, T]]:
    """Return a reader of objects whose keys are data."""

    def read_map(value: Any) -> dict[str, T]:  # noqa: ANN401
        if value.__class__ is not dict:
            raise Mismatch("an object", value)
        items: dict[str, T] = {}
        key = ""
        try:
            for key, item in value.items():
                items[key] = read(item)
        except Mismatch as mismatch:
            mismatch.under(key)
            raise
        return items

    return read_map


def nullable(read: Read[T]) -> Read[T | None]:
    """Return a reader that lets null through."""

    def read_nullable(value: object) -> T | None:
        return None if value is None else read(value)

    return read_nullable


def read_json(value: object) -> Json:
    """Anything, untyped."""
    return cast("Json", value)


def read_nothing(value: object) -> None:
    """Return None, for responses whose content is not used."""


MAX_SHAPES: Final = 256
MAX_KEYS: Final = 128

Shape = tuple[tuple[str, ...], Visited, tuple[str, ...]]
"""Keys of an object, in their order; what is absent from it; which keys are unknown."""


class ModelKeys:
    """Sets of keys that the JSON of one kind of model was seen with.

    Models of one response nearly always have the same keys, so that one comparison shows what a
    model lacks and what it has too much.
    """

    def __init__(self, cls: type[Model]) -> None:
        self._names = {cls.__wire__.get(name, name): name for name in model_fields(cls).names}
        self.known: dict[tuple[str, ...], Shape] = {}
        self._last = self._shape(())
        self._count = len(self._names)
        self._whole = Visited(frozenset(), {})
        self._take = _taker(tuple(self._names))

    def taken(self, row: Any) -> tuple[Visited, Iterable[Any]]:  # noqa: ANN401  (parsed JSON)
        """Return the unknown fields, and the values of the known ones, None for absent ones."""
        # An object with exactly the known fields has as many keys: the fast check.
        if row.__class__ is dict and len(row) == self._count:
            try:
                return self._whole, self._take(row)
            except KeyError:
                pass
        return self.seen(row), map(row.get, self._names)

    def seen(self, row: dict[str, Any]) -> Visited:
        """Return what is absent from the object, and what is extra; raise if it is no object."""
        if type(row) is not dict:
            raise Mismatch("an object", row)
        keys = tuple(row)
        shape = self._last
        if shape[0] != keys:
            shape = self._last = self.known.get(keys) or self._learn(keys)
        _, seen, extra = shape
        return Visited(seen.absent, {key: row[key] for key in extra}) if extra else seen

    def _learn(self, keys: tuple[str, ...]) -> Shape:
        shape = self._shape(keys)
        # Bounded in both ways: the server decides which keys come.
        if len(self.known) < MAX_SHAPES and len(keys) < MAX_KEYS:
            self.known[keys] = shape
        return shape

    def _shape(self, keys: tuple[str, ...]) -> Shape:
        absent = frozenset(self._names[key] for key in self._names.keys() - set(keys))
        return keys, Visited(absent, {}), tuple(key for key in keys if key not in self._names)


def _taker(keys: tuple[str, ...]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    if len(keys) > 1:
        return itemgetter(*keys)
    # Of one key, an itemgetter gives the bare value.
    return lambda row: tuple([row[key] for key in keys])


def draft_of(cls: type[Model]) -> type[Any]:
    """Return a class of writable objects that become models by `draft.__class__ = cls`.

    Python allows that because both have the same slots. The `__init__` of a frozen class sets
    each field through `object.__setattr__`, which would cost more than all the rest of reading.
    """
    # An event that carries a model has no slots of its own: it is laid out like the model.
    layout = next(base for base in cls.__mro__ if vars(base)["__slots__"])
    plain = {name: vars(object)[name] for name in ("__init__", "__setattr__", "__delattr__")}
    parent = layout.__base__ or object
    return type(
        f"{cls.__name__}Draft", (parent,), {"__slots__": vars(layout)["__slots__"], **plain}
    )
