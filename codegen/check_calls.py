"""Operations over HTTP: what they refer to is there."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.build_calls import binds_of, bound_at, parent_of
from codegen.mistakes import Mistakes
from codegen.source import Node
from codegen.spec import Call, Spec, path_names

__all__ = ["check_calls"]


def check_calls(spec: Spec, mistakes: Mistakes) -> None:
    """Check the resources and all operations."""
    _check_resources(spec, mistakes)
    for call in spec.calls():
        _check_address(spec, call, mistakes)
        _check_path(call, mistakes)
        _check_security(spec, call, mistakes)
        _check_bodies(spec, call, mistakes)
        _check_positional(spec, call, mistakes)
        _check_returns(spec, call, mistakes)
        _check_paginate(spec, call, mistakes)
        _check_errors(spec, call, mistakes)


def _check_resources(spec: Spec, mistakes: Mistakes) -> None:
    declared = dict(spec.rest.get("x-sdk", "resources").items())
    handles: dict[str, str] = {}
    for address, node in declared.items():
        parent = parent_of(address)
        if parent and parent not in declared:
            mistakes.unknown(node.mark, f"no resource {parent!r} above it", parent, declared)
        if binds_of(address) and handles.setdefault(parent, address) != address:
            mistakes.add(node.mark, f"{parent!r} has a handle already: {handles[parent]!r}")


def _check_address(spec: Spec, call: Call, mistakes: Mistakes) -> None:
    declared = spec.rest.get("x-sdk", "resources").mapping
    node = call.sdk.get("resource")
    address = call.sdk.text("resource")
    if address and address not in declared:
        text = f"no resource {address!r} in x-sdk.resources"
        mistakes.unknown(node.mark, text, address, declared)
    for name in bound_at(address):
        if name not in path_names(call.path):
            mistakes.add(node.mark, f"{address!r} binds {name!r}, which is not in {call.path!r}")


def _check_path(call: Call, mistakes: Mistakes) -> None:
    declared = {p.text("name") for p in call.parameters if p.text("in") == "path"}
    for name in path_names(call.path):
        if name not in declared:
            text = f"no parameter for {{{name}}} of the path"
            mistakes.unknown(call.node.mark, text, name, declared)
    for parameter in call.parameters:
        where, name = parameter.text("in"), parameter.text("name")
        if where not in ("path", "query"):
            mistakes.add(parameter.mark, f"a parameter in {where!r} is not supported")
        if where == "path" and name not in path_names(call.path):
            mistakes.add(parameter.mark, f"{name!r} is not in the path {call.path!r}")
        if where == "path" and parameter.get("required").value is not True:
            mistakes.add(parameter.mark, f"{name!r} is in the path, so it is required")


def _check_security(spec: Spec, call: Call, mistakes: Mistakes) -> None:
    schemes = spec.rest.get("components", "securitySchemes")
    security = call.node.get("security") or spec.rest.get("security")
    names = [(one.mark, name) for one in security.each() for name in one.mapping]
    if len(names) != 1:
        mistakes.add(security.mark if security else call.node.mark, "needs exactly one security")
    for mark, name in names:
        if name not in schemes.mapping:
            mistakes.unknown(mark, f"no security scheme {name!r}", name, schemes.mapping)
        elif not schemes.text(name, "x-sdk", "credential"):
            mistakes.add(schemes.get(name).mark, "x-sdk.credential is missing")


def _check_bodies(spec: Spec, call: Call, mistakes: Mistakes) -> None:
    request = spec.request_schema(call)
    if call.node.get("requestBody") and not request.get("properties"):
        mistakes.add(call.node.get("requestBody").mark, "a request must be an object with fields")
    for field in request.get("properties").values():
        if spec.resolve(field).get("properties"):
            mistakes.add(field.mark, "an object with fields is not supported in a request")
        if not (field.text("description") or spec.resolve(field).text("description")):
            mistakes.add(field.mark, f"{field.key!r} needs a description")
    answers = [answer for _, answer in spec.answers(call)]
    if not answers:
        mistakes.add(call.node.get("responses").mark, "no 2xx response")
    schemas = [answer.get("content", "application/json", "schema") for answer in answers]
    for schema in schemas[1:]:
        if schema.value != schemas[0].value:
            mistakes.add(schema.mark, "differs from the other 2xx response")


def _check_positional(spec: Spec, call: Call, mistakes: Mistakes) -> None:
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


def _check_returns(spec: Spec, call: Call, mistakes: Mistakes) -> None:
    node = call.sdk.get("returns")
    fields = _fields(spec, spec.answer_schema(call)).mapping
    if node and str(node.value) not in fields:
        text = f"no field {node.value!r} in the answer"
        mistakes.unknown(node.mark, text, str(node.value), fields)


def _check_paginate(spec: Spec, call: Call, mistakes: Mistakes) -> None:
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
    for key, choices, where in (
        ("items", fields.mapping, "the answer"),
        ("cursor", query, "the query"),
        ("by", rows.mapping, "the items"),
    ):
        name = rule.text(key)
        if name and name not in choices:
            mistakes.unknown(rule.get(key).mark, f"no {name!r} in {where}", name, choices)
    by = spec.resolve(rows.get(rule.text("by")))
    if by and by.text("type") != "integer":
        mistakes.add(rule.get("by").mark, f"{rule.text('by')!r} is not an integer")


def _check_errors(spec: Spec, call: Call, mistakes: Mistakes) -> None:
    codes = {code for node in _failures(spec, call) for code in _codes(spec, node)}
    for node in call.sdk.get("errors").each():
        code = str(node.value)
        if code not in codes:
            mistakes.unknown(node.mark, f"no error code {code!r}", code, codes)


def _failures(spec: Spec, call: Call) -> Iterator[Node]:
    for status, answer in call.node.get("responses").items():
        if not status.startswith("2"):
            yield spec.resolve(answer).get("content", "application/json", "schema")


def _codes(spec: Spec, schema: Node) -> list[str]:
    """Values of the enum `code` of an error, which may be wrapped in a field."""
    fields = _fields(spec, schema)
    found = spec.resolve(fields.get("code")).get("enum").strings()
    for field in fields.values():
        found += _codes(spec, field) if _fields(spec, field) else []
    return found
