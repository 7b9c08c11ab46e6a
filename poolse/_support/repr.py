"""How values show themselves, where writing that down for each class costs too much."""

from __future__ import annotations

from typing import Any, cast

import attrs

__all__ = ["ReprMixin"]


class ReprMixin:
    """Shows itself as attrs would, for classes that are made with `repr=False`.

    attrs writes and compiles a `__repr__` for each class, which takes a third of the time of making
    it. Each program that imports the class would wait for that, and few ever print one.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        # Every class that is shown is one of attrs.
        fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cast(Any, type(self)))
        shown: list[str] = []
        for field in fields:
            if field.repr:
                show = repr if field.repr is True else field.repr
                shown.append(f"{field.name}={show(getattr(self, field.name))}")
        return f"{type(self).__qualname__.rpartition('>.')[2]}({', '.join(shown)})"
