"""Operations over HTTP -> methods."""

from __future__ import annotations

import attrs

from codegen.build_deprecation import old_of
from codegen.build_files import build_download, build_upload
from codegen.build_params import build_params, path_argument, single_param
from codegen.build_types import Types
from codegen.ir import Alias, Follow, Old, Operation, Paging
from codegen.naming import constant
from codegen.resource_paths import binds_of, class_name, parent_of
from codegen.spec import Call, Spec
from codegen.yaml_source import Node

__all__ = ["build_former", "build_methods"]


def build_methods(call: Call, spec: Spec, types: Types) -> list[Operation]:
    """The method of a call, and the one that does the same for one thing instead of many."""
    operation = _operation(call, spec, types)
    single = call.sdk.get("single")
    return [operation, _single(operation, single, spec, call, types)] if single else [operation]


def build_former(call: Call, was: Node, spec: Spec, types: Types) -> Operation:
    """The old name of a method, which sends the same."""
    operation = _operation(attrs.evolve(call, former=was.text("resource")), spec, types)
    name, now = was.text("method") or operation.name, operation.name
    if was.text("resource"):
        now = f"{call.sdk.text('resource')}.{operation.name}"
    alias = Alias(
        name=name, now=now, since=was.text("since"), until=was.text("until"), mark=was.mark
    )
    return attrs.evolve(
        operation,
        name=name,
        example="",
        paging=None,
        upload=None,
        download=None,
        follow=None,
        is_former=True,
        old=Old(deprecated=alias.notice, until=alias.until, aliases=(alias,)),
        mark=was.mark,
    )


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
        paging=None,
        follow=None,
        mark=rule.mark,
    )


def _operation(call: Call, spec: Spec, types: Types) -> Operation:
    sdk, node = call.sdk, call.node
    params = build_params(call, spec, types)
    result, read = _result(call, spec, types)
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
        returns=_returns(spec, call) if spec.answer_schema(call) else "",
        idempotency=_idempotency(spec, call),
        retry=sdk.get("retry").value is not False,
        generate=tuple(p.wire for p in params if p.generate),
        none_on=_none_on(call),
        is_former=False,
        old=old_of(node, "", sdk.text("method")),
        mark=node.mark,
        errors=(
            *sdk.get("errors").strings(),
            *spec.security_scheme(call).get("x-sdk", "errors").strings(),
        ),
        example=sdk.text("example"),
        paging=_paging(spec, call, types) if sdk.get("paginate") else None,
        upload=build_upload(spec, call, types) if sdk.get("upload") else None,
        download=build_download(spec, call, types) if sdk.get("download") else None,
        follow=_follow(spec, call, types) if sdk.get("follow") else None,
    )


def _result(call: Call, spec: Spec, types: Types) -> tuple[str, str]:
    """The type of what the method returns, and the expression that reads it."""
    schema, returned = spec.answer_schema(call), call.sdk.text("returns")
    answer = types.of(schema) if schema else None
    result = answer.result_text if answer else "None"
    read = answer.reader_text if answer else "read_nothing"
    if returned:
        result = types.of(_property(spec, schema, returned)).result_text
        read = f"lambda value: {read}(value).{returned}"
    if _none_on(call) and not result.endswith("None"):
        result, read = f"{result} | None", f"nullable({read})"
    return result, read


def _none_on(call: Call) -> tuple[int, ...]:
    return tuple(int(str(one.value)) for one in call.sdk.get("none_on").each())


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
        reply=rule.text("reply"),
        example=rule.text("example"),
    )
