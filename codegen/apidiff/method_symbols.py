"""Resources and their methods, as symbols."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from codegen.apidiff.symbols import Symbol, age, named
from codegen.ir import Api, Operation, Param, Resource
from codegen.resource_paths import parent_of

__all__ = ["parameters", "resource_symbols"]


def resource_symbols(api: Api) -> Iterator[Symbol]:
    """All resources and methods."""
    resources = (*api.resources, *api.backend_resources)
    for resource in resources:
        yield _resource(resource, resources)
        for op in resource.operations:
            if not op.is_former:
                yield from _methods(op, resource, resources)


def _resource(resource: Resource, resources: Sequence[Resource]) -> Symbol:
    parent = parent_of(resource.address)
    return Symbol(
        key=_key(resource.address),
        name=resource.class_name,
        called=f".{resource.attribute}",
        mark=resource.mark,
        before={_key(_joined(parent, one.name)): one.until for one in resource.old.names},
        moved=tuple(_former(resource.address, resources)),
        traits={
            "class": named(resource.class_name, resource.old),
            "row": resource.row,
            **age(resource.old, [resource.doc]),
        },
    )


def _methods(op: Operation, resource: Resource, resources: Sequence[Resource]) -> Iterator[Symbol]:
    """The method, and those that are made of it."""
    kind = " for one" if op.const.endswith("_FIRST") else ""
    yield _method(op.name, op, kind, op.result, resource, resources)
    if op.paging:
        result = f"Iterator[{op.paging.item}]"
        pager = _method(op.paging.method, op, " by page", result, resource, resources)
        yield _with(pager, descending=op.paging.descending, cursor=op.paging.cursor)
    if op.upload:
        yield _method(op.upload.method, op, " sent", op.upload.result_type, resource, resources)
    if op.upload and op.upload.many:
        result = f"list[{op.upload.result_type} | Exception]"
        yield _method(op.upload.many.method, op, " sent, many", result, resource, resources)
    if op.download:
        yield _method(op.download.method, op, " fetched", "bytes", resource, resources)


def _with(symbol: Symbol, *, descending: bool, cursor: str) -> Symbol:
    traits = {**symbol.traits, "descending": descending, "wire": (cursor,)}
    return Symbol(
        key=symbol.key,
        name=symbol.name,
        mark=symbol.mark,
        where=symbol.where,
        moved=symbol.moved,
        same=symbol.same,
        traits=traits,
    )


def _method(
    name: str,
    op: Operation,
    kind: str,
    result: str,
    resource: Resource,
    resources: Sequence[Resource],
) -> Symbol:
    own = name == op.name
    address = resource.address
    former = [
        (r, f) for r in resources for f in r.operations if f.is_former and f.const == op.const
    ]
    before = {f"{_key(r.address)}.{f.name}": f.old.until for r, f in former}
    traits = {
        "result": result,
        "auth": resource.credential,
        "idempotency": bool(op.idempotency),
        "retry": op.retry,
        "errors": op.errors,
        "wire": (op.verb, _erased(op.path)),
        "header": op.idempotency,
        "positionals": tuple(p.name for p in op.positional),
        "deprecated": op.old.deprecated,
        "aliases": tuple(f"{r.class_name}.{f.name}()" for r, f in former),
        "text": (op.summary, op.description, op.returns, op.example, op.old.since),
    }
    return Symbol(
        key=f"{_key(address)}.{name}",
        name=f"{resource.class_name}.{name}()",
        mark=op.mark,
        where=f"{op.verb} {op.path}",
        before=before if own else {},
        moved=tuple(_former(f"{address}.{name}", resources)),
        same=f"{op.verb} {_erased(op.path)}{kind}",
        traits=traits if own else {"result": result},
        parts=tuple(parameters(op.params, f"{resource.class_name}.{name}")) if own else (),
    )


def parameters(params: Sequence[Param], method: str) -> Iterator[Symbol]:
    """What a method takes."""
    for param in params:
        yield Symbol(
            key=param.name,
            name=f"{method}({param.name}=)",
            mark=param.mark,
            same=f"{param.where} {param.wire}",
            adding="required parameter" if param.required and not param.generate else "added",
            traits={
                "takes": param.type,
                "required": param.required,
                "positional": param.positional,
                "generate": param.generate,
                "wire": (param.where, "" if param.where == "path" else param.wire),
                **age(param.old, [param.doc]),
            },
        )


def _joined(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name


def _former(address: str, resources: Sequence[Resource]) -> Iterator[str]:
    """Keys that it had while something above it had another name."""
    for above in resources:
        for alias in above.old.names:
            rest = address.removeprefix(above.address)
            if rest != address and rest[:1] in (".", "("):
                yield _key(_joined(parent_of(above.address), alias.name) + rest)


def _key(address: str) -> str:
    """The address without the names of path values, which nobody types."""
    return re.sub(r"\(\w+\)", "()", address)


def _erased(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)
