"""Small types that every room of the library shares: UNSET, open enums, JSON."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final, Literal, Self

__all__ = ["UNSET", "Json", "JsonObject", "OpenEnum", "Unset", "UploadBody"]


class _Unset(Enum):
    """An enum with one member: that survives pickle and copy, and type checkers narrow it."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset.UNSET
"""Leave the key out of the request. Not the same as None, which sends null."""

Unset = Literal[_Unset.UNSET]
"""The type of `UNSET`, for annotations."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""Anything that JSON can say."""

UploadBody = bytes | bytearray | memoryview | str
"""What can be uploaded. A str is the text itself, sent as UTF-8, and never a path."""

JsonObject = Mapping[str, object]
"""A JSON object: string keys, JSON values."""


class OpenEnum(StrEnum):
    """A string enum that lets values through which this release does not know.

    A newer backend may send a value that was added after this client was made. It arrives as a
    member of the same enum with the raw string as its value, equal to that string.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        # Not stored in the class: a server must not be able to grow it without end.
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether this release of the client knows the value."""
        return self._name_ in type(self).__members__

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        return type(self), (self._value_,)
