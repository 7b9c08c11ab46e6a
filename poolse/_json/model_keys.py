"""Which keys the JSON of a row has, and how its values become attributes of a frozen class."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, Final

from poolse._json.models import Model, Visited, model_fields
from poolse._json.parsing import Mismatch

__all__ = ["MAX_KEYS", "MAX_SHAPES", "ModelKeys", "draft_of"]

MAX_SHAPES: Final = 256
MAX_KEYS: Final = 128

Shape = tuple[tuple[str, ...], Visited, tuple[str, ...]]
"""Keys of an object, in their order; what is absent from it; which keys are unknown."""


class ModelKeys:
    """Which keys the JSON of one kind of row has been seen with.

    Rows of one answer nearly always have the same keys, so that one comparison tells what a row
    lacks and what it has too much.
    """

    def __init__(self, cls: type[Model]) -> None:
        self._names = {cls.__wire__.get(name, name): name for name in model_fields(cls).names}
        self.known: dict[tuple[str, ...], Shape] = {}
        self._last = self._shape(())
        self._count = len(self._names)
        self._whole = Visited(frozenset(), {})
        self._take = _taker(tuple(self._names))

    def taken(self, row: Any) -> tuple[Visited, Iterable[Any]]:  # noqa: ANN401  (parsed JSON)
        """What the row says beside its fields, and the values of these, None where it has none."""
        # A row that has all of its fields and no more has as many keys: that is seen at once.
        if row.__class__ is dict and len(row) == self._count:
            try:
                return self._whole, self._take(row)
            except KeyError:
                pass
        return self.seen(row), map(row.get, self._names)

    def seen(self, row: dict[str, Any]) -> Visited:
        """What is absent from the row, and what is extra; the row must be an object."""
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
    """A class whose objects can be written to, and then become rows: `draft.__class__ = cls`.

    Python allows that because both have the same slots. The `__init__` of a frozen class sets
    each field through `object.__setattr__`, which would cost more than all the rest of reading.
    """
    # An event that carries a row has no slots of its own: it is laid out like the row.
    layout = next(base for base in cls.__mro__ if vars(base)["__slots__"])
    plain = {name: vars(object)[name] for name in ("__init__", "__setattr__", "__delattr__")}
    parent = layout.__base__ or object
    return type(
        f"{cls.__name__}Draft", (parent,), {"__slots__": vars(layout)["__slots__"], **plain}
    )
