"""The lists of the API reference, read from the package, so that a new name appears by itself.

A line `% list: models` in a page is replaced by the docs of all models.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from enum import Enum
from typing import Final, TypeGuard

import poolse
from poolse._generated.names import NAMES

__all__ = ["LISTS", "directives", "with_lists"]

LINE: Final = re.compile(r"^% list: (\w+)$", re.MULTILINE)


def _generated(module: str, suits: Callable[[object], bool] = lambda _: True) -> list[str]:
    """Return the public names of a generated module."""
    names = [name for name, place in NAMES.items() if place == f"poolse._generated.{module}"]
    return _sorted([name for name in names if suits(getattr(poolse, name))])


def _sorted(names: list[str]) -> list[str]:
    """Return classes in the order of their definition."""
    return sorted(names, key=lambda name: _position(getattr(poolse, name)))


def _position(obj: object) -> int:
    return list(vars(sys.modules[obj.__module__])).index(obj.__name__) if _is_class(obj) else 0


def _is_class(obj: object) -> TypeGuard[type]:
    return isinstance(obj, type)


def _is_enum(obj: object) -> bool:
    return _is_class(obj) and issubclass(obj, Enum)


def _is_page(obj: object) -> bool:
    return _is_class(obj) and issubclass(obj, poolse.Page)


FEEDS: Final = {"Feed", "Delivery", "AsyncFeed", "AsyncDelivery"}
CLASS: Final = ".. autoclass:: poolse.{}"
BRIEF: Final = CLASS + "\n   :no-members:"
"""Of async classes, whose members are those of the sync ones, and of what has none."""

LISTS: Final[dict[str, tuple[list[str], str]]] = {
    "resources": (
        [name for name in _generated("resources") if name not in FEEDS]
        + _generated("backend_resources"),
        CLASS,
    ),
    "async_resources": (
        [name for name in _generated("async_resources") if name not in FEEDS]
        + _generated("async_backend_resources"),
        BRIEF,
    ),
    "models": (_generated("models", lambda obj: not (_is_enum(obj) or _is_page(obj))), CLASS),
    "pages": (_generated("models", _is_page), CLASS),
    "enums": (_generated("models", _is_enum), CLASS + "\n   :undoc-members:"),
    "requests": (_generated("requests"), BRIEF),
    "events": (_generated("events", _is_class), CLASS),
    "unions": (_generated("events", lambda obj: not _is_class(obj)), ".. autodata:: poolse.{}"),
    "channels": (_generated("channels"), CLASS + "\n   :inherited-members:"),
    "async_channels": (_generated("async_channels"), BRIEF),
    "errors": (_sorted([*poolse.errors.__all__]), CLASS + "\n   :show-inheritance:"),
}
"""The names of each list, and how each is shown."""


def directives(kind: str) -> str:
    """Return what shows the names of a list."""
    names, shown = LISTS[kind]
    return "\n\n".join(shown.format(name) for name in names)


def with_lists(text: str) -> str:
    """Return a page with its lists."""
    return LINE.sub(lambda found: f"```{{eval-rst}}\n{directives(found[1])}\n```", text)
