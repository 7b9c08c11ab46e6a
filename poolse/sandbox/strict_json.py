"""JSON as strict as the backend's own parser, which is stricter than Python's."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import NoReturn

__all__ = ["DEEPEST", "Json", "JsonObject", "dump", "parse"]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
JsonObject = dict[str, Json]

DEEPEST = 100
"""Levels of lists and objects inside each other; Python gives up at some hundreds."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def dump(value: object) -> str:
    """Return the value as compact JSON text, with unescaped Unicode."""
    return _dump(value)


def parse(text: str | bytes) -> Json:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is not JSON, not UTF-8, holds half a surrogate pair or a number that is
            not finite, or is nested too deeply.
    """
    if isinstance(text, bytes):
        text = text.decode()
    try:
        value: Json = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > DEEPEST and _is_deep(value):
        raise ValueError("nested too deeply")
    if _SURROGATE.search(text):
        dump(value).encode()
    return value


def _is_deep(value: Json) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [child for one in level for child in _inside(one)]
    return bool(level)


def _inside(value: Json) -> Iterator[Json]:
    """Return the lists and objects directly inside a list or an object."""
    if isinstance(value, dict | list):
        children = value.values() if isinstance(value, dict) else value
        yield from (child for child in children if isinstance(child, dict | list))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is out of range")
    return number
