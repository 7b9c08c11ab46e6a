"""Operations over HTTP: what they refer to is there."""

from __future__ import annotations

from codegen.build_calls import credential_of
from codegen.diagnostics import Diagnostics
from codegen.error_codes import all_codes, codes_of
from codegen.resource_paths import binds_of, bound_at, parent_of, root_of
from codegen.spec import Call, Spec, path_names
from codegen.yaml_source import Node

__all__ = ["check_calls"]


def check_calls(spec: Spec, mistakes: Diagnostics) -> None:
    """Check the resources and all operations."""
    _check_resources(spec, mistakes)
    for call in spec.calls():
        _check_address(spec, call, mistakes)
        _check_path(call, mistakes)
        _check_security(spec, call, mistakes)
        _check_bodies(spec, call, mistakes)
        _check_errors(call.sdk.get("errors"), set(codes_of(spec, call)), mistakes)
    _check_common_errors(spec, mistakes)
    _check_credentials(spec, mistakes)


def _check_resources(spec: Spec, mistakes: Diagnostics) -> None:
    declared = dict(spec.rest.get("x-sdk", "resources").items())
    handles: dict[str, str] = {}
    for address, node in declared.items():
        parent = parent_of(address)
        if parent and parent not in declared:
            mistakes.unknown(node.mark, f"no resource {parent!r} above it", parent, declared)
        if binds_of(address) and handles.setdefault(parent, address) != address:
            mistakes.add(node.mark, f"{parent!r} has a handle already: {handles[parent]!r}")
        if node.get("row"):
            _check_row(spec, address, node.get("row"), mistakes)


def _check_row(spec: Spec, address: str, row: Node, mistakes: Diagnostics) -> None:
    schemas = spec.rest.get("components", "schemas")
    name = str(row.value)
    if not binds_of(address):
        mistakes.add(row.mark, f"{address!r} is no handle, so it has no row")
    elif name not in schemas.mapping:
        mistakes.unknown(row.mark, f"no schema {name!r}", name, schemas.mapping)
    elif schemas.text(name, "properties", "id", "type") != "string":
        mistakes.add(row.mark, f"{name!r} has no id, or one that is no string")


def _check_address(spec: Spec, call: Call, mistakes: Diagnostics) -> None:
    declared = spec.rest.get("x-sdk", "resources").mapping
    node = call.sdk.get("resource")
    address = call.sdk.text("resource")
    if address and address not in declared:
        text = f"no resource {address!r} in x-sdk.resources"
        mistakes.unknown(node.mark, text, address, declared)
    for name in bound_at(address):
        if name not in path_names(call.path):
            mistakes.add(node.mark, f"{address!r} binds {name!r}, which is not in {call.path!r}")


def _check_path(call: Call, mistakes: Diagnostics) -> None:
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


def _check_security(spec: Spec, call: Call, mistakes: Diagnostics) -> None:
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


def _check_bodies(spec: Spec, call: Call, mistakes: Diagnostics) -> None:
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


def _check_credentials(spec: Spec, mistakes: Diagnostics) -> None:
    """Each client has its own resources, so all calls below one of its attributes agree."""
    found: dict[str, str] = {}
    for call in spec.calls():
        root, credential = root_of(call.sdk.text("resource")), credential_of(spec, call)
        first = found.setdefault(root, credential)
        if credential and first and credential != first:
            text = f"calls of {root!r} carry a {first!r}, this one a {credential!r}"
            mistakes.add(call.node.mark, text)


def _check_errors(said: Node, codes: set[str], mistakes: Diagnostics) -> None:
    for node in said.each():
        code = str(node.value)
        if code not in codes:
            mistakes.unknown(node.mark, f"no error code {code!r}", code, codes)


def _check_common_errors(spec: Spec, mistakes: Diagnostics) -> None:
    """What all calls may answer, or all that carry a credential."""
    codes = set(all_codes(spec))
    schemes = spec.rest.get("components", "securitySchemes")
    for node in (spec.rest, *schemes.values()):
        _check_errors(node.get("x-sdk", "errors"), codes, mistakes)
