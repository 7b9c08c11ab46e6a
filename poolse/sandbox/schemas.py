"""JSON Schema, as the spec uses it, with complaints in the words of the backend."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

__all__ = ["Schema", "Schemas", "schemas_of"]

Schemas = Registry[Any]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_FORMATS = FormatChecker(formats=())

_WORDS = {
    "minimum": "must be greater than or equal to {}",
    "exclusiveMinimum": "must be greater than {}",
    "maximum": "must be less than or equal to {}",
    "minItems": "should have at least {} item(s)",
    "maxItems": "should have at most {} item(s)",
    "minLength": "should be at least {} character(s)",
    "maxLength": "should be at most {} character(s)",
}
_BLANK = "can't be blank"
_INVALID = "is invalid"


@_FORMATS.checks("uuid")
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or _UUID.fullmatch(value) is not None


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    datetime.fromisoformat(value)
    return _TIME.fullmatch(value) is not None


class Schema:
    """One schema of the spec."""

    def __init__(self, schema: Mapping[str, Any], schemas: Schemas) -> None:
        """Take the schema, and where those are to which it refers."""
        # Any: the stubs of jsonschema do not take a value of which nothing is known.
        self._validator: Any = Draft202012Validator(
            schema, registry=schemas, format_checker=_FORMATS
        )

    def holds(self, value: object) -> bool:
        """Whether a value is as it should be."""
        valid: bool = self._validator.is_valid(value)
        return valid

    def complaints(self, value: object, name: str = "") -> dict[str, list[str]]:
        """What is wrong with which field, or with the one value that has a name."""
        found: dict[str, list[str]] = {}
        for error in self._errors(value):
            for field, words in _complaints(error):
                texts = found.setdefault(name or field, [])
                if words not in texts:
                    texts.append(words)
        return found

    def faults(self, value: object) -> Iterator[str]:
        """What is wrong where, in full."""
        for error in self._errors(value):
            yield f"{error.json_path}: {error.message}"

    def _errors(self, value: object) -> Iterator[ValidationError]:
        errors: Iterator[ValidationError] = self._validator.iter_errors(value)
        return errors


def schemas_of(address: str, document: Mapping[str, Any]) -> Schemas:
    """Where the schemas of a document are found by `address` and a pointer."""
    resource = Resource.from_contents(document, default_specification=DRAFT202012)
    empty: Schemas = Registry()
    schemas: Schemas = empty.with_resource(address, resource)
    return schemas


def _complaints(error: ValidationError) -> Iterator[tuple[str, str]]:
    """The fields that an error is about, and what to say."""
    field = str(error.absolute_path[0]) if error.absolute_path else ""
    if error.validator == "required":
        wanted: Any = error.validator_value
        there: Any = error.instance
        yield from ((field or str(name), _BLANK) for name in wanted if name not in there)
    elif error.context and not field:
        # Of several shapes that a body may have, the first is the usual one.
        yield from _complaints(error.context[0])
    elif error.instance is None or error.instance == "":
        yield field or "base", _BLANK
    else:
        words = _WORDS.get(str(error.validator), _INVALID)
        yield field or "base", words.format(error.validator_value)
