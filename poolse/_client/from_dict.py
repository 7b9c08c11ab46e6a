"""Rows from parsed JSON, for what comes without a method of its own."""

from __future__ import annotations

from typing import TypeVar

from poolse._generated.readers import READERS
from poolse._json.codec import register, structure

__all__ = ["from_dict"]

T = TypeVar("T")

register(READERS)


def from_dict(value: object, kind: type[T]) -> T:
    """Parsed JSON as a row, or as any type made of rows, such as `list[Message]`.

    For the answers of `chat.rest.request`, webhooks and files. The other way round is `to_dict`.

    Raises:
        DecodeError: It is not JSON of that type; `path` says where.
        UsageError: `kind` is no type of this library.
    """
    return structure(value, kind)
