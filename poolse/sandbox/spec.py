"""The spec, of which the sandbox has a copy: JSON schemas of all that clients send and receive.

`openapi.json` and `asyncapi.json` are generated from spec/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urldefrag, urljoin

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from poolse.sandbox.errors import ApiRefusal, all_invalid
from poolse.sandbox.strict_json import Json, JsonObject

__all__ = [
    "ASYNCAPI",
    "OPENAPI",
    "Channel",
    "Operation",
    "Push",
    "Schema",
    "channels",
    "document",
    "follow",
    "operation",
]

OPENAPI: Final = "openapi"
ASYNCAPI: Final = "asyncapi"

Node = dict[str, Any]
"""A piece of the spec."""
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

_ADDRESS = "https://spec.invalid/{}.yaml"
"""Of a document. Its references are relative to it, as those of the files in spec/ are."""
_INTEGER = re.compile(r"-?[0-9]+")
_DIGITS = 40
"""More than there are in any number that means something."""


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

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Take the schema; its references are to the documents."""
        # Any: the stubs of jsonschema do not take a value of which nothing is known.
        self._validator: Any = Draft202012Validator(
            schema, registry=_schemas(), format_checker=_FORMATS
        )

    def holds(self, value: object) -> bool:
        """Return whether a value is valid."""
        valid: bool = self._validator.is_valid(value)
        return valid

    def complaints(self, value: object, name: str = "") -> dict[str, list[str]]:
        """Return the errors by field, or of the value that has a name."""
        complaints: dict[str, list[str]] = {}
        for error in self._errors(value):
            for field, words in _complaints(error):
                texts = complaints.setdefault(name or field, [])
                if words not in texts:
                    texts.append(words)
        return complaints

    def faults(self, value: object) -> Iterator[str]:
        """Return all errors with their places."""
        for error in self._errors(value):
            yield f"{error.json_path}: {error.message}"

    def _errors(self, value: object) -> Iterator[ValidationError]:
        errors: Iterator[ValidationError] = self._validator.iter_errors(value)
        return errors


