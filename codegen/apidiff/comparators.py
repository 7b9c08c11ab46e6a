"""Comparators: what counts as a change of each trait of a symbol, and its rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, Literal, cast

import attrs

from codegen.apidiff.symbols import Named

__all__ = [
    "Finding",
    "findings",
]

Relation = Literal["same", "wider", "narrower", "other"]


def relation(old: str, new: str) -> Relation:
    """Return how the new annotation relates to the old one."""
    wider, narrower = _covers(new, old), _covers(old, new)
    if wider:
        return "same" if narrower else "wider"
    return "narrower" if narrower else "other"


def _covers(wide: str, narrow: str) -> bool:
    """Return whether all values of the one are values of the other."""
    return all(any(_covers_one(w, n) for w in _choices(wide)) for n in _choices(narrow))


def _covers_one(wide: str, narrow: str) -> bool:
    if wide in (narrow, "object") or (wide, narrow) == ("float", "int"):
        return True
    if narrow.startswith("enum "):
        return wide == "str"
    (head, inner), (other_head, other_inner) = _opened(wide), _opened(narrow)
    if not inner or head != other_head or len(inner) != len(other_inner):
        return False
    return all(_covers(w, n) for w, n in zip(inner, other_inner, strict=True))


def _choices(text: str) -> list[str]:
    """Return the parts of a union; of an enum argument `Name | Literal[…]`: `enum Name`."""
    parts: list[str] = []
    for part in _split(text, "|"):
        if part.startswith("Literal["):
            parts[-1] = f"enum {parts[-1]}"
        else:
            parts.append(part)
    return parts


def _opened(text: str) -> tuple[str, list[str]]:
    """Return `Head[a, b]` as its head and what is in it."""
    match = re.fullmatch(r"(\w+)\[(.*)\]", text)
    return (match[1], _split(match[2], ",")) if match else (text, [])


def _split(text: str, separator: str) -> list[str]:
    """Return at separators that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"[": 1, "]": -1}.get(character, 0)
        if character == separator and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


@attrs.frozen
class Finding:
    """A change of one trait."""

    rule: str
    old: str
    new: str
    until: str = ""
    """Of an old name: the release that removes it."""


Comparator = Callable[[str, object, object], Iterator[Finding]]


def findings(trait: str, old: object, new: object) -> Iterator[Finding]:
    """Yield the changes of one trait."""
    if old != new:
        yield from COMPARATORS[trait](trait, old, new)


def _value(trait: str, old: object, new: object) -> Iterator[Finding]:
    yield Finding(trait, str(old), str(new))


def _text(trait: str, _: object, __: object) -> Iterator[Finding]:
    yield Finding(trait, "", "")


def _flag(trait: str, old: object, new: object) -> Iterator[Finding]:
    yield Finding(f"{trait} {'on' if new else 'off'}", str(old), str(new))


def _type(trait: str, old: object, new: object) -> Iterator[Finding]:
    kind = relation(str(old), str(new))
    if kind != "same":
        yield Finding(f"{trait} {kind}", str(old), str(new))


def _result(_: str, old: object, new: object) -> Iterator[Finding]:
    yield from _type("gives", old, new)


def _absent(trait: str, old: object, new: object) -> Iterator[Finding]:
    (old_type, _was), (new_type, is_absent) = _pair(old), _pair(new)
    # Else the type tells it already.
    if old_type == new_type:
        yield from _flag(trait, None, is_absent)


def _class(_: str, old: object, new: object) -> Iterator[Finding]:
    before, now = cast("Named", old), cast("Named", new)
    if before.name != now.name:
        until = now.before.get(before.name, "")
        kind = "renamed" if until else "renamed at once"
        yield Finding(kind, before.name, now.name, until)
    yield from _aliases("", tuple(before.before), tuple(now.before))


def _payload(trait: str, old: object, new: object) -> Iterator[Finding]:
    before, now = cast("Named", old), cast("Named", new)
    if before.name not in (now.name, *now.before):
        yield Finding(trait, before.name, now.name)


def _aliases(_: str, old: object, new: object) -> Iterator[Finding]:
    for name in _names(old):
        if name not in _names(new):
            yield Finding("alias dropped", name, "")


def _deprecated(_: str, old: object, new: object) -> Iterator[Finding]:
    if bool(old) != bool(new):
        yield Finding("deprecated" if new else "not deprecated", str(old), str(new))
    else:
        yield from _text("text", old, new)


def _errors(_: str, old: object, new: object) -> Iterator[Finding]:
    before, now = _names(old), _names(new)
    for code in now:
        if code not in before:
            yield Finding("errors on", "", code)
    for code in before:
        if code not in now:
            yield Finding("errors off", code, "")


def _positionals(trait: str, old: object, new: object) -> Iterator[Finding]:
    before, now = _names(old), _names(new)
    stayed = [name for name in before if name in now]
    # Parameters that are added or removed have their own rules; this is about a new order.
    if list(now[: len(stayed)]) != stayed:
        yield Finding(trait, ", ".join(before), ", ".join(now))


def _wire(trait: str, old: object, new: object) -> Iterator[Finding]:
    before, now = (" ".join(filter(None, _names(value))) for value in (old, new))
    yield Finding(trait, before, now)


def _header(_: str, old: object, new: object) -> Iterator[Finding]:
    # That there is one, or none, is reported by the flag.
    if old and new:
        yield Finding("wire", str(old), str(new))


def _row(_: str, old: object, new: object) -> Iterator[Finding]:
    yield Finding("row off" if old else "row", str(old), str(new) or "str")


def _presence(_: str, old: object, new: object) -> Iterator[Finding]:
    yield Finding("presence" if old else "presence on", str(old), str(new) or "nothing")


def _names(value: object) -> tuple[str, ...]:
    return cast("tuple[str, ...]", value)


def _pair(value: object) -> tuple[object, object]:
    return cast("tuple[object, object]", value)


COMPARATORS: Final[dict[str, Comparator]] = {
    **dict.fromkeys(("argument", "auth", "base", "event"), _value),
    **dict.fromkeys(
        (
            "descending",
            "generate",
            "idempotency",
            "open",
            "positional",
            "replay",
            "required",
            "retry",
            "secret",
            "transient",
        ),
        _flag,
    ),
    **dict.fromkeys(("gives", "takes"), _type),
    "absent": _absent,
    "aliases": _aliases,
    "class": _class,
    "deprecated": _deprecated,
    "errors": _errors,
    "header": _header,
    "payload": _payload,
    "positionals": _positionals,
    "presence": _presence,
    "result": _result,
    "row": _row,
    "text": _text,
    "wire": _wire,
}
