"""Operations over HTTP: what they and their x-sdk refer to exists and has the right type."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from codegen.build_methods import credential_of
from codegen.naming import binds_of, bound_at, parent_of, root_of
from codegen.spec import Call, Spec, all_codes, codes_of, path_names
from codegen.yaml_source import Diagnostics, Node

__all__ = [
    "check_calls",
    "check_methods",
]


def check_calls(spec: Spec, diagnostics: Diagnostics) -> None:
    """Check the resources and all operations."""
    _check_resources(spec, diagnostics)
    for call in spec.calls():
        _check_address(spec, call, diagnostics)
        _check_path(call, diagnostics)
        _check_security(spec, call, diagnostics)
        _check_bodies(spec, call, diagnostics)
        _check_errors(call.sdk.get("errors"), set(codes_of(spec, call)), diagnostics)
    _check_common_errors(spec, diagnostics)
    _check_credentials(spec, diagnostics)


def _check_resources(spec: Spec, diagnostics: Diagnostics) -> None:
    declared = dict(spec.rest.get("x-sdk", "resources").items())
    handles: dict[str, str] = {}
    for address, node in declared.items():
        parent = parent_of(address)
        if parent and parent not in declared:
            diagnostics.unknown(node.location, f"no resource {parent!r} above it", parent, declared)
        if binds_of(address) and handles.setdefault(parent, address) != address:
            diagnostics.add(node.location, f"{parent!r} has a handle already: {handles[parent]!r}")
        if node.get("row"):
            _check_row(spec, address, node.get("row"), diagnostics)


def _check_row(spec: Spec, address: str, row: Node, diagnostics: Diagnostics) -> None:
    schemas = spec.rest.get("components", "schemas")
    name = str(row.value)
    if not binds_of(address):
        diagnostics.add(row.location, f"{address!r} is no handle, so it has no row")
    elif name not in schemas.mapping:
        diagnostics.unknown(row.location, f"no schema {name!r}", name, schemas.mapping)
    elif schemas.text(name, "properties", "id", "type") != "string":
        diagnostics.add(row.location, f"{name!r} has no id, or one that is no string")


def _check_address(spec: Spec, call: Call, diagnostics: Diagnostics) -> None:
    declared = spec.rest.get("x-sdk", "resources").mapping
    node = call.sdk.get("resource")
    address = call.sdk.text("resource")
    if address and address not in declared:
        text = f"no resource {address!r} in x-sdk.resources"
        diagnostics.unknown(node.location, text, address, declared)
    for name in bound_at(address):
        if name not in path_names(call.path):
            diagnostics.add(
                node.location, f"{address!r} binds {name!r}, which is not in {call.path!r}"
            )


def _check_path(call: Call, diagnostics: Diagnostics) -> None:
    declared = {p.text("name") for p in call.parameters if p.text("in") == "path"}
    for name in path_names(call.path):
        if name not in declared:
            text = f"no parameter for {{{name}}} of the path"
            diagnostics.unknown(call.node.location, text, name, declared)
    for parameter in call.parameters:
        where, name = parameter.text("in"), parameter.text("name")
        if where not in ("path", "query"):
            diagnostics.add(parameter.location, f"a parameter in {where!r} is not supported")
        if where == "path" and name not in path_names(call.path):
            diagnostics.add(parameter.location, f"{name!r} is not in the path {call.path!r}")
        if where == "path" and parameter.get("required").value is not True:
            diagnostics.add(parameter.location, f"{name!r} is in the path, so it is required")


def _check_security(spec: Spec, call: Call, diagnostics: Diagnostics) -> None:
    schemes = spec.rest.get("components", "securitySchemes")
    security = call.node.get("security") or spec.rest.get("security")
    names = [(one.location, name) for one in security.each() for name in one.mapping]
    if len(names) != 1:
        diagnostics.add(
            security.location if security else call.node.location, "needs exactly one security"
        )
    for location, name in names:
        if name not in schemes.mapping:
            diagnostics.unknown(location, f"no security scheme {name!r}", name, schemes.mapping)
        elif not schemes.text(name, "x-sdk", "credential"):
            diagnostics.add(schemes.get(name).location, "x-sdk.credential is missing")


def _check_bodies(spec: Spec, call: Call, diagnostics: Diagnostics) -> None:
    request = spec.request_schema(call)
    if call.node.get("requestBody") and not request.get("properties"):
        diagnostics.add(
            call.node.get("requestBody").location, "a request must be an object with fields"
        )
    for field in request.get("properties").values():
        if spec.resolve(field).get("properties"):
            diagnostics.add(field.location, "an object with fields is not supported in a request")
        if not (field.text("description") or spec.resolve(field).text("description")):
            diagnostics.add(field.location, f"{field.key!r} needs a description")
    answers = [answer for _, answer in spec.answers(call)]
    if not answers:
        diagnostics.add(call.node.get("responses").location, "no 2xx response")
    schemas = [answer.get("content", "application/json", "schema") for answer in answers]
    for schema in schemas[1:]:
        if schema.value != schemas[0].value:
            diagnostics.add(schema.location, "differs from the other 2xx response")


def _check_credentials(spec: Spec, diagnostics: Diagnostics) -> None:
    """Each client has its own resources, so all calls below one of its attributes agree."""
    credentials: dict[str, str] = {}
    for call in spec.calls():
        root, credential = root_of(call.sdk.text("resource")), credential_of(spec, call)
        first = credentials.setdefault(root, credential)
        if credential and first and credential != first:
            text = f"calls of {root!r} carry a {first!r}, this one a {credential!r}"
            diagnostics.add(call.node.location, text)


def _check_errors(errors: Node, codes: set[str], diagnostics: Diagnostics) -> None:
    for node in errors.each():
        code = str(node.value)
        if code not in codes:
            diagnostics.unknown(node.location, f"no error code {code!r}", code, codes)


def _check_common_errors(spec: Spec, diagnostics: Diagnostics) -> None:
    """Check the error codes of all calls, and of all calls with a credential."""
    codes = set(all_codes(spec))
    schemes = spec.rest.get("components", "securitySchemes")
    for node in (spec.rest, *schemes.values()):
        _check_errors(node.get("x-sdk", "errors"), codes, diagnostics)


def check_methods(spec: Spec, diagnostics: Diagnostics) -> None:
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
            check(spec, call, diagnostics)


def _check_positional(spec: Spec, call: Call, diagnostics: Diagnostics) -> None:
    names = set(_parameter_names(spec, call))
    for node in call.sdk.get("positional").each():
        name = str(node.value)
        if name not in names:
            diagnostics.unknown(node.location, f"no parameter {name!r}", name, names)
    for parameter in call.parameters:
        generate = parameter.get("schema", "x-sdk", "generate")
        if generate:
            diagnostics.add(generate.location, "x-sdk.generate is for a field of a request")


def _parameter_names(spec: Spec, call: Call) -> Iterator[str]:
    """Yield names in Python of what the method takes."""
    bound = bound_at(call.sdk.text("resource"))
    for parameter in call.parameters:
        name = parameter.text("name")
        if name not in bound:
            yield parameter.text("schema", "x-sdk", "name") or name
    for name, schema in spec.request_schema(call).get("properties").items():
        yield schema.text("x-sdk", "name") or name


def _fields(spec: Spec, schema: Node) -> Node:
    return spec.resolve(schema).get("properties")


def _check_returns(spec: Spec, call: Call, diagnostics: Diagnostics) -> None:
    node = call.sdk.get("returns")
    fields = _fields(spec, spec.answer_schema(call)).mapping
    if node and str(node.value) not in fields:
        text = f"no field {node.value!r} in the answer"
        diagnostics.unknown(node.location, text, str(node.value), fields)


def _check_paginate(spec: Spec, call: Call, diagnostics: Diagnostics) -> None:
    rule = call.sdk.get("paginate")
    answer = spec.resolve(spec.answer_schema(call))
    if not (rule and answer):
        return
    if call.sdk.get("returns") or call.node.get("requestBody"):
        diagnostics.add(rule.location, "'paginate' goes with neither 'returns' nor a request body")
    fields = answer.get("properties")
    items = fields.get(rule.text("items"))
    models = _fields(spec, spec.resolve(items).get("items"))
    query = {p.text("name") for p in call.parameters if p.text("in") == "query"}
    look_up(rule, "items", fields.mapping, "the answer", diagnostics)
    look_up(rule, "cursor", query, "the query", diagnostics)
    look_up(rule, "by", models.mapping, "the items", diagnostics)
    by = spec.resolve(models.get(rule.text("by")))
    if by and by.text("type") != "integer":
        diagnostics.add(rule.get("by").location, f"{rule.text('by')!r} is not an integer")


def _check_single(spec: Spec, call: Call, diagnostics: Diagnostics) -> None:
    rule = call.sdk.get("single")
    if not rule:
        return
    if call.sdk.get("returns"):
        diagnostics.add(rule.location, "'single' does not go with 'returns'")
    request = spec.request_schema(call).get("properties")
    answer = _fields(spec, spec.answer_schema(call))
    look_up(rule, "field", request.mapping, "the request", diagnostics)
    look_up(rule, "items", answer.mapping, "the answer", diagnostics)
    for key, fields in (("field", request), ("items", answer)):
        target = spec.resolve(fields.get(rule.text(key)))
        if target and target.text("type") != "array":
            diagnostics.add(rule.get(key).location, f"{rule.text(key)!r} is not a list")


def _check_follow(spec: Spec, call: Call, diagnostics: Diagnostics) -> None:
    rule = call.sdk.get("follow")
    if not rule:
        return
    if call.sdk.text("paginate", "order") != "desc":
        diagnostics.add(rule.location, "'follow' needs 'paginate' with the order 'desc'")
    if not binds_of(parent_of(call.sdk.text("resource"))):
        diagnostics.add(rule.location, "'follow' needs a resource that belongs to a handle")
    reply, resource = rule.text("reply"), call.sdk.text("resource")
    siblings = (one.sdk for one in spec.calls() if one.sdk.text("resource") == resource)
    if reply and reply not in [one.text("method") for one in siblings]:
        diagnostics.add(rule.get("reply").location, f"{resource} has no method {reply!r}")


def check_upload(spec: Spec, call: Call, diagnostics: Diagnostics) -> None:
    """Check that an upload names its target, its result and all required fields."""
    rule = call.sdk.get("upload")
    if not rule:
        return
    if path_names(call.path):
        diagnostics.add(rule.location, "'upload' needs a path without values")
    request = spec.request_schema(call)
    answer = _fields(spec, spec.answer_schema(call))
    named = [rule.text(key) for key in ("content_type", "size", "filename")]
    for key in ("content_type", "size", "filename"):
        look_up(rule, key, request.get("properties").mapping, "the request", diagnostics)
    for key in ("target", "result"):
        look_up(rule, key, answer.mapping, "the answer", diagnostics)
    for name in request.get("required").strings():
        if name not in named:
            diagnostics.add(rule.location, f"'upload' does not fill the required field {name!r}")
    target = _fields(spec, answer.get(rule.text("target"))).mapping
    for name in ("url", "method", "headers"):
        if target and name not in target:
            diagnostics.add(rule.get("target").location, f"a place to upload to needs {name!r}")


def check_download(spec: Spec, call: Call, diagnostics: Diagnostics) -> None:
    """Check that a download names its URL, size and hash."""
    rule = call.sdk.get("download")
    if not rule:
        return
    row = spec.row_schema(call)
    if not row:
        text = f"'download' needs a resource with a row, which {call.sdk.text('resource')!r} is not"
        diagnostics.add(rule.location, text)
    taken = [parameter.text("name") for parameter in call.parameters]
    if set(taken) - set(bound_at(call.sdk.text("resource"))) or call.node.get("requestBody"):
        diagnostics.add(rule.location, "'download' needs a method without parameters")
    look_up(rule, "url", _fields(spec, spec.answer_schema(call)).mapping, "the answer", diagnostics)
    for key, kind in (("size", "integer"), ("sha256", "string")):
        fields = _fields(spec, row)
        if row:
            look_up(rule, key, fields.mapping, "the row", diagnostics)
        field = spec.resolve(fields.get(rule.text(key)))
        if field and kind not in (field.text("type"), *field.get("type").strings()):
            diagnostics.add(rule.get(key).location, f"{rule.text(key)!r} is no {kind}")


def look_up(
    rule: Node, key: str, fields: Collection[str], where: str, diagnostics: Diagnostics
) -> None:
    """Check that a key of the rule names one of the fields."""
    name = rule.text(key)
    if name and name not in fields:
        diagnostics.unknown(rule.get(key).location, f"no {name!r} in {where}", name, fields)
