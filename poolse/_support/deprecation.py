"""Deprecated names: they still work, with a warning."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

__all__ = ["deprecated_names", "deprecated_parameters"]

F = TypeVar("F", bound=Callable[..., Any])


def deprecated_names(
    module: str, names: Mapping[str, tuple[object, str]]
) -> Callable[[str], object]:
    """Return the `__getattr__` of a module with deprecated names.

    Args:
        module: Its name.
        names: Deprecated names; for each its object, and the text of the warning.
    """

    def get(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value, notice = names[name]
        # The caller is one frame further up, behind `poolse`, which loads its names from here.
        warnings.warn(notice, DeprecationWarning, stacklevel=3)
        return value

    return get


def deprecated_parameters(names: Mapping[str, tuple[str, str]]) -> Callable[[F], F]:
    """Return a decorator of methods that lets callers pass parameters by old names.

    Args:
        names: Deprecated names; for each the name now, and the text of the warning.
    """

    def renamed(keywords: dict[str, Any]) -> dict[str, Any]:
        for name in keywords.keys() & names.keys():
            now, notice = names[name]
            if now != name and now in keywords:
                raise TypeError(f"{name!r} is an old name of {now!r}: pass only one of them")
            # The caller is two frames further up, behind the method as it is called.
            warnings.warn(notice, DeprecationWarning, stacklevel=3)
            keywords[now] = keywords.pop(name)
        return keywords

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def call(*arguments: object, **keywords: object) -> object:
            return method(*arguments, **renamed(keywords))

        if inspect.iscoroutinefunction(method):

            @functools.wraps(method)
            async def call_async(*arguments: object, **keywords: object) -> object:
                return await method(*arguments, **renamed(keywords))

            return cast("F", call_async)
        return cast("F", call)

    return decorate
