"""Helpers of the functions of `factories`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from poolse._json.codec import decode_value, encode, missing, to_dict
from poolse._json.models import Model
from poolse.errors import UsageError
from poolse.types import UNSET

__all__ = ["made"]

R = TypeVar("R", bound=Model)

_IDS: Final = uuid.UUID("5d0c0f0e-8b5e-4f53-9d0a-70c1a3b2e6f4")


def made(
    cls: type[R],
    read: Callable[[object], R],
    defaults: Mapping[str, object] | None,
    given: Mapping[str, object],
) -> R:
    """Return a model as the server would have sent it: encoded as JSON, and decoded.

    The same values always create the same model. The default `id` is that of the example if all
    values are, else it is derived from the values that differ.

    Args:
        cls: Class of the model.
        read: Creates it from parsed JSON.
        defaults: The example, by names of Python.
        given: All values; UNSET leaves a field out.

    Raises:
        DecodeError: A value has the wrong type.
        UsageError: A value cannot be encoded, or is None for a field that is never null.
    """
    plain, usual = to_dict(given), to_dict(defaults or {})
    changed = [name for name in given if plain.get(name, UNSET) != usual.get(name, UNSET)]
    if changed and "id" in usual and "id" not in changed:
        seed = encode([(name, plain.get(name)) for name in sorted(changed)])
        plain["id"] = str(uuid.uuid5(_IDS, seed.decode()))
    wire = {cls.__wire__.get(name, name): value for name, value in plain.items()}
    row = decode_value(read, wire)
    if absent := missing(row):
        raise UsageError(f"a {cls.__name__} always has: {', '.join(absent)}")
    return row
