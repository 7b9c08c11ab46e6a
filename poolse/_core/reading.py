"""From parsed JSON to typed values: the pieces that the generated readers are made of.

A reader takes parsed JSON and returns a typed value, or raises `Mismatch`. While the exception
passes through the readers around it, each adds its step to the path.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, cast

from poolse._core.endpoint import Read
from poolse._core.rows import SEEN, Row, Seen, facts_of
from poolse.types import Json

__all__ = [
    "Mismatch",
    "Shapes",
    "boolean",
    "instant",
    "integer",
    "json_object",
    "list_of",
    "map_of",
    "nullable",
    "number",
    "read_json",
    "read_nothing",
    "setters",
    "string",
]

T = TypeVar("T")
R = TypeVar("R", bound=Row)

MAX_SHAPES: Final = 256
MAX_KEYS: Final = 128

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

    def __init__(self, wanted: str, value: object) -> None:
        super().__init__(f"expected {wanted}, got {KINDS.get(type(value), type(value).__name__)}")
        self._steps: list[str | int] = []

    def under(self, step: str | int) -> None:
        """The value sits under this key or index of the value around it."""
        self._steps.append(step)

    @property
    def path(self) -> str:
        """Where it is, as `$.data[3].sequence`."""
        return "$" + "".join(_step(step) for step in reversed(self._steps))


def _step(step: str | int) -> str:
    if isinstance(step, str) and step.isidentifier():
        return f".{step}"
    return f"[{step!r}]"


class Shapes(dict[tuple[str, ...], tuple[Seen, tuple[str, ...]]]):
    """Which keys the JSON of one kind of row has been seen with.

    Rows of one answer nearly always have the same keys, so that one lookup tells what a row lacks
    and what it has too much. Bounded: the server decides which keys come.
    """

    def __init__(self, cls: type[Row]) -> None:
        super().__init__()
        self._names = {cls.__wire__.get(name, name): name for name in facts_of(cls).names}

    def seen(self, row: dict[str, Any]) -> Seen:
        """What is absent from the row, and what is extra; the row must be an object."""
        if type(row) is not dict:
            raise Mismatch("an object", row)
        seen, extra = self[tuple(row)]
        return Seen(seen.absent, {key: row[key] for key in extra}) if extra else seen

    def __missing__(self, keys: tuple[str, ...]) -> tuple[Seen, tuple[str, ...]]:
        absent = frozenset(self._names[key] for key in self._names.keys() - set(keys))
        shape = Seen(absent, {}), tuple(key for key in keys if key not in self._names)
        if len(keys) <= MAX_KEYS:
            if len(self) >= MAX_SHAPES:
                self.clear()
            self[keys] = shape
        return shape


def setters(cls: type[Row]) -> tuple[Callable[[object, object], None], ...]:
    """A function per field that sets it on a frozen row, that of `__seen__` first.

    The `__init__` of a frozen class would cost more than all the rest of reading a row.
    """
    return tuple(getattr(cls, name).__set__ for name in (SEEN, *facts_of(cls).names))


def string(value: object) -> str:
    """A string."""
    if isinstance(value, str):
        return value
    raise Mismatch("a string", value)


def integer(value: object) -> int:
    """A whole number. Python's booleans are numbers, JSON's are not."""
    if type(value) is int:
        return value
    raise Mismatch("an integer", value)


def number(value: object) -> float:
    """Any number, as a float."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise Mismatch("a number", value)


def boolean(value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise Mismatch("a boolean", value)


def instant(value: object) -> datetime:
    """A time, always aware and in UTC; one without an offset is taken as UTC."""
    if type(value) is not str:
        raise Mismatch("a time", value)
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is UTC:
            return time
        # fromisoformat reads bare dates too, which the API never sends.
        if len(value) > len("2026-06-01"):
            return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Mismatch("a time", value)


def json_object(value: object) -> dict[str, Any]:
    """An object of any content, as it is."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise Mismatch("an object", value)


def list_of(read: Read[T]) -> Read[list[T]]:
    """A reader of lists."""

    def read_list(value: object) -> list[T]:
        if not isinstance(value, list):
            raise Mismatch("a list", value)
        given = cast("list[object]", value)
        items: list[T] = []
        try:
            for item in given:
                items.append(read(item))  # noqa: PERF401  (its length tells where it stopped)
        except Mismatch as mismatch:
            mismatch.under(len(items))
            raise
        return items

    return read_list


def map_of(read: Read[T]) -> Read[dict[str, T]]:
    """A reader of objects whose keys are data."""

    def read_map(value: object) -> dict[str, T]:
        if not isinstance(value, dict):
            raise Mismatch("an object", value)
        given = cast("dict[str, object]", value)
        items: dict[str, T] = {}
        key = ""
        try:
            for key, item in given.items():
                items[key] = read(item)
        except Mismatch as mismatch:
            mismatch.under(key)
            raise
        return items

    return read_map


def nullable(read: Read[T]) -> Read[T | None]:
    """A reader that lets null through."""

    def read_nullable(value: object) -> T | None:
        return None if value is None else read(value)

    return read_nullable


def read_json(value: object) -> Json:
    """Anything, untyped."""
    return cast("Json", value)


def read_nothing(value: object) -> None:
    """For answers whose content does not matter."""
