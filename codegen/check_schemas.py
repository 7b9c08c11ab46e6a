"""Schemas: only the part of JSON Schema that the generator gives a meaning in Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from codegen.diagnostics import Diagnostics
from codegen.spec import Spec, is_one_or_many
from codegen.yaml_source import Node

__all__ = ["check_schemas"]

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


def check_schemas(spec: Spec, mistakes: Diagnostics) -> None:
    """Check all of them, wherever they stand."""
    for schema, may_have_fields in _outermost(spec):
        _check(schema, may_have_fields, mistakes)
    _check_use(spec, mistakes)


def _outermost(spec: Spec) -> Iterator[tuple[Node, bool]]:
    """Schemas that are in no other, and whether they may be objects with fields."""
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


def _check(schema: Node, may_have_fields: bool, mistakes: Diagnostics) -> None:
    for key, value in schema.items():
        if key not in KEYWORDS:
            mistakes.unknown(value.mark, f"schema: {key!r} is not supported", key, KEYWORDS)
    if schema.get("properties") and not may_have_fields:
        mistakes.add(schema.mark, "an object with fields needs a name: declare it in components")
    if schema.get("enum") and not (may_have_fields or schema.text("x-sdk", "class")):
        mistakes.add(schema.mark, "an enum needs a name: x-sdk.class, or declare it in components")
    _check_kind(schema, mistakes)
    _check_choice(schema, mistakes)
    _check_required(schema, mistakes)
    _check_said(schema, may_have_fields, mistakes)
    for child in _children(schema):
        _check(child, False, mistakes)


def _children(schema: Node) -> Iterator[Node]:
    yield from schema.get("properties").values()
    for name in ("items", "additionalProperties"):
        if schema.get(name).mapping:
            yield schema.get(name)
    yield from schema.get("oneOf").each()


def _check_kind(schema: Node, mistakes: Diagnostics) -> None:
    node = schema.get("type")
    kinds = [kind for kind in node.strings() if kind != "null"]
    for kind in kinds:
        if kind not in KINDS:
            mistakes.unknown(node.mark, f"schema: no type {kind!r}", kind, KINDS)
    if len(kinds) > 1:
        mistakes.add(node.mark, f"schema: more than one type beside null: {', '.join(kinds)}")
    if kinds == ["array"] and not schema.get("items"):
        mistakes.add(schema.mark, "schema: an array needs 'items'")
    if schema.get("enum") and kinds != ["string"]:
        mistakes.add(schema.get("enum").mark, "schema: only strings can have an 'enum'")


def _check_choice(schema: Node, mistakes: Diagnostics) -> None:
    choices = list(schema.get("oneOf").each())
    nulls = [one for one in choices if one.get("type").value == "null"]
    others = [one for one in choices if one.get("type").value != "null"]
    is_nullable = (len(others), len(nulls)) == (1, 1)
    if choices and not is_nullable and not (is_one_or_many(others) and len(nulls) < 2):
        text = (
            "schema: 'oneOf' is only supported as one schema and null, or a string and a list of it"
        )
        mistakes.add(schema.get("oneOf").mark, text)


def _check_required(schema: Node, mistakes: Diagnostics) -> None:
    fields = schema.get("properties").mapping
    for node in schema.get("required").each():
        name = str(node.value)
        if name not in fields:
            mistakes.unknown(node.mark, f"required field {name!r} is not declared", name, fields)


def _check_said(schema: Node, may_have_fields: bool, mistakes: Diagnostics) -> None:
    """What x-sdk says would be without effect at some schemas."""
    for name, applies, where in (
        ("class", schema.get("enum"), "an enum"),
        ("enums", schema.get("enum"), "an enum"),
        ("name", not may_have_fields, "a field or parameter"),
    ):
        said = schema.get("x-sdk", name)
        if said and not applies:
            mistakes.add(said.mark, f"x-sdk.{name} is for {where}")


def _check_use(spec: Spec, mistakes: Diagnostics) -> None:
    nodes = [node for root in (spec.rest, spec.events) for node in root.walk()]
    used = {node.text("$ref").rpartition("/")[2] for node in nodes}
    sent = {
        field.pointer
        for call in spec.calls()
        for field in spec.request_schema(call).get("properties").values()
    }
    for name, schema in spec.schemas():
        if name not in used:
            mistakes.add(schema.mark, f"schema {name!r} is used by nothing")
        for field in schema.get("properties").values():
            said = field.get("x-sdk", "generate")
            if said and field.pointer not in sent:
                mistakes.add(said.mark, "x-sdk.generate is for a field of a request")
