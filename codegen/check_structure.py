"""The form of both files: known keys, references that resolve, x-sdk by its grammar, schemas.

What the generator does not understand is rejected, so that nothing in a spec is without effect.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from codegen.spec import VERBS, Spec, is_one_or_many
from codegen.yaml_source import Diagnostics, Node

__all__ = [
    "check_documents",
    "check_grammar",
    "check_schemas",
]

JSON: Final = "application/json"

KEYS: Final = {
    "openapi": "openapi info servers security tags x-sdk paths components",
    "openapi components": "securitySchemes parameters responses requestBodies schemas",
    "path": f"parameters {' '.join(VERBS)}",
    "operation": (
        "tags operationId summary description deprecated parameters requestBody responses security"
        " x-sdk"
    ),
    "parameter": "name in required description schema $ref",
    "request body": "required description content $ref",
    "response": "description content $ref",
    "content": JSON,
    "media type": "schema",
    "asyncapi": "asyncapi info defaultContentType x-sdk servers channels operations components",
    "asyncapi components": "securitySchemes messages schemas",
    "channel": "address title parameters messages x-sdk",
    "channel operation": "action channel summary messages reply x-sdk",
    "payload": "name payload $ref",
    "reply": "channel messages",
    "reply payload": "name payload $ref",
}

NEEDED: Final = {
    "openapi": "openapi x-sdk paths components",
    "operation": "operationId summary responses x-sdk",
    "parameter": "name in description schema",
    "media type": "schema",
    "asyncapi": "asyncapi x-sdk channels operations",
    "channel": "address title parameters x-sdk",
    "channel operation": "action channel summary messages x-sdk",
    "payload": "name payload",
    "reply": "messages",
    "reply payload": "payload",
}


def check_documents(spec: Spec, diagnostics: Diagnostics) -> None:
    """Return keys and references of both files."""
    for place, node in [*_rest_places(spec), *_event_places(spec)]:
        _check_keys(place, node, diagnostics)
    for root in (spec.rest, spec.events):
        for node in root.walk():
            if node.get("$ref"):
                _check_reference(spec, node, diagnostics)


def _rest_places(spec: Spec) -> list[tuple[str, Node]]:
    root = spec.rest
    places = [("openapi", root), ("openapi components", root.get("components"))]
    places += [("path", item) for item in root.get("paths").values()]
    bodies: list[tuple[str, Node]] = []
    for call in spec.calls():
        places.append(("operation", call.node))
        places += [("parameter", parameter) for parameter in call.parameters]
        bodies.append(("request body", call.node.get("requestBody")))
        bodies += [("response", answer) for answer in call.node.get("responses").values()]
    for kind, node in bodies:
        content = spec.resolve(node).get("content")
        places += [(kind, spec.resolve(node)), ("content", content)]
        places += [("media type", media) for media in content.values()]
    return places


def _event_places(spec: Spec) -> list[tuple[str, Node]]:
    root = spec.events
    places = [("asyncapi", root), ("asyncapi components", root.get("components"))]
    places += [("channel", channel) for channel in root.get("channels").values()]
    for operation in root.get("operations").values():
        places.append(("channel operation", operation))
        places.append(("payload", spec.event_declaration(operation)))
        places.append(("reply", operation.get("reply")))
        places += [("reply payload", declared) for declared in spec.reply_declarations(operation)]
    return places


def _check_keys(place: str, node: Node, diagnostics: Diagnostics) -> None:
    known = KEYS[place].split()
    for key, value in node.items():
        if key not in known:
            diagnostics.unknown(value.location, f"{place}: unknown key {key!r}", key, known)
    for key in NEEDED.get(place, "").split():
        if node and not node.get(key) and not node.get("$ref"):
            diagnostics.add(node.location, f"{place}: {key!r} is missing")


def _check_reference(spec: Spec, node: Node, diagnostics: Diagnostics) -> None:
    ref = node.text("$ref")
    if not spec.find(ref, node):
        parent, _, name = ref.rpartition("/")
        choices = spec.find(parent, node).mapping
        location = node.get("$ref").location
        diagnostics.unknown(location, f"no {name!r} under {parent!r}", name, choices)


SCHEMA: Final = Path(__file__).parent.parent / "spec" / "x-sdk.schema.json"


def check_grammar(spec: Spec, diagnostics: Diagnostics) -> None:
    """Check all of them."""
    grammar = json.loads(SCHEMA.read_text("utf-8"))
    places = {_key(node): place for place, node in _places(spec)}
    for root in (spec.rest, spec.events):
        for node in root.walk():
            sdk = node.get("x-sdk")
            if not sdk:
                continue
            place = places.get(_key(node), "")
            if place not in grammar["$defs"]:
                diagnostics.add(sdk.location, "x-sdk means nothing here")
                continue
            validator = Draft202012Validator({**grammar, "$ref": f"#/$defs/{place}"})
            for error in _errors(validator, sdk):
                _tell(error, sdk, place, diagnostics)


def _errors(validator: Draft202012Validator, sdk: Node) -> list[ValidationError]:
    value = cast("Any", sdk.value)
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
    sdk: Node,
    place: str,
    diagnostics: Diagnostics,
) -> None:
    node = sdk
    for step in error.absolute_path:
        node = Node(node.source, (*node.pointer, step), None)
    if error.validator == "additionalProperties":
        schema = cast("dict[str, dict[str, object]]", error.schema)
        for name in cast("dict[str, object]", error.instance):
            if name not in schema["properties"]:
                location = Node(node.source, (*node.pointer, name), None).location
                text = f"x-sdk: unknown field {name!r} for {_in_words(place)}"
                diagnostics.unknown(location, text, name, schema["properties"])
    else:
        hint = ": quote it" if _is_bare_number(error) else ""
        diagnostics.add(node.location, f"x-sdk: {error.message}{hint}")


def _is_bare_number(error: ValidationError) -> bool:
    """Return whether a version lacks quotes: 0.1 is the same number as 0.10."""
    value = cast("object", error.instance)
    return error.validator == "type" and isinstance(value, int | float)


def _in_words(place: str) -> str:
    words = {"restRoot": "the root", "eventsRoot": "the root", "securityScheme": "security scheme"}
    return words.get(place, place)


KEYWORDS: Final = (
    "$ref",
    "additionalProperties",
    "default",
    "deprecated",
    "description",
    "enum",
    "examples",
    "format",
    "items",
    "maximum",
    "maxItems",
    "maxLength",
    "minimum",
    "minItems",
    "minLength",
    "oneOf",
    "properties",
    "required",
    "type",
    "x-sdk",
)
KINDS: Final = ("array", "boolean", "integer", "number", "object", "string")


def check_schemas(spec: Spec, diagnostics: Diagnostics) -> None:
    """Check all of them, wherever they stand."""
    for schema, may_have_fields in _outermost(spec):
        _check(schema, may_have_fields, diagnostics)
    _check_use(spec, diagnostics)


def _outermost(spec: Spec) -> Iterator[tuple[Node, bool]]:
    """Yield schemas that are in no other, and whether they may be objects with fields."""
    for _, schema in spec.schemas():
        yield schema, True
    for call in spec.calls():
        yield call.node.get("requestBody", "content", "application/json", "schema"), True
        for parameter in call.parameters:
            yield parameter.get("schema"), False
        for _, answer in spec.answers(call):
            yield answer.get("content", "application/json", "schema"), False
    for operation in spec.events.get("operations").values():
        yield spec.event_payload(operation), True
        yield spec.reply_payload(operation), False


def _check(schema: Node, may_have_fields: bool, diagnostics: Diagnostics) -> None:
    for key, value in schema.items():
        if key not in KEYWORDS:
            diagnostics.unknown(value.location, f"schema: {key!r} is not supported", key, KEYWORDS)
    if schema.get("properties") and not may_have_fields:
        diagnostics.add(
            schema.location, "an object with fields needs a name: declare it in components"
        )
    if schema.get("enum") and not (may_have_fields or schema.text("x-sdk", "class")):
        diagnostics.add(
            schema.location, "an enum needs a name: x-sdk.class, or declare it in components"
        )
    _check_kind(schema, diagnostics)
    _check_choice(schema, diagnostics)
    _check_required(schema, diagnostics)
    _check_said(schema, may_have_fields, diagnostics)
    for child in _children(schema):
        _check(child, False, diagnostics)


def _children(schema: Node) -> Iterator[Node]:
    yield from schema.get("properties").values()
    for name in ("items", "additionalProperties"):
        if schema.get(name).mapping:
            yield schema.get(name)
    yield from schema.get("oneOf").each()


def _check_kind(schema: Node, diagnostics: Diagnostics) -> None:
    node = schema.get("type")
    kinds = [kind for kind in node.strings() if kind != "null"]
    for kind in kinds:
        if kind not in KINDS:
            diagnostics.unknown(node.location, f"schema: no type {kind!r}", kind, KINDS)
    if len(kinds) > 1:
        diagnostics.add(
            node.location, f"schema: more than one type beside null: {', '.join(kinds)}"
        )
    if kinds == ["array"] and not schema.get("items"):
        diagnostics.add(schema.location, "schema: an array needs 'items'")
    if schema.get("enum") and kinds != ["string"]:
        diagnostics.add(schema.get("enum").location, "schema: only strings can have an 'enum'")


def _check_choice(schema: Node, diagnostics: Diagnostics) -> None:
    choices = list(schema.get("oneOf").each())
    nulls = [one for one in choices if one.get("type").value == "null"]
    others = [one for one in choices if one.get("type").value != "null"]
    is_nullable = (len(others), len(nulls)) == (1, 1)
    if choices and not is_nullable and not (is_one_or_many(others) and len(nulls) < 2):
        text = (
            "schema: 'oneOf' is only supported as one schema and null, or a string and a list of it"
        )
        diagnostics.add(schema.get("oneOf").location, text)


def _check_required(schema: Node, diagnostics: Diagnostics) -> None:
    fields = schema.get("properties").mapping
    for node in schema.get("required").each():
        name = str(node.value)
        if name not in fields:
            diagnostics.unknown(
                node.location, f"required field {name!r} is not declared", name, fields
            )


def _check_said(schema: Node, may_have_fields: bool, diagnostics: Diagnostics) -> None:
    """Reject x-sdk fields that would have no effect at a schema."""
    for name, applies, where in (
        ("class", schema.get("enum"), "an enum"),
        ("enums", schema.get("enum"), "an enum"),
        ("name", not may_have_fields, "a field or parameter"),
    ):
        sdk = schema.get("x-sdk", name)
        if sdk and not applies:
            diagnostics.add(sdk.location, f"x-sdk.{name} is for {where}")


def _check_use(spec: Spec, diagnostics: Diagnostics) -> None:
    nodes = [node for root in (spec.rest, spec.events) for node in root.walk()]
    used = {node.text("$ref").rpartition("/")[2] for node in nodes}
    sent = {
        field.pointer
        for call in spec.calls()
        for field in spec.request_schema(call).get("properties").values()
    }
    for name, schema in spec.schemas():
        if name not in used:
            diagnostics.add(schema.location, f"schema {name!r} is used by nothing")
        for field in schema.get("properties").values():
            sdk = field.get("x-sdk", "generate")
            if sdk and field.pointer not in sent:
                diagnostics.add(sdk.location, "x-sdk.generate is for a field of a request")
