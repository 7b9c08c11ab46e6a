"""Deprecated names: they still work, with a warning."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

__all__ = ["deprecated_names"]


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
