"""`__repr__` of attrs classes without the cost of generating one for each class."""

from __future__ import annotations

from typing import Any, cast

import attrs

__all__ = ["ReprMixin"]


class ReprMixin:
    """A `__repr__` as attrs would generate it, for classes with `repr=False`.

    attrs writes and compiles a `__repr__` for each class, a third of the time that creating the
    class takes. Each program that imports the class would wait for that, and few print one.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        # Every class that uses this is an attrs class.
        fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cast(Any, type(self)))
        shown: list[str] = []
        for field in fields:
            if field.repr:
                show = repr if field.repr is True else field.repr
                shown.append(f"{field.name}={show(getattr(self, field.name))}")
        return f"{type(self).__qualname__.rpartition('>.')[2]}({', '.join(shown)})"
