"""The spec, of which the sandbox carries a copy: what it says about requests and answers.

`openapi.json` is generated from spec/openapi.yaml.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from poolse.sandbox.errors import ApiRefusal, all_invalid
from poolse.sandbox.schemas import Schema, Schemas, schemas_of
from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["Operation", "document", "operation"]

Node = dict[str, Any]
"""A piece of the spec."""

_ADDRESS = "urn:poolse"
_INTEGER = re.compile(r"-?[0-9]+")
_DIGITS = 40
"""More than there are in any number that means something."""


@dataclass(frozen=True)
class Parameter:
    """A value of a path or of a query."""

    name: str
    integer: bool
    schema: Schema

    def read(self, text: str) -> Json:
        """What a text stands for; that it is no number is for the schema to say."""
        return int(text[:_DIGITS]) if self.integer and _INTEGER.fullmatch(text) else text


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    path: tuple[Parameter, ...]
    query: tuple[Parameter, ...]
    body: Schema | None
    """None when a request has no body."""
    answers: Mapping[str, Schema | None]
    """By status, or by class of statuses such as `4XX`; None where there is no body."""
    codes: frozenset[str]
    """Of the errors that it may answer with."""

    def check_path(self, values: Mapping[str, str]) -> None:
        """404 for a value that cannot be one."""
        for one in self.path:
            if not one.schema.holds(values[one.name]):
                raise ApiRefusal("not_found", f"there is no such {one.name}")

    def read_query(self, query: Mapping[str, str]) -> JsonObject:
        """The values of the query, or 422 for those that cannot be; unknown ones are ignored."""
        complaints: dict[str, list[str]] = {}
        values: JsonObject = {}
        for one in self.query:
            if one.name in query:
                values[one.name] = one.read(query[one.name])
                complaints |= one.schema.complaints(values[one.name], one.name)
        if complaints:
            raise all_invalid(complaints)
        return values

    def check_body(self, body: JsonObject) -> None:
        """422 with everything that is wrong with a body."""
        complaints = {} if self.body is None else self.body.complaints(body)
        if complaints:
            raise all_invalid(complaints)


@cache
def document() -> Node:
    """The whole spec."""
    text = files("poolse.sandbox").joinpath("openapi.json").read_text("utf-8")
    found: Node = json.loads(text, object_hook=_with_address)
    return found


@cache
def operation(method: str, path: str) -> Operation:
    """What the spec says about a method of a path, which is written as there."""
    item: Node = document()["paths"][path]
    node: Node = item[method.lower()]
    parameters = [
        _follow(one) for one in [*item.get("parameters", []), *node.get("parameters", [])]
    ]
    return Operation(
        path=tuple(_parameter(one) for one in parameters if one["in"] == "path"),
        query=tuple(_parameter(one) for one in parameters if one["in"] == "query"),
        body=_content(node["requestBody"]) if "requestBody" in node else None,
        answers={status: _content(answer) for status, answer in node["responses"].items()},
        codes=frozenset(_codes(node)),
    )


@cache
def _schemas() -> Schemas:
    return schemas_of(_ADDRESS, document())


def _codes(node: Node) -> Iterator[str]:
    """Codes of an operation: its own, those of its credential, and those of all."""
    root = document()
    credentials: list[Node] = node["security"] if "security" in node else root["security"]
    names = [name for credential in credentials for name in credential]
    schemes = [root["components"]["securitySchemes"][name] for name in names]
    for place in (node, root, *schemes):
        yield from place["x-sdk"].get("errors", [])


def _with_address(node: Node) -> Node:
    """A `$ref` that is found from wherever its schema is compiled."""
    if "$ref" in node:
        node["$ref"] = _ADDRESS + node["$ref"]
    return node


def _follow(node: Node) -> Node:
    """What a node refers to, or the node itself."""
    if "$ref" not in node:
        return node
    found = document()
    for key in node["$ref"].removeprefix(f"{_ADDRESS}#/").split("/"):
        found = found[key.replace("~1", "/").replace("~0", "~")]
    return found


def _parameter(node: Node) -> Parameter:
    schema = node["schema"]
    return Parameter(node["name"], schema.get("type") == "integer", Schema(schema, _schemas()))


def _content(node: Node) -> Schema | None:
    """What the body of a request or an answer has to be."""
    content = _follow(node).get("content")
    return None if content is None else Schema(content["application/json"]["schema"], _schemas())
