"""Paths -> resources with methods."""

from __future__ import annotations

import attrs

from codegen.addresses import (
    BUILTIN_TYPES,
    attribute_of,
    binds_of,
    bound_at,
    class_name,
    parent_of,
    root_of,
)
from codegen.build_params import build_params, path_argument, single_param
from codegen.build_types import Types
from codegen.ir import Follow, Operation, Paging, Resource, Upload
from codegen.naming import constant
from codegen.source import Node
from codegen.spec import Call, Spec

__all__ = ["build_resources", "credential_of"]


def build_resources(spec: Spec, types: Types) -> tuple[Resource, ...]:
    """All resources, in the order of the spec."""
    declared = dict(spec.rest.get("x-sdk", "resources").items())
    methods: dict[str, list[Operation]] = {address: [] for address in declared}
    credentials: dict[str, str] = {}
    for call in spec.calls():
        address = call.sdk.text("resource")
        credentials[root_of(address)] = credential_of(spec, call)
        methods[address] += _operations(call, spec, types)
    return tuple(
        _resource(address, declared, tuple(ops), credentials.get(root_of(address), "token"))
        for address, ops in methods.items()
    )


def credential_of(spec: Spec, call: Call) -> str:
    """Which credential a call carries."""
    return spec.security_scheme(call).text("x-sdk", "credential")


def _resource(
    address: str, declared: dict[str, Node], operations: tuple[Operation, ...], credential: str
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
        credential=credential,
        hidden=tuple(name for name in BUILTIN_TYPES if name in names),
    )


def _operations(call: Call, spec: Spec, types: Types) -> list[Operation]:
    """The method of a call, and the one that does the same for one thing instead of many."""
    operation = _operation(call, spec, types)
    single = call.sdk.get("single")
    return [operation, _single(operation, single, spec, call, types)] if single else [operation]


def _single(operation: Operation, rule: Node, spec: Spec, call: Call, types: Types) -> Operation:
    items = _property(spec, spec.answer_schema(call), rule.text("items"))
    item = types.of(spec.resolve(items).get("items"))
    name, doc = rule.text("param"), rule.text("description")
    return attrs.evolve(
        operation,
        const=f"{operation.const}_FIRST",
        name=rule.text("method"),
        summary=rule.text("summary"),
        params=tuple(
            single_param(param, name, doc) if param.wire == rule.text("field") else param
            for param in operation.params
        ),
        result=item.result_text,
        read=f'first_of("{rule.text("items")}", {item.reader_text})',
        returns=rule.text("returns"),
        example=rule.text("example"),
    )


def _operation(call: Call, spec: Spec, types: Types) -> Operation:
    sdk, node = call.sdk, call.node
    returned = sdk.text("returns")
    schema = spec.answer_schema(call)
    params = build_params(call, spec, types)
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
        path_argument=path_argument(call, params),
        params=params,
        result=result,
        read=read,
        returns=_returns(spec, call) if answer else "",
        idempotency=_idempotency(spec, call),
        retry=sdk.get("retry").value is not False,
        generate=tuple(p.wire for p in params if p.generate),
        errors=(
            *sdk.get("errors").strings(),
            *spec.security_scheme(call).get("x-sdk", "errors").strings(),
        ),
        example=sdk.text("example"),
        paging=_paging(spec, call, types) if sdk.get("paginate") else None,
        upload=_upload(spec, call, types) if sdk.get("upload") else None,
        follow=_follow(spec, call, types) if sdk.get("follow") else None,
    )


def _property(spec: Spec, schema: Node, name: str) -> Node:
    return spec.resolve(schema).get("properties", name)


def _returns(spec: Spec, call: Call) -> str:
    """What the last answer is: the others are the odd ones."""
    return [answer.text("description") for _, answer in spec.answers(call)][-1]


def _idempotency(spec: Spec, call: Call) -> str:
    policy = spec.rest.get("x-sdk", "idempotency")
    applies = call.verb.upper() in policy.get("for").strings()
    return policy.text("header") if applies and call.sdk.get("idempotency").value is None else ""


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


def _follow(spec: Spec, call: Call, types: Types) -> Follow:
    rule = call.sdk.get("follow")
    parent = parent_of(call.sdk.text("resource"))
    return Follow(
        method=rule.text("method"),
        summary=rule.text("summary"),
        key=binds_of(parent),
        row=_paging(spec, call, types).item,
        handle=class_name(parent, spec.rest.get("x-sdk", "resources", parent)),
        example=rule.text("example"),
    )


def _upload(spec: Spec, call: Call, types: Types) -> Upload:
    rule = call.sdk.get("upload")
    schema = spec.answer_schema(call)
    result = rule.text("result")
    return Upload(
        const=constant(call.node.text("operationId")) + "_BYTES",
        method=rule.text("method"),
        summary=rule.text("summary"),
        answer=types.of(schema).result,
        target=rule.text("target"),
        result=result,
        result_type=types.of(_property(spec, schema, result)).result,
        content_type=rule.text("content_type"),
        size=rule.text("size"),
        filename=rule.text("filename"),
        example=rule.text("example"),
    )
