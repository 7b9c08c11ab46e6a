"""How names of the spec become names in Python."""

from __future__ import annotations

import keyword
import re
from typing import Final

__all__ = ["constant", "is_usable", "member", "pascal", "snake"]

BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _words(name: str) -> list[str]:
    spaced = BOUNDARY.sub(" ", name)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word]


def pascal(name: str) -> str:
    """`some_thing` and `someThing` as `SomeThing`."""
    return "".join(word[0].upper() + word[1:] for word in _words(name))


def snake(name: str) -> str:
    """`SomeThing` as `some_thing`."""
    return "_".join(_words(name))


def constant(name: str) -> str:
    """`someThing` as `SOME_THING`."""
    return snake(name).upper()


def member(value: str) -> str:
    """The name of an enum member, from its value."""
    name = constant(value)
    return name if name[:1].isalpha() else f"VALUE_{name}"


def is_usable(name: str) -> bool:
    """Whether it can stand as a name in Python. Soft keywords such as `type` can."""
    return name.isidentifier() and not keyword.iskeyword(name)
