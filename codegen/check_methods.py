"""What x-sdk says of a method: that what it names is there, and is what it has to be."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.check_files import check_download, check_upload, look_up
from codegen.diagnostics import Diagnostics
from codegen.resource_paths import binds_of, bound_at, parent_of
from codegen.spec import Call, Spec
from codegen.yaml_source import Node

__all__ = ["check_methods"]


def check_methods(spec: Spec, mistakes: Diagnostics) -> None:
    """Check all of them."""
    for call in spec.calls():
        for check in (
            _check_positional,
            _check_returns,
            _check_paginate,
            _check_single,
            check_upload,
            check_download,
            _check_follow,
        ):
            check(spec, call, mistakes)


def _check_positional(spec: Spec, call: Call, mistakes: Diagnostics) -> None:
    names = set(_parameter_names(spec, call))
    for node in call.sdk.get("positional").each():
        name = str(node.value)
        if name not in names:
            mistakes.unknown(node.mark, f"no parameter {name!r}", name, names)
    for parameter in call.parameters:
        said = parameter.get("schema", "x-sdk", "generate")
        if said:
            mistakes.add(said.mark, "x-sdk.generate is for a field of a request")


def _parameter_names(spec: Spec, call: Call) -> Iterator[str]:
    """Names in Python of what the method takes."""
    bound = bound_at(call.sdk.text("resource"))
    for parameter in call.parameters:
        name = parameter.text("name")
        if name not in bound:
            yield parameter.text("schema", "x-sdk", "name") or name
    for name, schema in spec.request_schema(call).get("properties").items():
        yield schema.text("x-sdk", "name") or name


def _fields(spec: Spec, schema: Node) -> Node:
    return spec.resolve(schema).get("properties")


def _check_returns(spec: Spec, call: Call, mistakes: Diagnostics) -> None:
    node = call.sdk.get("returns")
    fields = _fields(spec, spec.answer_schema(call)).mapping
    if node and str(node.value) not in fields:
        text = f"no field {node.value!r} in the answer"
        mistakes.unknown(node.mark, text, str(node.value), fields)


def _check_paginate(spec: Spec, call: Call, mistakes: Diagnostics) -> None:
    rule = call.sdk.get("paginate")
    answer = spec.resolve(spec.answer_schema(call))
    if not (rule and answer):
        return
    if call.sdk.get("returns") or call.node.get("requestBody"):
        mistakes.add(rule.mark, "'paginate' goes with neither 'returns' nor a request body")
    fields = answer.get("properties")
    items = fields.get(rule.text("items"))
    rows = _fields(spec, spec.resolve(items).get("items"))
    query = {p.text("name") for p in call.parameters if p.text("in") == "query"}
    look_up(rule, "items", fields.mapping, "the answer", mistakes)
    look_up(rule, "cursor", query, "the query", mistakes)
    look_up(rule, "by", rows.mapping, "the items", mistakes)
    by = spec.resolve(rows.get(rule.text("by")))
    if by and by.text("type") != "integer":
        mistakes.add(rule.get("by").mark, f"{rule.text('by')!r} is not an integer")


def _check_single(spec: Spec, call: Call, mistakes: Diagnostics) -> None:
    rule = call.sdk.get("single")
    if not rule:
        return
    if call.sdk.get("returns"):
        mistakes.add(rule.mark, "'single' does not go with 'returns'")
    request = spec.request_schema(call).get("properties")
    answer = _fields(spec, spec.answer_schema(call))
    look_up(rule, "field", request.mapping, "the request", mistakes)
    look_up(rule, "items", answer.mapping, "the answer", mistakes)
    for key, fields in (("field", request), ("items", answer)):
        target = spec.resolve(fields.get(rule.text(key)))
        if target and target.text("type") != "array":
            mistakes.add(rule.get(key).mark, f"{rule.text(key)!r} is not a list")


def _check_follow(spec: Spec, call: Call, mistakes: Diagnostics) -> None:
    rule = call.sdk.get("follow")
    if not rule:
        return
    if call.sdk.text("paginate", "order") != "desc":
        mistakes.add(rule.mark, "'follow' needs 'paginate' with the order 'desc'")
    if not binds_of(parent_of(call.sdk.text("resource"))):
        mistakes.add(rule.mark, "'follow' needs a resource that belongs to a handle")
    reply, resource = rule.text("reply"), call.sdk.text("resource")
    siblings = (one.sdk for one in spec.calls() if one.sdk.text("resource") == resource)
    if reply and reply not in [one.text("method") for one in siblings]:
        mistakes.add(rule.get("reply").mark, f"{resource} has no method {reply!r}")
