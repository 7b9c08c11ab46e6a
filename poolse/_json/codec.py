"""Conversion between JSON bytes and typed values, in both directions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from math import isfinite
from typing import Any, Final, TypeVar, cast

import orjson

from poolse._json.models import Model, missing, wire_items
from poolse._json.parsing import Mismatch, read_json, read_nothing
from poolse._rest.endpoint import Read
from poolse.errors import ArgumentTypeError, DecodeError, UsageError
from poolse.types import UNSET

__all__ = [
    "Mismatch",
    "decode",
    "decode_value",
    "dumped",
    "encode",
    "encode_fields",
    "missing",
    "parsed",
    "plain",
    "query_text",
    "read_json",
    "read_nothing",
    "to_dict",
]

T = TypeVar("T")

QUOTED: Final = 80

TOO_DEEP: Final = "cannot be sent as JSON: it is nested too deeply, or contains itself"

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""Not part of JSON, but some proxies prepend it."""

LONG_NUMBER: Final = b"0" * 19
SMALLEST: Final = -(2**63)
LARGEST: Final = 2**64 - 1
"""Range of the integers that orjson reads and writes exactly."""
DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")


def decode(read: Read[T], content: bytes) -> T:
    """Return the content of a response as a typed value.

    Raises:
        DecodeError: It is not JSON, or does not match the API.
    """
    if read is read_nothing or (read is read_json and not content.strip()):
        return read(None)
    try:
        return read(parsed(content))
    except (json.JSONDecodeError, UnicodeDecodeError):  # orjson's is a JSONDecodeError too
        failure = DecodeError(_not_json(content.removeprefix(BYTE_ORDER_MARK)))
    except ValueError as error:
        failure = DecodeError(str(error))
    except Mismatch as mismatch:
        failure = DecodeError(str(mismatch), mismatch.path)
    # Raised out here, without its cause, and after this: the frames that held the response, and the
    # token that may be in it, are in no traceback then.
    del content
    raise failure


def parsed(content: bytes | bytearray | str) -> object:
    """Return parsed JSON, with exact integers.

    orjson reads integers of more than 64 bits as floats. JSON that may contain one, which is rare,
    is read by the slower parser of the standard library.

    Raises:
        ValueError: It is not JSON, has a number with too many digits for Python, or is nested too
            deeply.
    """
    if isinstance(content, str):
        content = content.encode(errors="surrogatepass")
    content = content.removeprefix(BYTE_ORDER_MARK)
    if LONG_NUMBER not in content.translate(DIGITS):
        return cast("object", orjson.loads(content))
    try:
        return cast(
            "object", json.loads(content, parse_float=_finite_number, parse_constant=_finite_number)
        )
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:
        problem = "a number in the JSON has more digits than Python reads"
    except RecursionError:
        # orjson has a limit of its own, which is a little larger.
        problem = "the JSON is nested too deeply"
    # As in `decode`: the frames that held the content are in no traceback.
    del content
    raise ValueError(problem)


def _finite_number(text: str) -> float:
    """Return a number as orjson reads it, which refuses NaN, Infinity and too large floats."""
    value = float(text)
    if not isfinite(value):
        raise json.JSONDecodeError("a number is not finite", text, 0)
    return value


def decode_value(read: Callable[[object], T], value: object) -> T:
    """Return parsed JSON as a typed value.

    Raises:
        DecodeError: It does not match the API.
    """
    try:
        return read(value)
    except Mismatch as mismatch:
        failure = DecodeError(str(mismatch), mismatch.path)
    # As in `decode`.
    del value
    raise failure


def _not_json(content: bytes) -> str:
    if not content.strip():
        return "expected JSON, got nothing"
    # An error of a proxy is worth showing. A truncated response may contain a token.
    if content.lstrip().startswith((b"{", b"[")):
        return f"expected JSON, got {len(content)} bytes that only start like JSON"
    return f"expected JSON, got {content[:QUOTED]!r}{'...' if len(content) > QUOTED else ''}"


def encode(value: object, name: str = "body") -> bytes:
    """Return JSON for a request, or for one of its fields.

    Raises:
        UsageError: A value cannot be encoded, such as NaN or a time without an offset.
    """
    try:
        return dumped(plain(value, name), orjson.OPT_PASSTHROUGH_DATACLASS)
    except RecursionError:
        raise UsageError(f"{name}: {TOO_DEEP}") from None
    except orjson.JSONEncodeError as error:
        raise UsageError(f"{name}: cannot be sent as JSON: {error}") from error


