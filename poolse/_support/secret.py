"""Strings that `repr` hides: a token, an API key, or a URL with a password in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

__all__ = ["Secret", "hidden", "hidden_items"]

T = TypeVar("T")


class Secret(str):
    """A str that `repr` hides.

    Some tools print the local variables of each frame of a traceback: then this is what they print.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"


def hidden(value: T) -> T:
    """Return the same value, as a secret if it is a str."""
    return cast("T", Secret(value)) if isinstance(value, str) else value


def hidden_items(value: T) -> T:
    """Return the same value; of a mapping a copy, in which every str is a secret."""
    if not isinstance(value, Mapping):
        return value
    items = cast("Mapping[object, object]", value).items()
    return cast("T", {hidden(key): hidden(item) for key, item in items})
