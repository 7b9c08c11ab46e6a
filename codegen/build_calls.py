"""Paths -> resources with methods."""

from __future__ import annotations

from codegen.build_deprecation import old_of
from codegen.build_ids import Ids, kind_of
from codegen.build_methods import build_former, build_methods
from codegen.build_types import Types
from codegen.ir import Child, Old, Operation, Resource
from codegen.resource_paths import (
    BUILTIN_TYPES,
    attribute_of,
    binds_of,
    bound_at,
    class_name,
    parent_of,
    root_of,
)
from codegen.spec import Call, Spec
from codegen.yaml_source import Node

__all__ = ["build_resources", "credential_of"]


def build_resources(spec: Spec, types: Types) -> tuple[Resource, ...]:
    """All resources, in the order of the spec."""
    declared = dict(spec.rest.get("x-sdk", "resources").items())
    methods: dict[str, list[Operation]] = {address: [] for address in declared}
    credentials: dict[str, str] = {}
    for call in spec.calls():
        address = call.sdk.text("resource")
        credentials[root_of(address)] = credential_of(spec, call)
        methods[address] += build_methods(call, spec, types)
    for call in spec.calls():
        for one in call.sdk.get("was").each():
            address = one.text("resource") or call.sdk.text("resource")
            methods[address].append(build_former(call, one, spec, types))
    rows = {address: _row_class(spec, node, types) for address, node in declared.items()}
    return tuple(
        _resource(address, declared, rows, tuple(ops), credentials, types.ids)
        for address, ops in methods.items()
    )


def _row_class(spec: Spec, node: Node, types: Types) -> str:
    """The class of the rows that a handle takes, "" of what takes none."""
    name = node.text("row")
    return types.of(spec.schema(name)).result if name else ""


def credential_of(spec: Spec, call: Call) -> str:
    """Which credential a call carries."""
    return spec.security_scheme(call).text("x-sdk", "credential")


def _resource(
    address: str,
    declared: dict[str, Node],
    rows: dict[str, str],
    operations: tuple[Operation, ...],
    credentials: dict[str, str],
    ids: Ids,
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
        kind=kind_of(binds_of(address)),
        takes=ids.annotation(kind_of(binds_of(address))),
        row=rows[address],
        handle=class_name(handles[0], declared[handles[0]]) if handles else "",
        handle_takes=ids.annotation(kind_of(binds_of(handles[0]))) if handles else "",
        handle_row=rows[handles[0]] if handles else "",
        children=tuple(
            Child(
                attribute=attribute_of(other),
                class_name=class_name(other, declared[other]),
                doc=declared[other].text("doc"),
                old=_resource_old(other, declared[other]),
            )
            for other in below
            if not binds_of(other)
        ),
        operations=operations,
        credential=credentials.get(root_of(address), "token"),
        hidden=tuple(name for name in BUILTIN_TYPES if name in names),
        old=_resource_old(address, declared[address]),
        mark=declared[address].mark,
    )


def _resource_old(address: str, node: Node) -> Old:
    return old_of(node, now=attribute_of(address), class_name=class_name(address, node))