def plain(value: object, name: str) -> object:
    """Return a value of that name as JSON has it: a model is an object, a time a text.

    Raises:
        UsageError: A value that JSON cannot say, such as NaN or a time without an offset.
    """
    try:
        return _plain(value)
    except RecursionError:
        raise UsageError(f"{name}: {TOO_DEEP}") from None
    except UsageError as error:
        raise UsageError(f"{name}: cannot be sent as JSON: {error}") from error


def encode_fields(fields: Mapping[str, object]) -> bytes:
    """Return JSON of the fields of a request.

    Raises:
        UsageError: A value cannot be encoded; the message names the field.
    """
    try:
        plain: dict[str, object] = {}
        for name, value in fields.items():
            plain[name] = value if value.__class__ is str else _plain(value)
        return orjson.dumps(plain, option=orjson.OPT_PASSTHROUGH_DATACLASS)
    except (RecursionError, UsageError, orjson.JSONEncodeError):
        # Field by field: one has a number of more than 64 bits, or the error is to name it.
        return orjson.dumps(
            {name: orjson.Fragment(encode(value, name)) for name, value in fields.items()}
        )


def dumped(value: object, option: int) -> bytes:
    """Return JSON of plain values, with integers of any size, which orjson alone refuses.

    Args:
        value: The value to encode.
        option: Option of `orjson.dumps`.

    Raises:
        JSONEncodeError: The value cannot be encoded. Also a TypeError.
    """
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError as error:
        if "64-bit" not in str(error):
            raise
    return orjson.dumps(_with_fragments(value), option=option)


def _with_fragments(value: object) -> object:
    """Return the value with each number that orjson refuses replaced by its JSON text."""
    match value:
        case bool():
            return value
        case int() if not SMALLEST <= value <= LARGEST:
            try:
                return orjson.Fragment(str(value))
            except ValueError as error:  # more digits than Python writes
                raise orjson.JSONEncodeError(str(error)) from None
        case dict():
            items = cast("dict[object, object]", value).items()
            return {key: _with_fragments(item) for key, item in items}
        case list() | tuple():
            return [_with_fragments(item) for item in cast("Sequence[object]", value)]
        case _:
            return value


def query_text(name: str, value: object) -> str:
    """Return a value as text of a query, before percent-encoding.

    Raises:
        UsageError: It is not a str, a number, a boolean or a time with an offset.
    """
    plain: object = value.value if isinstance(value, Enum) else value
    match plain:
        case bool():
            # JSON's spelling: Python's would be `True`.
            return str(plain).lower()
        case str() | int() | float() | datetime():
            try:
                return str(_plain(plain))
            # Also of an int that has too many digits for Python to write down.
            except ValueError as error:
                raise UsageError(f"{name}: {error}") from error
        case _:
            wanted = "a str, a number, a bool or an aware datetime"
            raise ArgumentTypeError(f"{name} must be {wanted}, not {type(value).__name__}")


def to_dict(obj: Model | Mapping[str, object]) -> dict[str, Any]:
    """Return a model, or presence map, as its JSON object: plain dicts, lists and strings.

    Absent keys stay absent, and unknown fields (`extra`) are included. Times are RFC 3339 in UTC.
    """
    return cast("dict[str, Any]", _plain(obj))


def _plain(value: object) -> object:
    match value:
        case Model():
            return {key: _plain(item) for key, item in wire_items(value)}
        case Enum():
            return _plain(_meant(value))
        case str():
            return str(value)
        case float():
            return _finite(value)
        case datetime():
            return _timestamp(value)
        case Mapping():
            items = cast("Mapping[object, object]", value).items()
            return {_key(key): _plain(item) for key, item in items if item is not UNSET}
        case Sequence() if not isinstance(value, (bytes, bytearray, memoryview)):
            return [_plain(item) for item in cast("Sequence[object]", value)]
        case _:
            return value


def _meant(value: Enum) -> object:
    if value is UNSET:
        raise UsageError("UNSET leaves out a key, and is not a value")
    return value.value


def _key(key: object) -> str:
    if isinstance(key, str):
        return str(key.value) if isinstance(key, Enum) else str(key)
    raise UsageError(f"a key must be a str, not {type(key).__name__}")


def _finite(value: float) -> float:
    # orjson would send null, and the server would store that.
    if not isfinite(value):
        raise UsageError(f"JSON has no {value}")
    return value


def _timestamp(value: datetime) -> str:
    if value.utcoffset() is None:
        raise UsageError("a time needs an offset: add tzinfo=datetime.UTC")
    try:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError:
        raise UsageError("a time is outside the years 1 to 9999 in UTC") from None
