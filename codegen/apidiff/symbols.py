"""The API as symbols: resources, methods, models, enums, channels, events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from codegen.ir import (
    Alias,
    Api,
    Channel,
    Deprecation,
    Enum,
    Event,
    Model,
    Operation,
    Param,
    Push,
    Resource,
)
from codegen.naming import parent_of
from codegen.yaml_source import Location

__all__ = [
    "Named",
    "Symbol",
    "class_names",
    "symbols_of",
]

TYPES: Final = frozenset({"base", "gives", "result", "row", "takes"})
"""Traits that are annotations."""


@attrs.frozen(kw_only=True, eq=False)
class Symbol:
    """One public name."""

    key: str
    """Identifies it among its siblings, in this API and in another."""
    name: str
    """Its name in reports."""
    called: str = ""
    """The attribute that leads to it, if that is not its name."""
    location: Location
    where: str = ""
    """Its form on the wire: a route, or an event."""
    before: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Old keys that still work, each with the release that removes it."""
    moved: tuple[str, ...] = ()
    """Keys that it had under an old name of its owner."""
    same: str = ""
    """What stays the same if only its name changes."""
    adding: str = "added"
    """The rule for adding it."""
    traits: Mapping[str, object] = attrs.field(factory=dict[str, object])
    """What may change about it, by the name of its comparator."""
    parts: tuple[Symbol, ...] = ()
    """Its parts; not reported when it is added or removed as a whole."""

    def in_terms_of(self, names: Mapping[str, str]) -> Symbol:
        """Return the same, with the names that classes have now in all types."""
        types = {key: _renamed(str(self.traits[key]), names) for key in self.traits.keys() & TYPES}
        parts = tuple(part.in_terms_of(names) for part in self.parts)
        return attrs.evolve(self, traits={**self.traits, **types}, parts=parts)


def _renamed(annotation: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\w+", lambda match: names.get(match[0], match[0]), annotation)


@attrs.frozen
class Named:
    """The name of a class, and its old names."""

    name: str
    before: dict[str, str]
    """Each with the release that removes it."""


def named(name: str, deprecation: Deprecation) -> Named:
    """Return the name of a class with its old names."""
    return Named(name, {alias.name: alias.until for alias in deprecation.classes})


def age(
    deprecation: Deprecation, doc: Iterable[str], *, is_class: bool = False
) -> dict[str, object]:
    """Return the traits of nearly everything: deprecation, old names and text."""
    aliases = deprecation.classes if is_class else deprecation.names
    return {
        "deprecated": deprecation.deprecated,
        "aliases": tuple(alias.name for alias in aliases),
        "text": tuple(doc),
    }


def resource_symbols(api: Api) -> Iterator[Symbol]:
    """Yield all resources and methods."""
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
        location=resource.location,
        before={_key(_joined(parent, one.name)): one.until for one in resource.deprecation.names},
        moved=tuple(_former(resource.address, resources)),
        traits={
            "class": named(resource.class_name, resource.deprecation),
            "row": resource.row,
            **age(resource.deprecation, [resource.doc]),
        },
    )


def _methods(op: Operation, resource: Resource, resources: Sequence[Resource]) -> Iterator[Symbol]:
    """Yield the symbols of a method and of those derived from it."""
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
        location=symbol.location,
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
    before = {f"{_key(r.address)}.{f.name}": f.deprecation.until for r, f in former}
    traits = {
        "result": result,
        "auth": resource.credential,
        "idempotency": bool(op.idempotency),
        "retry": op.retry,
        "errors": op.errors,
        "wire": (op.verb, _erased(op.path)),
        "header": op.idempotency,
        "positionals": tuple(p.name for p in op.positional),
        "deprecated": op.deprecation.deprecated,
        "aliases": tuple(f"{r.class_name}.{f.name}()" for r, f in former),
        "text": (op.summary, op.description, op.returns, op.example, op.deprecation.since),
    }
    return Symbol(
        key=f"{_key(address)}.{name}",
        name=f"{resource.class_name}.{name}()",
        location=op.location,
        where=f"{op.verb} {op.path}",
        before=before if own else {},
        moved=tuple(_former(f"{address}.{name}", resources)),
        same=f"{op.verb} {_erased(op.path)}{kind}",
        traits=traits if own else {"result": result},
        parts=tuple(parameters(op.params, f"{resource.class_name}.{name}")) if own else (),
    )


def parameters(params: Sequence[Param], method: str) -> Iterator[Symbol]:
    """Yield what a method takes."""
    for param in params:
        yield Symbol(
            key=param.name,
            name=f"{method}({param.name}=)",
            location=param.location,
            same=f"{param.where} {param.wire}",
            adding="required parameter" if param.required and not param.generate else "added",
            traits={
                "takes": param.type,
                "required": param.required,
                "positional": param.positional,
                "generate": param.generate,
                "wire": (param.where, "" if param.where == "path" else param.wire),
                **age(param.deprecation, [param.doc]),
            },
        )


