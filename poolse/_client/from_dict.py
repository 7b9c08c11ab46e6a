"""`from_dict`: models from parsed JSON."""

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
    """Convert parsed JSON to a model, or to a type composed of models, such as `list[Message]`.

    For responses of `chat.rest.request`, webhooks and files. The reverse is `to_dict`.

    Args:
        value: Parsed JSON.
        kind: The type to convert to.

    Raises:
        DecodeError: The value does not match the type; `path` names the place.
        UsageError: `kind` is neither a model nor composed of models.
    """
    from cattrs.errors import StructureHandlerNotFoundError

    try:
        return decode_value(lambda json: _converter().structure(json, kind), value)
    except StructureHandlerNotFoundError as error:
        raise UsageError(f"{kind!r} is neither a model nor composed of models") from error


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
