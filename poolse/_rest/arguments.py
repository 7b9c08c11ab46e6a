"""What a field of a request may be, and the errors for anything else.

The generated endpoints name a kind for each field. Values of a wrong type are refused here, before
anything is sent; the error names the type and never the value, which may be a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, cast

import attrs

from poolse._json.models import Model
from poolse._support.argument_checks import named
from poolse._support.id_arguments import (
    SEGMENTS,
    checked_id,
    checked_number,
    is_id,
    number_of,
    wanted_id,
    wanted_number,
)
from poolse.types import UNSET

__all__ = [
    "Kind",
    "a_boolean",
    "a_list_of",
    "a_number",
    "a_number_id",
    "a_segment",
    "a_string",
    "a_time",
    "an_id",
    "an_integer",
    "an_object",
    "an_object_of",
    "an_object_with",
    "any_of",
    "anything",
    "is_list",
    "or_none",
]

BARE: Final = (str, bytes, bytearray, memoryview)
"""Sequences that are not meant as lists."""

Sent = Callable[[str, object], object]
"""Turns a value, by the name of its field, into what is sent."""

KEYS: Final[Mapping[type, str]] = {Mapping: "its keys must be str"}


@attrs.frozen(eq=False, repr=False)
class Kind:
    """What a value may be."""

    wanted: str
    """As it stands after "must be": `a list of str`."""
    fits: Callable[[object], bool]
    items: Callable[[object], Iterable[tuple[object, object, Kind]]] = lambda _: ()
    """The steps into a value of the right outer type, what is there, and what it must be."""
    hints: Mapping[type, str] = attrs.field(factory=dict[type, str])
    """What to do with a value of one of these types."""
    single: str = ""
    """What the caller calls the one item, if it is not an item to the caller."""
    sent: Sent | None = None
    """What to send for a value of the kind that is called so; None for the value as it is."""
    types: tuple[type, ...] = ()
    """Classes whose objects fit and are sent as they are, so that one look is enough."""

    def complaint(self, name: str, value: object) -> str:
        """Why a value does not fit, in words that say what to do."""
        for step, item, kind in self.items(value):
            if not kind.fits(item):
                return kind.complaint(self.single or f"{name}[{step!r}]", item)
        hints = (f": {hint}" for kind, hint in self.hints.items() if isinstance(value, kind))
        return f"{name} must be {self.wanted}, not {named(value)}{next(hints, '')}"


def a_list_of(kind: Kind, single: str = "") -> Kind:
    """Return any sequence whose items are of the kind, but for a bare string.

    Args:
        kind: What its items must be.
        single: What the caller calls its one item, where the list is made for the caller.
    """
    return Kind(
        f"a list of {_bare(kind)}",
        lambda value: is_list(value) and all(map(kind.fits, cast("Sequence[object]", value))),
        lambda value: (
            [(step, item, kind) for step, item in enumerate(cast("Sequence[object]", value))]
            if is_list(value)
            else ()
        ),
        dict.fromkeys(BARE, "put it in a list"),
        single,
        None if kind.sent is None else _each(kind.sent),
    )


def an_object_of(kind: Kind) -> Kind:
    """Return a mapping of str to values of the kind."""
    return Kind(
        f"a mapping of str to {_bare(kind)}",
        lambda value: _is_object(value) and all(map(kind.fits, _values(value))),
        lambda value: [(key, item, kind) for key, item in _pairs(value)],
        KEYS,
    )


def an_object_with(fields: Callable[[], Mapping[str, Kind]], needs: tuple[str, ...]) -> Kind:
    """Return a model, or a mapping with these fields; others are sent as they are.

    Args:
        fields: What each of them must be. Called late: an object may contain itself.
        needs: Those that cannot be left out.
    """

    def items(value: object) -> Iterator[tuple[object, object, Kind]]:
        kinds, given = fields(), dict(_pairs(value))
        for name, kind in kinds.items() if _is_object(value) else ():
            if given.get(name, UNSET) is not UNSET or name in needs:
                yield name, given.get(name, UNSET), kind

    def fits(value: object) -> bool:
        return isinstance(value, Model) or (
            _is_object(value) and all(kind.fits(item) for _, item, kind in items(value))
        )

    return Kind("an object with its fields", fits, items, KEYS)


def any_of(*kinds: Kind) -> Kind:
    """Return a value of one of the kinds."""
    return Kind(
        " or ".join(kind.wanted for kind in kinds),
        lambda value: any(kind.fits(value) for kind in kinds),
        lambda value: [item for kind in kinds for item in kind.items(value)],
        types=tuple(type_ for kind in kinds for type_ in kind.types),
    )


def or_none(kind: Kind) -> Kind:
    """Return the same, or None, which sends null."""

    def fits(value: object) -> bool:
        return value is None or kind.fits(value)

    sent = None if kind.sent is None else _unless_none(kind.sent)
    types = (*kind.types, type(None))
    return attrs.evolve(kind, wanted=f"{kind.wanted} or None", fits=fits, sent=sent, types=types)


def an_id(kind: str) -> Kind:
    """Return an ID: text, a `uuid.UUID`, or the object that has it. See `ids.checked_id`."""
    return Kind(
        wanted_id(kind),
        lambda value: is_id(value, kind),
        hints={str: "it is empty, or not an ID"},
        sent=lambda name, value: checked_id(name, value, kind),
    )


def a_number_id(kind: str) -> Kind:
    """Return a numeric ID: an int, or the object that has it. See `ids.checked_number`."""
    return Kind(
        wanted_number(kind),
        lambda value: number_of(value, kind) is not None,
        sent=lambda name, value: checked_number(name, value, kind),
    )


def _unless_none(sent: Sent) -> Sent:
    return lambda name, value: value if value is None else sent(name, value)


def _each(sent: Sent) -> Sent:
    def each(name: str, value: object) -> list[object]:
        return [sent(name, item) for item in cast("Sequence[object]", value)]

    return each


def _bare(kind: Kind) -> str:
    """Return the wanted kind, without its article."""
    return kind.wanted.removeprefix("an ").removeprefix("a ")


def is_list(value: object) -> bool:
    """Return whether it is a sequence that is meant as a list."""
    return isinstance(value, Sequence) and not isinstance(value, BARE)


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(key, str) for key in cast("Mapping[object, object]", value)
    )


def _pairs(value: object) -> Iterable[tuple[object, object]]:
    return cast("Mapping[object, object]", value).items() if _is_object(value) else ()


def _values(value: object) -> Iterable[object]:
    return cast("Mapping[object, object]", value).values()


def _is_aware(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None


a_string: Final = Kind("a str", lambda value: isinstance(value, str), types=(str,))
"""Text; a member of a string enum is one too."""

a_segment: Final = Kind(
    "a str",
    lambda value: isinstance(value, str) and value not in SEGMENTS,
    hints={str: "it is a part of a path, and could never be addressed"},
)
"""Text that another operation has in its path."""

# Python's booleans are numbers, JSON's are not.
an_integer: Final = Kind(
    "an int", lambda value: isinstance(value, int) and not isinstance(value, bool), types=(int,)
)
"""A whole number."""

a_number: Final = Kind(
    "a float or int",
    lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    types=(int, float),
)
"""Any number."""

a_boolean: Final = Kind("a bool", lambda value: isinstance(value, bool), types=(bool,))
"""True or False."""

a_time: Final = Kind(
    "an aware datetime", _is_aware, hints={datetime: "add tzinfo=datetime.UTC to this naive one"}
)
"""A datetime that knows its offset."""

an_object: Final = Kind("a mapping of str to values", _is_object, hints=KEYS)
"""A mapping with string keys; its values are judged when they are encoded."""

anything: Final = Kind("anything", lambda _: True)
"""Whatever JSON can say; judged when it is encoded."""
