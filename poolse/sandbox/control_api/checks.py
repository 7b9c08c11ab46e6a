"""Checks the values of a request against the table of routes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from poolse.sandbox.control_api.call import Node, Query
from poolse.sandbox.errors import ApiRefusal, all_invalid, invalid
from poolse.sandbox.strict_json import Json, JsonObject, parse

__all__ = ["check_object", "read_body", "read_query"]

_WORDS = {
    "enum": "must be one of {}",
    "exclusiveMinimum": "must be greater than {}",
    "maximum": "must be at most {}",
    "minLength": "can't be blank",
    "minimum": "must be at least {}",
}


def read_body(schema: Node, body: bytes) -> JsonObject:
    """Return the object in a body; an empty body is an empty object.

    Raises:
        ApiRefusal: 400 if it is not JSON, 422 if it is not as the schema says.
    """
    try:
        value: Json = parse(body) if body else {}
    except ValueError as error:
        raise ApiRefusal("bad_request", f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ApiRefusal("validation_failed", "the body has to be a JSON object")
    check_object(schema, value)
    return value


def check_object(schema: Node, value: JsonObject) -> None:
    """Refuse an object with everything that is wrong with it.

    Raises:
        ApiRefusal: 422.
    """
    schema = _branch(schema, value)
    # Any: the stubs of jsonschema do not take a value of which nothing is known.
    validator: Any = Draft202012Validator(dict(schema))
    errors: Iterator[ValidationError] = validator.iter_errors(value)
    complaints: dict[str, list[str]] = {}
    for error in errors:
        for field, words in _complaints(error):
            complaints.setdefault(field, []).append(words)
    if complaints:
        raise all_invalid(complaints)


def _branch(schema: Node, value: JsonObject) -> Node:
    """Return the one of several schemas that the object names."""
    if "discriminator" not in schema:
        return schema
    name: str = schema["discriminator"]["propertyName"]
    branches: dict[str, Node] = {one["properties"][name]["const"]: one for one in schema["oneOf"]}
    chosen = branches.get(str(value.get(name)))
    if chosen is None:
        raise invalid(**{name: f"must be one of {', '.join(branches)}"})
    return chosen


def read_query(wanted: tuple[Query, ...], query: Mapping[str, str]) -> dict[str, int]:
    """Return the numbers of a query; those that are missing have their default, or are left out.

    Raises:
        ApiRefusal: 422.
    """
    values: dict[str, int] = {}
    complaints: dict[str, list[str]] = {}
    for one in wanted:
        text = query.get(one.name)
        if text is None:
            values |= {} if one.default is None else {one.name: one.default}
        elif not re.fullmatch("[0-9]{1,18}", text):
            complaints[one.name] = ["must be a whole number"]
        else:
            number = int(text)
            values[one.name] = number if one.maximum is None else min(number, one.maximum)
    if complaints:
        raise all_invalid(complaints)
    return values


def _complaints(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Return the fields that an error is about, and what to say."""
    field = str(error.absolute_path[0]) if error.absolute_path else "base"
    instance: Any = error.instance
    schema: Any = error.schema
    expected: Any = error.validator_value
    match error.validator:
        case "required":
            yield from ((name, "is required") for name in expected if name not in instance)
        case "additionalProperties":
            known = ", ".join(schema["properties"]) or "none"
            unknown = [name for name in instance if name not in schema["properties"]]
            yield from ((name, f"is unknown: the fields are {known}") for name in unknown)
        case "type":
            types = [expected] if isinstance(expected, str) else expected
            yield field, f"must be of type {' or '.join(types)}"
        case validator:
            words = _WORDS.get(str(validator))
            yield field, error.message if words is None else words.format(expected)
