"""Paths and operations over HTTP -> resources with methods."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from codegen.build_types import Ids, Types, deprecation_of, kind_of
from codegen.ir import (
    Alias,
    Child,
    Deprecation,
    Download,
    Follow,
    Many,
    Operation,
    Paging,
    Param,
    Request,
    Resource,
    Upload,
)
from codegen.naming import (
    BUILTIN_TYPES,
    attribute_of,
    binds_of,
    bound_at,
    class_name,
    constant,
    parent_of,
    root_of,
)
from codegen.spec import Call, Spec, path_names
from codegen.yaml_source import Location, Node

__all__ = [
    "build_requests",
    "build_resources",
    "credential_of",
]


def path_argument(call: Call, params: tuple[Param, ...]) -> str:
    """Return the expression that gives the values of the path, or ""."""
    bound = bound_at(call.address)
    own = [f'"{p.wire}": {p.name}' for p in params if p.where == "path"]
    if not own:
        return "self._path" if path_names(call.path) else ""
    return "{" + ", ".join([*(["**self._path"] if bound else []), *own]) + "}"


def build_params(call: Call, spec: Spec, types: Types) -> tuple[Param, ...]:
    """Return the parameters: path values that its resource lacks, query, fields of the body."""
    bound = bound_at(call.address)
    positional = call.sdk.get("positional").strings()
    found: list[Param] = []
    for node in call.parameters:
        name, where = node.text("name"), node.text("in")
        if not (where == "path" and name in bound):
            required = node.get("required").value is True
            schema = node.get("schema")
            doc = node.text("description")
            found.append(
                _param(name, where, schema, required, positional, types, doc, node.location)
            )
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
    location: Location,
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
        limits=types.limits(schema),
        deprecation=deprecation_of(schema, now=name),
        location=location,
    )


def _limits(schema: Node) -> list[str]:
    low, high = schema.get("minimum").value, schema.get("maximum").value
    most, default = schema.get("maxItems").value, schema.get("default").value
    limits: list[str] = []
    if low is not None:
        limits.append(f"{low} to {high}." if high is not None else f"At least {low}.")
    if most is not None:
        limits.append(f"At most {most}.")
    if default is not None:
        limits.append(f"The server's default is `{default}`.")
    return limits


def fields_of(request: Node, types: Types, positional: Sequence[str] = ()) -> list[Param]:
    """Return the fields of a request, as parameters."""
    required = request.get("required").strings()
    return [
        _param(name, "body", schema, name in required, positional, types, "", schema.location)
        for name, schema in request.get("properties").items()
    ]


def single_param(param: Param, name: str, doc: str) -> Param:
    """Return a parameter for one thing, in the place of one for many."""
    return attrs.evolve(
        param,
        name=name,
        type=re.sub(r"^Sequence\[(.*)\]$", r"\1", param.type),
        check=re.sub(r"^a_list_of\((.*)\)$", rf'a_list_of(\1, "{name}")', param.check),
        value=f"[{name}]",
        doc=doc,
        limits=tuple(
            (key.removeprefix("items "), value)
            for key, value in param.limits
            if key.startswith("items ")
        ),
    )


def build_requests(spec: Spec, types: Types) -> tuple[Request, ...]:
    """Return what is sent, under the names of the spec."""
    schemas = [spec.request_schema(call) for call in spec.calls()]
    found = {schema.key: schema for schema in schemas if schema.pointer[:1] == ("components",)}
    return tuple(
        Request(
            name=name,
            doc=schema.text("description"),
            fields=tuple(fields_of(schema, types)),
            location=schema.location,
        )
        for name, schema in sorted(found.items())
    )


def build_upload(spec: Spec, call: Call, types: Types) -> Upload:
    """Build the method that uploads a file."""
    rule = call.sdk.get("upload")
    schema = spec.answer_schema(call)
    result = rule.text("result")
    many = rule.get("many")
    return Upload(
        const=f"{constant(call.node.text('operationId'))}_BYTES",
        method=rule.text("method"),
        summary=rule.text("summary"),
        answer=types.of(schema).result,
        target=rule.text("target"),
        result=result,
        result_type=types.of(spec.resolve(schema).get("properties", result)).result,
        content_type=rule.text("content_type"),
        size=rule.text("size"),
        filename=rule.text("filename"),
        example=rule.text("example"),
        many=Many(
            method=many.text("method"), summary=many.text("summary"), example=many.text("example")
        )
        if many
        else None,
    )


def build_download(spec: Spec, call: Call, types: Types) -> Download:
    """Build the method that downloads a file."""
    rule = call.sdk.get("download")
    return Download(
        const=f"{constant(call.node.text('operationId'))}_BYTES",
        method=rule.text("method"),
        summary=rule.text("summary"),
        answer=types.of(spec.answer_schema(call)).result,
        url=rule.text("url"),
        row=types.of(spec.row_schema(call)).result,
        size=rule.text("size"),
        sha256=rule.text("sha256"),
        example=rule.text("example"),
    )


def build_methods(call: Call, spec: Spec, types: Types) -> list[Operation]:
    """Return the method of a call, and the one that does the same for one thing instead of many."""
    operation = _operation(call, spec, types)
    single = call.sdk.get("single")
    return [operation, _single(operation, single, spec, call, types)] if single else [operation]


def build_former(call: Call, was: Node, spec: Spec, types: Types) -> Operation:
    """Return the old name of a method, which sends the same."""
    operation = _operation(attrs.evolve(call, former=was.text("resource")), spec, types)
    name, now = was.text("method") or operation.name, operation.name
    if was.text("resource"):
        now = f"{call.sdk.text('resource')}.{operation.name}"
    alias = Alias(
        name=name, now=now, since=was.text("since"), until=was.text("until"), location=was.location
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
        deprecation=Deprecation(deprecated=alias.notice, until=alias.until, aliases=(alias,)),
        location=was.location,
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
        location=rule.location,
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
        deprecation=deprecation_of(node, "", sdk.text("method")),
        location=node.location,
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
    """Return the type of what the method returns, and the expression that reads it."""
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
    """Return what the last answer is: the others are the odd ones."""
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


def build_resources(spec: Spec, types: Types) -> tuple[Resource, ...]:
    """Return all resources, in the order of the spec."""
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
    models = {address: _model_class(spec, node, types) for address, node in declared.items()}
    return tuple(
        _resource(address, declared, models, tuple(ops), credentials, types.ids)
        for address, ops in methods.items()
    )


def _model_class(spec: Spec, node: Node, types: Types) -> str:
    """Return the class of the models that a handle takes, "" of what takes none."""
    name = node.text("row")
    return types.of(spec.schema(name)).result if name else ""


def credential_of(spec: Spec, call: Call) -> str:
    """Return which credential a call carries."""
    return spec.security_scheme(call).text("x-sdk", "credential")


def _resource(
    address: str,
    declared: dict[str, Node],
    models: dict[str, str],
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
        row=models[address],
        handle=class_name(handles[0], declared[handles[0]]) if handles else "",
        handle_takes=ids.annotation(kind_of(binds_of(handles[0]))) if handles else "",
        handle_row=models[handles[0]] if handles else "",
        children=tuple(
            Child(
                attribute=attribute_of(other),
                class_name=class_name(other, declared[other]),
                doc=declared[other].text("doc"),
                deprecation=_resource_deprecation(other, declared[other]),
            )
            for other in below
            if not binds_of(other)
        ),
        operations=operations,
        credential=credentials.get(root_of(address), "token"),
        hidden=tuple(name for name in BUILTIN_TYPES if name in names),
        deprecation=_resource_deprecation(address, declared[address]),
        location=declared[address].location,
    )


def _resource_deprecation(address: str, node: Node) -> Deprecation:
    return deprecation_of(node, now=attribute_of(address), class_name=class_name(address, node))
