"""Exceptions that several threads or tasks are given."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["own_copy"]

E = TypeVar("E", bound=BaseException)


def own_copy(error: E) -> E:
    """Return a copy of an exception, with its traceback, cause, context and notes.

    Whoever is given a copy can write to it and raise it: a shared exception would show what one
    caller wrote to all the others. One that cannot be copied is returned as it is.
    """
    # Only now: a program in which nothing fails does without.
    from copy import copy

    try:
        twin = copy(error)
        if type(twin) is not type(error) or twin.args != error.args:
            return error
    except Exception:
        return error
    notes: list[str] | None = getattr(error, "__notes__", None)
    if notes is not None:
        twin.__notes__ = [*notes]
    twin.__cause__ = error.__cause__
    twin.__context__ = error.__context__
    twin.__suppress_context__ = error.__suppress_context__
    return twin.with_traceback(error.__traceback__)