def _complaints(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Return the fields that an error is about, and what to say."""
    field = str(error.absolute_path[0]) if error.absolute_path else ""
    if error.validator == "required":
        wanted: Any = error.validator_value
        fields: Any = error.instance
        yield from ((field or str(name), _BLANK) for name in wanted if name not in fields)
    elif error.context and not field:
        # Of several shapes that a body may have, the first is the usual one.
        yield from _complaints(error.context[0])
    elif error.instance is None or error.instance == "":
        yield field or "base", _BLANK
    else:
        words = _WORDS.get(str(error.validator), _INVALID)
        yield field or "base", words.format(error.validator_value)


@dataclass(frozen=True)
class Parameter:
    """A value of a path or of a query."""

    name: str
    integer: bool
    schema: Schema

    def read(self, text: str) -> Json:
        """Return the value of a text; the schema refuses one that is not a number."""
        return int(text[:_DIGITS]) if self.integer and _INTEGER.fullmatch(text) else text


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    path: tuple[Parameter, ...]
    query: tuple[Parameter, ...]
    body: Schema | None
    """None when a request has no body."""
    responses: Mapping[str, Schema | None]
    """By status, or by class of statuses such as `4XX`; None where there is no body."""
    codes: frozenset[str]
    """Of the errors that it may respond with."""

    def check_path(self, values: Mapping[str, str]) -> None:
        """404 for a value that cannot be one."""
        for parameter in self.path:
            if not parameter.schema.holds(values[parameter.name]):
                raise ApiRefusal("not_found", f"there is no such {parameter.name}")

    def read_query(self, query: Mapping[str, str]) -> JsonObject:
        """Return the values of the query, or raise 422; unknown ones are ignored."""
        complaints: dict[str, list[str]] = {}
        values: JsonObject = {}
        for parameter in self.query:
            name = parameter.name
            if name in query:
                values[name] = parameter.read(query[name])
                complaints |= parameter.schema.complaints(values[name], name)
        if complaints:
            raise all_invalid(complaints)
        return values

    def check_body(self, body: JsonObject) -> None:
        """422 with everything that is wrong with a body."""
        complaints = {} if self.body is None else self.body.complaints(body)
        if complaints:
            raise all_invalid(complaints)


@dataclass(frozen=True)
class Push:
    """One push of a channel."""

    payload: Schema
    reply: Schema | None
    """The response of an ok reply; None when no reply is sent."""


@dataclass(frozen=True)
class Channel:
    """What is sent in the topics of one kind."""

    events: dict[str, Schema]
    pushes: dict[str, Push]


@cache
def document(name: str = OPENAPI) -> Node:
    """Return one of the two documents. A `$ref` in it is absolute: it is resolved from anywhere."""
    text = files("poolse.sandbox").joinpath(f"{name}.json").read_text("utf-8")

    def with_address(node: Node) -> Node:
        if "$ref" in node:
            node["$ref"] = urljoin(_ADDRESS.format(name), node["$ref"])
        return node

    spec: Node = json.loads(text, object_hook=with_address)
    return spec


@cache
def operation(method: str, path: str) -> Operation:
    """Return the spec of a method of a path, written as in the spec."""
    item: Node = document()["paths"][path]
    node: Node = item[method.lower()]
    parameters = [follow(one) for one in [*item.get("parameters", []), *node.get("parameters", [])]]
    return Operation(
        path=tuple(_parameter(one) for one in parameters if one["in"] == "path"),
        query=tuple(_parameter(one) for one in parameters if one["in"] == "query"),
        body=_content(node["requestBody"]) if "requestBody" in node else None,
        responses={status: _content(response) for status, response in node["responses"].items()},
        codes=frozenset(_codes(node)),
    )


@cache
def channels() -> Mapping[str, Channel]:
    """Return the spec of the channels, by their addresses."""
    spec = document(ASYNCAPI)
    found = {node["address"]: Channel({}, {}) for node in spec["channels"].values()}
    for node in spec["operations"].values():
        channel = found[follow(node["channel"])["address"]]
        message = follow(node["messages"][0])
        if node["action"] == "receive":
            channel.events[message["name"]] = _payload(message)
        else:
            reply = node.get("reply")
            response = None if reply is None else _payload(follow(reply["messages"][0]))
            channel.pushes[message["name"]] = Push(_payload(message), response)
    return found


@cache
def _schemas() -> Schemas:
    empty: Schemas = Registry()
    schemas: Schemas = empty.with_resources(
        (
            _ADDRESS.format(name),
            Resource.from_contents(document(name), default_specification=DRAFT202012),
        )
        for name in (OPENAPI, ASYNCAPI)
    )
    return schemas


def _codes(node: Node) -> Iterator[str]:
    """Return codes of an operation: its own, those of its credential, and those of all."""
    root = document()
    credentials: list[Node] = node["security"] if "security" in node else root["security"]
    names = [name for credential in credentials for name in credential]
    schemes = [root["components"]["securitySchemes"][name] for name in names]
    for place in (node, root, *schemes):
        yield from place["x-sdk"].get("errors", [])


def follow(node: Node) -> Node:
    """Return what a node refers to, over several references too, or the node itself."""
    while "$ref" in node:
        reference: str = node["$ref"]
        address, pointer = urldefrag(reference)
        name = next(name for name in (OPENAPI, ASYNCAPI) if address == _ADDRESS.format(name))
        node = document(name)
        for key in pointer.removeprefix("/").split("/"):
            node = node[key.replace("~1", "/").replace("~0", "~")]
    return node


def _parameter(node: Node) -> Parameter:
    schema = node["schema"]
    return Parameter(node["name"], schema.get("type") == "integer", Schema(schema))


def _content(node: Node) -> Schema | None:
    """Return the schema of the body of a request or a response."""
    content = follow(node).get("content")
    return None if content is None else Schema(content["application/json"]["schema"])


def _payload(message: Node) -> Schema:
    return Schema(message.get("payload", {}))
