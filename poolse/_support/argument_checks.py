"""Checks of the arguments of clients and calls: each rule once, with errors that say what to do.

Messages name the type that was given and never the value, which may be a secret.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import Final, TypeVar, cast

from poolse._support.secret import hidden_items
from poolse.errors import ArgumentTypeError, UsageError
from poolse.types import UNSET

__all__ = [
    "PLAIN_HINT",
    "TOKEN",
    "check_header",
    "checked_callback",
    "checked_count",
    "checked_headers",
    "checked_instance",
    "checked_mapping",
    "checked_seconds",
    "checked_text",
    "checked_wait",
    "has_method",
    "is_async",
    "named",
    "not_awaitable",
]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])

TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A word of HTTP: a method, or the name of a header."""

FIELD: Final = re.compile(r"[\t\x20-\x7e]*")
"""What HTTP carries as the value of a header: anything else could be read in two ways."""

LONGEST: Final = 1_000_000_000
"""Seconds, 31 years: the operating system cannot wait much longer."""

PLAIN_HINT: Final = "pass a plain function"
SYNC_HINT: Final = "use AsyncPoolse, or pass a plain function"
"""What to do instead of giving a coroutine function to a sync client."""

FRAMING: Final = ("content-length", "transfer-encoding")
"""Headers that say where a body ends: a wrong one makes two requests of one, or none at all."""


def has_method(value: object, name: str) -> bool:
    """Return whether an object, and no class, has a method of that name.

    Also one that its `__getattr__` gives, as those of `tempfile` and of many wrappers: from Python
    3.12 on, `isinstance` with a protocol does not see these.
    """
    return not isinstance(value, type) and callable(getattr(value, name, None))


def named(value: object) -> str:
    """Return the kind of a value, which itself must not be shown."""
    return repr(value) if value is None or value is UNSET else type(value).__name__


def checked_instance(name: str, value: object, kind: type[T], wanted: str) -> T:
    """Return the value, if it is of this class; `wanted` is the name of the class in the error."""
    if isinstance(value, kind):
        return value
    raise ArgumentTypeError(f"{name} must be {wanted}, not {named(value)}")


def checked_text(name: str, value: object) -> str:
    """Return the value, if it is a str."""
    return checked_instance(name, value, str, "a str")


def checked_callback(name: str, function: F, *, awaits: bool, hint: str = SYNC_HINT) -> F:
    """Return the function if it can be called back. Every argument that is a function comes here.

    Args:
        name: The argument's name, for the message.
        function: What the caller gave.
        awaits: Whether its result is awaited. If not, coroutine functions are refused.
        hint: What to do instead of giving a coroutine function.

    Raises:
        ArgumentTypeError: It cannot be called.
        UsageError: Its body would never run: it is async where nothing awaits it, or a generator
            function, which nothing iterates.
    """
    if not callable(function):
        raise ArgumentTypeError(f"{name} must be a function, not {named(function)}")
    if _is_kind(function, inspect.isgeneratorfunction) or _is_kind(
        function, inspect.isasyncgenfunction
    ):
        raise UsageError(f"{name} is a generator function, and nothing here iterates it: {hint}")
    if not awaits and is_async(function):
        raise UsageError(f"{name} is async, and nothing here awaits it: {hint}")
    return function


def is_async(function: object) -> bool:
    """Return whether calling it returns a coroutine, as far as can be seen without calling it."""
    return _is_kind(function, inspect.iscoroutinefunction)


def not_awaitable(name: str, result: T, hint: str = SYNC_HINT) -> T:
    """Return what a function returned that nothing awaits.

    A plain function may return a coroutine too (`lambda event: save(event)`), which no check of the
    function can see.

    Raises:
        UsageError: It would have to be awaited, so what it stands for was not done.
    """
    if result is not None and inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            # Otherwise Python warns that it was never awaited.
            result.close()
        raise UsageError(f"{name} returned an awaitable, and nothing here awaits it: {hint}")
    return result


def _is_kind(function: object, is_kind: Callable[[object], bool]) -> bool:
    while isinstance(function, partial):
        function = cast("partial[object]", function).func
    called: object = getattr(type(function), "__call__", None)  # noqa: B004
    return is_kind(function) or is_kind(called)


def checked_count(name: str, value: object, least: int = 0) -> int:
    """Return the value, if it is a whole number that is large enough."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ArgumentTypeError(f"{name} must be an int, not {named(value)}")
    if value < least:
        raise UsageError(f"{name} must be at least {least}, not {value}")
    return value


def checked_seconds(name: str, value: object, also: str = "") -> float:
    """Return the value, if it is a number of seconds. `also` names what else is allowed."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ArgumentTypeError(f"{name} must be a number of seconds{also}, not {named(value)}")
    # Compared with infinity: that works for ints of any size.
    if not 0 <= value < inf:
        raise UsageError(f"{name} must be a number of seconds{also}, 0 or more, not {value}")
    if value > LONGEST:
        raise UsageError(f"{name} must be a number of seconds{also}, at most {LONGEST}")
    return value


def checked_wait(name: str, value: object) -> float | None:
    """Return the value, if it is a number of seconds, or None for no limit."""
    return None if value is None else checked_seconds(name, value, " or None")


def checked_mapping(name: str, value: object) -> Mapping[object, object]:
    """Return the value, if it is a mapping."""
    if not isinstance(value, Mapping):
        raise ArgumentTypeError(f"{name} must be a mapping, not {named(value)}")
    return cast("Mapping[object, object]", value)


def checked_headers(name: str, value: object) -> dict[str, str]:
    """Return a copy of the headers, if HTTP can carry them."""
    # Hidden, because tools that print local variables print these when one of them is refused.
    value = hidden_items(value)
    for key, text in checked_mapping(name, value).items():
        if not isinstance(key, str):
            raise ArgumentTypeError(f"the names of {name} must be str, not {named(key)}")
        check_header(key, text)
        if key.lower() in FRAMING:
            raise UsageError(f"leave {key} out of {name}: it follows from the body")
    return {str(key): str(text) for key, text in checked_mapping(name, value).items()}


def check_header(name: str, value: object) -> str:
    """Return the value of a header, if HTTP can carry it and it cannot split the header in two."""
    if not TOKEN.fullmatch(name):
        # Not repeated: it may be a secret that was put in the wrong place.
        raise UsageError("the name of a header must be a plain word such as X-Request-Source")
    if not isinstance(value, str):
        raise ArgumentTypeError(f"the value of header {name} must be a str, not {named(value)}")
    if not FIELD.fullmatch(value):
        raise UsageError(f"the value of header {name} has characters that HTTP cannot carry")
    if value != value.strip():
        raise UsageError(f"the value of header {name} has blanks around it")
    return value
