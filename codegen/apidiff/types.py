"""How two annotations relate, as far as a reader of both can tell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Literal

__all__ = [
    "relation",
]


def relation(old: str, new: str) -> Literal["same", "wider", "narrower", "other"]:
    """Return how the new annotation relates to the old one."""
    before, now = _choices(_parsed(old)), _choices(_parsed(new))
    wider, narrower = _cover(now, before), _cover(before, now)
    if wider:
        return "same" if narrower else "wider"
    return "narrower" if narrower else "other"


def _parsed(annotation: str) -> ast.expr:
    # An enum that is passed, by its members or their values, becomes `Enum()`: new values of it
    # are new values of the enum, not of the parameter.
    enums = re.sub(r"(\w+) \| Literal\[[^\]]*\]", r"\1()", annotation)
    return ast.parse(enums, mode="eval").body


def _choices(node: ast.expr) -> list[ast.expr]:
    """Return the parts of a union, each value of a literal as one of its own."""
    match node:
        case ast.BinOp(left, ast.BitOr(), right):
            return [*_choices(left), *_choices(right)]
        case ast.Subscript(ast.Name("Literal"), ast.Tuple(values)):
            return values
        case ast.Subscript(ast.Name("Literal"), value):
            return [value]
        case _:
            return [node]


def _cover(wide: Iterable[ast.expr], narrow: Iterable[ast.expr]) -> bool:
    """Return whether all values of the ones are values of the others."""
    return all(any(_covers(one, other) for one in wide) for other in narrow)


def _covers(wide: ast.expr, narrow: ast.expr) -> bool:
    match wide, narrow:
        case ast.Subscript(head, inner), ast.Subscript(other_head, other_inner):
            parts, others = _parts(inner), _parts(other_inner)
            return (
                ast.dump(head) == ast.dump(other_head)
                and len(parts) == len(others)
                and all(
                    _cover(_choices(p), _choices(o)) for p, o in zip(parts, others, strict=True)
                )
            )
        case ast.Name("object"), _:
            return True
        case ast.Name("float"), ast.Name("int"):
            return True
        case ast.Name("str"), ast.Constant(str()) | ast.Call():
            return True
        case _:
            return ast.dump(wide) == ast.dump(narrow)


def _parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
