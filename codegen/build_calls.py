"""Paths -> resources with methods."""

from __future__ import annotations

import re
from typing import Final

from codegen.build_types import Types
from codegen.ir import Operation, Paging, Param, Resource
from codegen.naming import constant, pascal
from codegen.source import Node
from codegen.spec import Call, Spec, path_names

__all__ = [
    "attribute_of",
    "binds_of",
    "bound_at",
    "build_resources",
    "class_name",
    "parent_of",
]

HANDLE: Final = re.compile(r"\(([a-z0-9_]+)\)$")
BUILTIN_TYPES: Final = ("bool", "dict", "float", "int", "list", "str", "type")


def parent_of(address: str) -> str:
    """The address one step up, "" above a root."""
    if HANDLE.search(address):
        return HANDLE.sub("", address)
    return address.rpartition(".")[0]


def binds_of(address: str) -> str:
    """The path value that a handle stands for, "" of what is no handle."""
    found = HANDLE.search(address)
    return found[1] if found else ""


def bound_at(address: str) -> tuple[str, ...]:
    """All path values that are known at the address."""
    return tuple(re.findall(r"\(([a-z0-9_]+)\)", address))


def attribute_of(address: str) -> str:
    """The last name of an address."""
    return HANDLE.sub("", address).rpartition(".")[2]


def class_name(address: str, node: Node) -> str:
    """The class of a resource."""
    kind = "Handle" if binds_of(address) else "Resource"
    return node.text("class") or pascal(attribute_of(address)) + kind


def build_resources(spec: Spec, types: Types) -> tuple[Resource, ...]:
    """All resources, in the order of the spec."""
    declared = dict(spec.rest.get("x-sdk", "resources").items())
    methods: dict[str, list[Operation]] = {address: [] for address in declared}
    for call in spec.calls():
        methods[call.sdk.text("resource")].append(_operation(call, spec, types))
    return tuple(_resource(address, declared, tuple(ops)) for address, ops in methods.items())


def _resource(
    address: str, declared: dict[str, Node], operations: tuple[Operation, ...]
) -> Resource:
    below = [other for other in declared if parent_of(other) == address]
    handles = [other for other in below if binds_of(other)]
    names = [op.name for op in operations]
    return Resource(
        address=address,
        attribute=attribute_of(address),
        class_name=class_name(address, declared[address]),
        doc=declared[address].text("doc"),
        parent=parent_of(address),
        binds=binds_of(address),
        bound=bound_at(address),
        handle=class_name(handles[0], declared[handles[0]]) if handles else "",
        children=tuple(
            (attribute_of(other), class_name(other, declared[other]), declared[other].text("doc"))
            for other in below
            if not binds_of(other)
        ),
        operations=operations,
        hidden=tuple(name for name in BUILTIN_TYPES if name in names),
    )


def _operation(call: Call, spec: Spec, types: Types) -> Operation:
    sdk, node = call.sdk, call.node
    returned = sdk.text("returns")
    schema = spec.answer_schema(call)
    params = _params(call, spec, types)
    answer = types.of(schema) if schema else None
    read = answer.reader_text if answer else "read_nothing"
    result = answer.result_text if answer else "None"
    if returned:
        result = types.of(_property(spec, schema, returned)).result_text
        read = f"lambda value: {read}(value).{returned}"
    return Operation(
        const=constant(node.text("operationId")),
        name=sdk.text("method"),
        summary=node.text("summary"),
        description=node.text("description"),
        verb=call.verb.upper(),
        path=call.path,
        path_argument=_path_argument(call, params),
        params=params,
        result=result,
        read=read,
        returns=_returns(spec, call) if answer else "",
        auth=_auth(spec, node),
        idempotency=_idempotency(spec, call),
        retry=sdk.get("retry").value is not False,
        generate=tuple(p.wire for p in params if p.generate),
        errors=tuple(sdk.get("errors").strings()),
        example=sdk.text("example"),
        paging=_paging(spec, call, types) if sdk.get("paginate") else None,
    )


def _property(spec: Spec, schema: Node, name: str) -> Node:
    return spec.resolve(schema).get("properties", name)


def _returns(spec: Spec, call: Call) -> str:
    """What the last answer is: the others are the odd ones."""
    return [answer.text("description") for _, answer in spec.answers(call)][-1]


def _auth(spec: Spec, node: Node) -> str:
    security = node.get("security") or spec.rest.get("security")
    names = [name for one in security.each() for name in one.mapping]
    schemes = spec.rest.get("components", "securitySchemes")
    return schemes.text(names[0], "x-sdk", "credential")


def _idempotency(spec: Spec, call: Call) -> str:
    policy = spec.rest.get("x-sdk", "idempotency")
    applies = call.verb.upper() in policy.get("for").strings()
    return policy.text("header") if applies and call.sdk.get("idempotency").value is None else ""


def _path_argument(call: Call, params: tuple[Param, ...]) -> str:
    bound = bound_at(call.sdk.text("resource"))
    own = [f'"{p.wire}": {p.name}' for p in params if p.where == "path"]
    if not own:
        return "self._path" if path_names(call.path) else ""
    return "{" + ", ".join([*(["**self._path"] if bound else []), *own]) + "}"


def _params(call: Call, spec: Spec, types: Types) -> tuple[Param, ...]:
    """What the method takes: path values that its resource lacks, the query, the body's fields."""
    bound = bound_at(call.sdk.text("resource"))
    positional = call.sdk.get("positional").strings()
    found: list[Param] = []
    for node in call.parameters:
        name, where = node.text("name"), node.text("in")
        if not (where == "path" and name in bound):
            required = node.get("required").value is True
            schema = node.get("schema")
            doc = node.text("description")
            found.append(_param(name, where, schema, required, positional, types, doc))
    request = spec.request_schema(call)
    required_fields = request.get("required").strings()
    for name, schema in request.get("properties").items():
        required = name in required_fields
        found.append(_param(name, "body", schema, required, positional, types, ""))
    return tuple(sorted(found, key=lambda p: (not p.positional, _index(positional, p.name))))


def _index(names: list[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _param(
    wire: str,
    where: str,
    schema: Node,
    required: bool,
    positional: list[str],
    types: Types,
    doc: str,
) -> Param:
    name = schema.text("x-sdk", "name") or wire
    kind = types.of(schema)
    return Param(
        name=name,
        wire=wire,
        where=where,
        annotation=kind.argument_text if required else f"{kind.argument_text} | Unset",
        required=required,
        positional=name in positional,
        generate=schema.text("x-sdk", "generate") == "uuid4",
        doc=" ".join(filter(None, [doc or types.describe(schema), *_limits(schema)])),
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


def _paging(spec: Spec, call: Call, types: Types) -> Paging:
    rule = call.sdk.get("paginate")
    schema = spec.answer_schema(call)
    items = rule.text("items")
    item = types.of(spec.resolve(_property(spec, schema, items)).get("items"))
    name, method = call.sdk.text("method"), rule.text("method") or "iter"
    return Paging(
        const=constant(call.node.text("operationId")) + "_PAGES",
        method=method,
        page=types.of(schema).result,
        item=item.result,
        items=items,
        cursor=rule.text("cursor"),
        by=rule.text("by"),
        descending=rule.text("order") == "desc",
        example=call.sdk.text("example").replace(f".{name}(", f".{method}("),
    )
