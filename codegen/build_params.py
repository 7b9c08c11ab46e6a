"""What a method takes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from codegen.build_deprecation import old_of
from codegen.build_types import Types
from codegen.diagnostics import Location
from codegen.ir import Param, Request
from codegen.resource_paths import bound_at
from codegen.spec import Call, Spec, path_names
from codegen.yaml_source import Node

__all__ = ["build_params", "build_requests", "path_argument", "single_param"]


def path_argument(call: Call, params: tuple[Param, ...]) -> str:
    """The expression that gives the values of the path, or ""."""
    bound = bound_at(call.address)
    own = [f'"{p.wire}": {p.name}' for p in params if p.where == "path"]
    if not own:
        return "self._path" if path_names(call.path) else ""
    return "{" + ", ".join([*(["**self._path"] if bound else []), *own]) + "}"


def build_params(call: Call, spec: Spec, types: Types) -> tuple[Param, ...]:
    """What the method takes: path values that its resource lacks, the query, the body's fields."""
    bound = bound_at(call.address)
    positional = call.sdk.get("positional").strings()
    found: list[Param] = []
    for node in call.parameters:
        name, where = node.text("name"), node.text("in")
        if not (where == "path" and name in bound):
            required = node.get("required").value is True
            schema = node.get("schema")
            doc = node.text("description")
            found.append(_param(name, where, schema, required, positional, types, doc, node.mark))
    found += fields_of(spec.request_schema(call), types, positional)
    return tuple(sorted(found, key=lambda p: (not p.positional, _index(positional, p.name))))


def _index(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _param(
    wire: str,
    where: str,
    schema: Node,
    required: bool,
    positional: Sequence[str],
    types: Types,
    doc: str,
    mark: Location,
) -> Param:
    name = schema.text("x-sdk", "name") or wire
    kind = types.argument(wire, schema, where)
    return Param(
        name=name,
        wire=wire,
        where=where,
        type=kind.argument_text,
        handle=kind.handle,
        check=kind.check_text,
        value=name,
        required=required,
        positional=name in positional,
        generate=schema.text("x-sdk", "generate") == "uuid4",
        doc=" ".join(filter(None, [doc or types.describe(schema), *_limits(schema)])),
        old=old_of(schema, now=name),
        mark=mark,
    )


def _limits(schema: Node) -> list[str]:
    low, high = schema.get("minimum").value, schema.get("maximum").value
    most, default = schema.get("maxItems").value, schema.get("default").value
    said: list[str] = []
    if low is not None:
        said.append(f"{low} to {high}." if high is not None else f"At least {low}.")
    if most is not None:
        said.append(f"At most {most}.")
    if default is not None:
        said.append(f"The server's default is `{default}`.")
    return said


def fields_of(request: Node, types: Types, positional: Sequence[str] = ()) -> list[Param]:
    """The fields of a request, as parameters."""
    required = request.get("required").strings()
    return [
        _param(name, "body", schema, name in required, positional, types, "", schema.mark)
        for name, schema in request.get("properties").items()
    ]


def single_param(param: Param, name: str, doc: str) -> Param:
    """A parameter for one thing, in the place of one for many."""
    return attrs.evolve(
        param,
        name=name,
        type=re.sub(r"^Sequence\[(.*)\]$", r"\1", param.type),
        check=re.sub(r"^a_list_of\((.*)\)$", rf'a_list_of(\1, "{name}")', param.check),
        value=f"[{name}]",
        doc=doc,
    )


def build_requests(spec: Spec, types: Types) -> tuple[Request, ...]:
    """What is sent, under the names of the spec."""
    schemas = [spec.request_schema(call) for call in spec.calls()]
    found = {schema.key: schema for schema in schemas if schema.pointer[:1] == ("components",)}
    return tuple(
        Request(
            name=name,
            doc=schema.text("description"),
            fields=tuple(fields_of(schema, types)),
            mark=schema.mark,
        )
        for name, schema in sorted(found.items())
    )
