"""How one annotation relates to another."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["Relation", "relation"]

Relation = Literal["same", "wider", "narrower", "other"]


def relation(old: str, new: str) -> Relation:
    """What the new annotation is, seen from the old one."""
    wider, narrower = _covers(new, old), _covers(old, new)
    if wider:
        return "same" if narrower else "wider"
    return "narrower" if narrower else "other"


def _covers(wide: str, narrow: str) -> bool:
    """Whether all values of the one are values of the other."""
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
    """The parts of a union. Of an enum argument, which is `Name | Literal[…]`: `enum Name`."""
    found: list[str] = []
    for part in _split(text, "|"):
        if part.startswith("Literal["):
            found[-1] = f"enum {found[-1]}"
        else:
            found.append(part)
    return found


def _opened(text: str) -> tuple[str, list[str]]:
    """`Head[a, b]` as its head and what is in it."""
    found = re.fullmatch(r"(\w+)\[(.*)\]", text)
    return (found[1], _split(found[2], ",")) if found else (text, [])


def _split(text: str, separator: str) -> list[str]:
    """At separators that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"[": 1, "]": -1}.get(character, 0)
        if character == separator and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
