"""The spec, of which the sandbox has a copy: JSON schemas of all that clients send and receive.

`openapi.json` and `asyncapi.json` are generated from spec/: what a server needs of it. Those of
older versions of the API, such as `openapi-1.1.json`, are copies that were kept, and do not change
any more.
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

from poolse.sandbox.api_versions import NEWEST
from poolse.sandbox.errors import ApiRefusal, all_invalid, code_of
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

_ADDRESS = "https://spec.invalid/{version}/{name}.yaml"
"""Of a document. Its references are relative to it, as those of the files in spec/ are."""
_AT = re.compile(r"https://spec\.invalid/(?P<version>[^/]+)/(?P<name>\w+)\.yaml")
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

    def __init__(self, node: Node, version: str = NEWEST.name) -> None:
        """Take the schema; its references are to the documents of one version."""
        self.node = node
        # Any: the stubs of jsonschema do not take a value of which nothing is known.
        self._validator: Any = Draft202012Validator(
            node, registry=_schemas(version), format_checker=_FORMATS
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
                raise ApiRefusal("not_found", f"{parameter.name} is not a known ID")

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


def document(name: str = OPENAPI, version: str = NEWEST.name) -> Node:
    """Return one of the two documents. A `$ref` in it is absolute: it is resolved from anywhere."""
    return _document(name, version)


@cache
def _document(name: str, version: str) -> Node:
    file = f"{name}.json" if version == NEWEST.name else f"{name}-{version}.json"
    text = files("poolse.sandbox").joinpath(file).read_text("utf-8")
    address = _ADDRESS.format(name=name, version=version)

    def with_address(node: Node) -> Node:
        if "$ref" in node:
            node["$ref"] = urljoin(address, node["$ref"])
        return node

    spec: Node = json.loads(text, object_hook=with_address)
    return spec


def operation(method: str, path: str, version: str = NEWEST.name) -> Operation:
    """Return the spec of a method of a path, written as in the spec."""
    return _operation(method, path, version)


@cache
def _operation(method: str, path: str, version: str) -> Operation:
    root = document(OPENAPI, version)
    item: Node = root["paths"][path]
    node: Node = item[method.lower()]
    parameters = [follow(one) for one in [*item.get("parameters", []), *node.get("parameters", [])]]
    bodies = {status: _content(body, version) for status, body in node["responses"].items()}
    return Operation(
        path=tuple(_parameter(one, version) for one in parameters if one["in"] == "path"),
        query=tuple(_parameter(one, version) for one in parameters if one["in"] == "query"),
        body=_content(node["requestBody"], version) if "requestBody" in node else None,
        responses=bodies,
        codes=frozenset(_codes(node, root)),
    )


def channels(version: str = NEWEST.name) -> Mapping[str, Channel]:
    """Return the spec of the channels, by their addresses."""
    return _channels(version)


@cache
def _channels(version: str) -> Mapping[str, Channel]:
    spec = document(ASYNCAPI, version)
    found = {node["address"]: Channel({}, {}) for node in spec["channels"].values()}
    for node in spec["operations"].values():
        channel = found[follow(node["channel"])["address"]]
        message = follow(node["messages"][0])
        if node["action"] == "receive":
            channel.events[message["name"]] = _payload(message, version)
        else:
            reply = node.get("reply")
            response = None if reply is None else _payload(follow(reply["messages"][0]), version)
            channel.pushes[message["name"]] = Push(_payload(message, version), response)
    return found


@cache
def _schemas(version: str) -> Schemas:
    empty: Schemas = Registry()
    schemas: Schemas = empty.with_resources(
        (
            _ADDRESS.format(name=name, version=version),
            Resource.from_contents(document(name, version), default_specification=DRAFT202012),
        )
        for name in (OPENAPI, ASYNCAPI)
    )
    return schemas


def _codes(node: Node, root: Node) -> Iterator[str]:
    """Return codes of an operation: its own, those of its credential, and those of all."""
    # Statuses that a client takes for an empty response have no code in the list.
    yield from map(code_of, node["x-sdk"].get("none_on", ()))
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
        at = _AT.fullmatch(address)
        assert at is not None  # noqa: S101  (made by `document`)
        node = document(at["name"], at["version"])
        for key in pointer.removeprefix("/").split("/"):
            node = node[key.replace("~1", "/").replace("~0", "~")]
    return node


def _parameter(node: Node, version: str) -> Parameter:
    schema = node["schema"]
    return Parameter(node["name"], schema.get("type") == "integer", Schema(schema, version))


def _content(node: Node, version: str) -> Schema | None:
    """Return the schema of the body of a request or a response."""
    content = follow(node).get("content")
    return None if content is None else Schema(content["application/json"]["schema"], version)


def _payload(message: Node, version: str) -> Schema:
    return Schema(message.get("payload", {}), version)
