"""Every x-sdk stands where it means something, and says only what its grammar allows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from codegen.diagnostics import Diagnostics
from codegen.spec import Spec
from codegen.yaml_source import Node

__all__ = ["check_grammar"]

SCHEMA: Final = Path(__file__).parent.parent / "spec" / "x-sdk.schema.json"


def check_grammar(spec: Spec, mistakes: Diagnostics) -> None:
    """Check all of them."""
    grammar = json.loads(SCHEMA.read_text("utf-8"))
    places = {_key(node): place for place, node in _places(spec)}
    for root in (spec.rest, spec.events):
        for node in root.walk():
            said = node.get("x-sdk")
            if not said:
                continue
            place = places.get(_key(node), "")
            if place not in grammar["$defs"]:
                mistakes.add(said.mark, "x-sdk means nothing here")
                continue
            validator = Draft202012Validator({**grammar, "$ref": f"#/$defs/{place}"})
            for error in _errors(validator, said):
                _tell(error, said, place, mistakes)


def _errors(validator: Draft202012Validator, said: Node) -> list[ValidationError]:
    value = cast("Any", said.value)
    return list(validator.iter_errors(value))  # pyright: ignore[reportUnknownMemberType]


def _key(node: Node) -> tuple[str, object]:
    return node.source.name, node.pointer


def _places(spec: Spec) -> Iterator[tuple[str, Node]]:
    yield "restRoot", spec.rest
    yield "eventsRoot", spec.events
    for call in spec.calls():
        yield "operation", call.node
        for parameter in call.parameters:
            yield "schema", parameter.get("schema")
    for scheme in spec.rest.get("components", "securitySchemes").values():
        yield "securityScheme", scheme
    for channel in spec.events.get("channels").values():
        yield "channel", channel
    for operation in spec.events.get("operations").values():
        yield operation.text("action"), operation
        yield from _schema_places(spec.event_payload(operation))
    for _, schema in spec.schemas():
        yield from _schema_places(schema)


def _schema_places(schema: Node) -> Iterator[tuple[str, Node]]:
    yield "schema", schema
    for value in schema.get("properties").values():
        yield "schema", value
        if value.get("items"):
            yield "items", value.get("items")


def _tell(
    error: ValidationError,
    said: Node,
    place: str,
    mistakes: Diagnostics,
) -> None:
    node = said
    for step in error.absolute_path:
        node = Node(node.source, (*node.pointer, step), None)
    if error.validator == "additionalProperties":
        schema = cast("dict[str, dict[str, object]]", error.schema)
        for name in cast("dict[str, object]", error.instance):
            if name not in schema["properties"]:
                mark = Node(node.source, (*node.pointer, name), None).mark
                text = f"x-sdk: unknown field {name!r} for {_in_words(place)}"
                mistakes.unknown(mark, text, name, schema["properties"])
    else:
        hint = ": quote it" if _is_bare_number(error) else ""
        mistakes.add(node.mark, f"x-sdk: {error.message}{hint}")


def _is_bare_number(error: ValidationError) -> bool:
    """Whether a version was written without quotes, as 0.1, which is the same number as 0.10."""
    value = cast("object", error.instance)
    return error.validator == "type" and isinstance(value, int | float)


def _in_words(place: str) -> str:
    words = {"restRoot": "the root", "eventsRoot": "the root", "securityScheme": "security scheme"}
    return words.get(place, place)
