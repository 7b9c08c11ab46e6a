"""Exceptions that are raised in several threads or tasks."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["own_copy"]

E = TypeVar("E", bound=BaseException)


def own_copy(error: E) -> E:
    """Return a copy of an exception, with its traceback, cause, context and notes.

    Each caller can write to its copy and raise it: with a shared exception, all callers would see
    what one of them wrote. An exception that cannot be copied is returned as it is.
    """
    # Imported lazily: only failures need it.
    from copy import copy

    try:
        copied = copy(error)
        if type(copied) is not type(error) or copied.args != error.args:
            return error
    except Exception:
        return error
    notes: list[str] | None = getattr(error, "__notes__", None)
    if notes is not None:
        copied.__notes__ = [*notes]
    copied.__cause__ = error.__cause__
    copied.__context__ = error.__context__
    copied.__suppress_context__ = error.__suppress_context__
    return copied.with_traceback(error.__traceback__)
