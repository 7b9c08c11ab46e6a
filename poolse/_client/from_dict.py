"""Rows from parsed JSON, for what comes without a method of its own."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from poolse._generated.readers import READERS
from poolse._json.codec import decode_value
from poolse._json.parsing import instant
from poolse.errors import UsageError

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["from_dict"]

T = TypeVar("T")


def from_dict(value: object, kind: type[T]) -> T:
    """Parsed JSON as a row, or as any type made of rows, such as `list[Message]`.

    For the answers of `chat.rest.request`, webhooks and files. The other way round is `to_dict`.

    Raises:
        DecodeError: It is not JSON of that type; `path` says where.
        UsageError: `kind` is no type of this library.
    """
    from cattrs.errors import StructureHandlerNotFoundError

    try:
        return decode_value(lambda json: _converter().structure(json, kind), value)
    except StructureHandlerNotFoundError as error:
        raise UsageError(f"{kind!r} is not a row, nor made of rows") from error


@cache
def _converter() -> Converter:
    # Imported here because it costs as much as the rest of the library, and few need it.
    from cattrs import Converter

    converter = Converter(detailed_validation=False)
    converter.register_structure_hook(datetime, lambda value, _: instant(value))
    converter.register_structure_hook_func(
        lambda kind: kind in READERS, lambda value, kind: READERS[kind](value)
    )
    return converter
