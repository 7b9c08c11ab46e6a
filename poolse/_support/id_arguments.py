"""IDs as arguments: the text, a `uuid.UUID`, or the object that has the ID.

One rule for all places that take an ID: handles, arguments of methods, paths, channels. Each
generated class says which IDs its objects have: `__ids__` maps what an ID belongs to, such as
`conversation`, to the attribute that holds it. `user.external_id` is another ID of a user.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, cast

from poolse._support.argument_checks import named
from poolse.errors import ArgumentTypeError, UsageError

__all__ = [
    "ANY",
    "SEGMENTS",
    "checked_id",
    "checked_ids",
    "checked_number",
    "hint_for",
    "is_id",
    "number_of",
    "referenced_id",
    "referenced_ids",
    "wanted_id",
    "wanted_number",
]

ANY: Final = "*"
"""Any object with an `id`."""

UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

SEGMENTS: Final = (".", "..")
"""IDs that a path cannot carry: to a server they mean the path itself, and the one above."""


def checked_id(name: str, value: object, kind: str) -> str:
    """Return an ID as text.

    Args:
        name: The argument, for the error.
        value: A str, a `uuid.UUID`, or an object of ours that has such an ID.
        kind: What the ID belongs to: `conversation`, `user`, `user.external_id`, `ANY` for any
            object with an `id`, or "" for an ID that no object has yet.

    Raises:
        ArgumentTypeError: It is something else.
        UsageError: It is empty, or could not be sent in a path.
    """
    text = _text(value, kind)
    if text is None:
        raise ArgumentTypeError(f"{name} must be {wanted_id(kind)}, not {named(value)}")
    if not text.strip() or (text in SEGMENTS and "." not in kind):
        raise UsageError(f"{name} must be {wanted_id(kind)}, not {text!r}")
    return text


def checked_ids(name: str, values: object, kind: str) -> list[str]:
    """Return several IDs as text, in their order.

    Raises:
        ArgumentTypeError: They are no list, or one of them is no ID.
        UsageError: One of them is empty, or could not be sent in a path.
    """
    if _text(values, kind) is not None or not isinstance(values, Iterable):
        raise ArgumentTypeError(f"{name} must be a list of IDs, not {named(values)}")
    items = cast("Iterable[object]", values)
    return [checked_id(f"{name}[{index}]", item, kind) for index, item in enumerate(items)]


def referenced_id(name: str, value: object, kind: str) -> str | None:
    """Return an ID as text, or that of what an object of ours refers to.

    Returns:
        None if the object refers to nothing, or does not have this ID of what it refers to.

    Raises:
        ArgumentTypeError: It is neither an ID nor an object that refers to such a thing.
        UsageError: It is empty.
    """
    cls = type(value)
    known = {**getattr(cls, "__ids__", {}), **getattr(cls, "__refs__", {})}
    owner = kind.partition(".")[0]
    if not any(one.partition(".")[0] == owner for one in known):
        return checked_id(name, value, kind)
    found: object = getattr(value, known[kind]) if kind in known else None
    return None if found is None else checked_id(name, found, kind)


def referenced_ids(name: str, values: object, kind: str) -> list[str]:
    """Return several IDs as text, in their order, without objects that refer to nothing.

    Raises:
        ArgumentTypeError: They are no list, or one of them is no ID and refers to no such thing.
        UsageError: One of them is empty.
    """
    if _text(values, kind) is not None or not isinstance(values, Iterable):
        raise ArgumentTypeError(f"{name} must be a list of IDs, not {named(values)}")
    items = cast("Iterable[object]", values)
    ids = (referenced_id(f"{name}[{index}]", item, kind) for index, item in enumerate(items))
    return [one for one in ids if one is not None]


def is_id(value: object, kind: str) -> bool:
    """Return whether `checked_id` accepts the value."""
    text = _text(value, kind)
    return text is not None and bool(text.strip()) and (text not in SEGMENTS or "." in kind)


def hint_for(name: str, value: object) -> str | None:
    """Return a hint for an ID that the server does not know; None if it looks like one.

    Args:
        name: The parameter, such as `conversation_id`.
        value: Its value.
    """
    if not isinstance(value, str) or UUID.fullmatch(value):
        return None
    return (
        f"{name} is {value[:100]!r}, but poolse IDs are UUIDs. Your own IDs of users go into "
        "parameters whose names contain external_id."
    )


def wanted_id(kind: str) -> str:
    """Return what to pass, for errors that say "must be ..."."""
    owner, _, attribute = kind.partition(".")
    if owner in ("", ANY):
        return "an ID, a str or uuid.UUID" + (" or an object that has it" if owner else "")
    what = attribute.removesuffix("_id").replace("_", " ")
    return f"the {f'{what} ' if what else ''}ID of a {owner}, a str or uuid.UUID, or the {owner}"


def checked_number(name: str, value: object, kind: str) -> int:
    """Return an ID that is a number.

    Args:
        name: The argument, for the error.
        value: An int, or an object of ours that has such an ID.
        kind: What the ID belongs to.

    Raises:
        ArgumentTypeError: It is something else.
    """
    number = number_of(value, kind)
    if number is None:
        raise ArgumentTypeError(f"{name} must be {wanted_number(kind)}, not {named(value)}")
    return number


def number_of(value: object, kind: str) -> int | None:
    """Return the number that `checked_number` returns, None for what it refuses."""
    known: Mapping[str, str] = getattr(type(value), "__ids__", {})
    if kind in known:
        value = getattr(value, known[kind])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def wanted_number(kind: str) -> str:
    """Return what to pass, for errors that say "must be ..."."""
    return f"the ID of a {kind}, an int, or the {kind}" if kind else "an ID, an int"


def _text(value: object, kind: str) -> str | None:
    if isinstance(value, str):
        # Of an enum, or of any other str with a `__str__` of its own, the text itself.
        return str(value.value) if isinstance(value, Enum) else str.__str__(value)
    # UUIDs exist only if this module, which is slow to load, was imported.
    module = sys.modules.get("uuid")
    if module is not None and isinstance(value, module.UUID):
        return str(value)
    known: Mapping[str, str] = getattr(type(value), "__ids__", {})
    attribute = known.get(kind)
    if kind == ANY and "id" in known.values():
        attribute = "id"
    return None if attribute is None else _text(getattr(value, attribute), "")