def _joined(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name


def _former(address: str, resources: Sequence[Resource]) -> Iterator[str]:
    """Yield keys that it had under old names of the resources above it."""
    for above in resources:
        for alias in above.deprecation.names:
            rest = address.removeprefix(above.address)
            if rest != address and rest[:1] in (".", "("):
                yield _key(_joined(parent_of(above.address), alias.name) + rest)


def _key(address: str) -> str:
    """Return the address without the names of path values, which nobody types."""
    return re.sub(r"\(\w+\)", "()", address)


def _erased(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def symbols_of(api: Api) -> tuple[Symbol, ...]:
    """Return all that is public of an API."""
    return (
        *resource_symbols(api),
        *(_enum(enum) for enum in api.enums),
        *(_model(model) for model in api.models),
        *(Symbol(key=f"request {r.name}", name=r.name, location=r.location) for r in api.requests),
        *(_channel(channel) for channel in api.channels),
        *(_event(event, channel) for channel in api.channels for event in channel.events),
        *(
            Symbol(
                key=f"code {code.name}",
                name=f"ApiError.code == {code.name!r}",
                location=code.location,
            )
            for code in api.codes
        ),
    )


def class_names(api: Api) -> dict[str, str]:
    """Return what classes of models and enums are called now, by their old names."""
    things: tuple[Enum | Model | Event, ...] = (*api.enums, *api.models, *api.events)
    return {alias.name: alias.now for one in things for alias in one.deprecation.classes}


def _before(prefix: str, aliases: tuple[Alias, ...]) -> dict[str, str]:
    return {f"{prefix}{alias.name}": alias.until for alias in aliases}


def _enum(enum: Enum) -> Symbol:
    return Symbol(
        key=f"row {enum.name}",
        name=enum.name,
        location=enum.location,
        before=_before("row ", enum.deprecation.classes),
        traits={"open": enum.open, **age(enum.deprecation, [enum.doc], is_class=True)},
        parts=tuple(
            Symbol(
                key=value,
                name=f"{enum.name}.{name}",
                location=enum.location,
                adding="added" if enum.open else "value of a closed enum",
            )
            for name, value in enum.members
        ),
    )


def _model(model: Model) -> Symbol:
    return Symbol(
        key=f"row {model.name}",
        name=model.name,
        location=model.location,
        before=_before("row ", model.deprecation.classes),
        traits={"base": model.base, **age(model.deprecation, [model.doc], is_class=True)},
        parts=tuple(_fields(model)),
    )


def _fields(model: Model) -> Iterator[Symbol]:
    for field in model.fields:
        yield Symbol(
            key=field.name,
            name=f"{model.name}.{field.name}",
            location=field.location,
            before=_before("", field.deprecation.names),
            same=field.wire,
            traits={
                "gives": field.annotation,
                "secret": field.secret,
                "absent": (field.annotation, not field.required),
                "wire": (field.wire,),
                **age(field.deprecation, [field.doc]),
            },
        )


def _channel(channel: Channel) -> Symbol:
    return Symbol(
        key=f"channel {channel.accessor}",
        name=channel.class_name,
        called=f".{channel.accessor}()",
        location=channel.location,
        before=_before("channel ", channel.deprecation.names),
        same=channel.topic,
        traits={
            "class": named(channel.class_name, channel.deprecation),
            "argument": channel.param,
            "presence": channel.presence.property if channel.presence else "",
            "wire": (channel.topic,),
            **age(channel.deprecation, [channel.doc, channel.param_doc]),
        },
        parts=(
            *(_callback(event, channel) for event in channel.events),
            *(_push(push, channel) for push in channel.pushes),
        ),
    )


def _callback(event: Event, channel: Channel) -> Symbol:
    return Symbol(
        key=event.callback,
        name=f"{channel.class_name}.{event.callback}()",
        location=event.location,
        where=event.wire,
        before=_before("", event.deprecation.names),
        same=event.wire,
        traits={
            "payload": named(event.class_name, event.deprecation),
            "event": event.wire,
            "replay": event.replay,
            "transient": event.transient,
            **age(event.deprecation, [event.doc]),
        },
    )


def _push(push: Push, channel: Channel) -> Symbol:
    return Symbol(
        key=push.method,
        name=f"{channel.class_name}.{push.method}()",
        location=push.location,
        where=push.wire,
        before=_before("", push.deprecation.names),
        same=push.wire,
        traits={
            "wire": (push.wire,),
            "result": push.result or "None",
            **age(push.deprecation, [push.summary]),
        },
        parts=tuple(parameters(push.params, f"{channel.class_name}.{push.method}")),
    )


def _event(event: Event, channel: Channel) -> Symbol:
    return Symbol(
        key=f"event {event.class_name}",
        name=event.class_name,
        location=event.location,
        before=_before("event ", event.deprecation.classes),
        same=f"{channel.topic} {event.wire}",
        traits={"base": event.base, **age(event.deprecation, [], is_class=True)},
        parts=tuple(_fields(event.model)) if event.model else (),
    )
