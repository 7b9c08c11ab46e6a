"""Names that something had before: they still lead to it, and say how long."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

__all__ = ["deprecated_names"]


def deprecated_names(
    module: str, names: Mapping[str, tuple[object, str]]
) -> Callable[[str], object]:
    """What a module answers when it is asked for a name that it does not have.

    Args:
        module: Its name.
        names: Old names; for each what it stands for, and what is said to whoever uses it.
    """

    def get(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value, notice = names[name]
        # Who asks is one step further up: `poolse` stands between, and loads its names from here.
        warnings.warn(notice, DeprecationWarning, stacklevel=3)
        return value

    return get
