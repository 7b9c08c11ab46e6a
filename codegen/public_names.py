"""All public names as one flat list: what the spec says of them, and what the code says.

`make generate` prints it as `spec/surface.txt`; `codegen diff` compares it with that of another
revision. Names, signatures and docstrings are read from the code, generated or written by hand;
what a thing is on the wire, how it behaves and its old names are added from the spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, Final, cast

import attrs

from codegen.ir import NEW, Alias, Api, Channel, Enum, Event, Model, Resource
from codegen.package_symbols import NOWHERE, PACKAGE, Package, Symbol

__all__ = [
    "CLASSES",
    "SURFACE",
    "generated_names",
    "hand_written_names",
    "old_classes",
    "public_symbols",
    "spec_symbols",
    "surface",
]

GENERATED: Final = f"{PACKAGE}._generated"
CLIENTS: Final = {"token": "Poolse", "api_key": "PoolseBackend"}
"""The client of each credential: what resources hang at."""
SURFACE: Final = "surface.txt"
HEADER: Final = (
    "# The public names, one line each. Sync only: `AsyncX` has the names of `X`, and its methods"
    " are awaited; what only it has is listed."
)


@attrs.frozen
class Shape:
    """What becomes of a node of the API.

    A text in braces is a template over the `node`, the `parent` node, the path of its symbol
    (`owner`), its `cls`, the `api` and, of a parameter, its `place` among those by position.
    """

    path: str
    kind: str
    traits: str = ""
    """Each trait, with the attribute that holds it if that has another name, or a template."""
    parts: str = ""
    """The shapes of further nodes, with the attributes that hold them."""
    key: str = ""
    """The attribute that old names replace."""
    same: str = ""
    wire: str = ""


CLASSES: Final = ("class", "event")
OLD_NAME: Final = "old name"
SPECIFIED: Final = ("entry", "field", "union", "value")
UNLISTED: Final = ("credential", "parameter", "service")
"""Kinds without a line of their own."""
ROUTE: Final = "{node.verb} {node.path}"
CALL: Final = "{parent.verb} {parent.path}"
METHOD: Final = "{cls}.{node.method}()"
GIVEN: Final = "takes=annotation; required; place={place}; generate; limits; wire=on_wire; text=doc"
SHAPES: Final = {
    "api": Shape(
        "the service",
        "service",
        "server={node.url} {node.socket}",
        "security; resource=resources; resource=backend_resources; enum=enums; model=models;"
        " reference=references;"
        " request=requests; realtime; accessor=channels; channel=channels; code=codes",
    ),
    "security": Shape(
        "credential {node.credential}", "credential", "scheme={node.scheme} {node.name}; errors"
    ),
    "code": Shape("ApiError.code == {node.name!r}", "code"),
    "enum": Shape(
        "{node.name}", "class", "open; text=doc", "value=members", "name", "{node.members}"
    ),
    "value": Shape("{owner}.{node[0]}", "value", "value={node[1]!r}", same="{node[1]}"),
    "model": Shape(
        "{node.name}", "class", "base; ids; refs; text=doc", "field=fields; lifted", "name"
    ),
    # An event that is a dict of objects has a dict by what they have of their lists.
    "index": Shape("{owner}.by_{node.name}", "attribute", "text=doc"),
    "lifted": Shape("{owner}.{node.name}", "attribute", "gives=type; text=doc"),
    "reference": Shape("{node.name}", "union", same="{node.kind} by reference"),
    "field": Shape(
        "{owner}.{node.name}",
        "field",
        "gives=annotation; sent=required; secret; wire; text={node.doc}{node.limits}",
        key="name",
        same="{node.wire}",
    ),
    "request": Shape("{node.name}", "class", "text=doc", "entry=fields"),
    "entry": Shape("{owner}.{node.name}", "entry", GIVEN, "", "name", "{node.on_wire}"),
    "param": Shape("{call}({node.name}=)", "parameter", GIVEN, "", "name", "{node.on_wire}"),
    "resource": Shape(
        "{node.class_name}",
        "class",
        "row; takes; text=doc",
        "child=children; root; operation=operations",
        "class_name",
        "{node.address}",
    ),
    "child": Shape(
        "{owner}.{node.attribute}",
        "attribute",
        "gives=class_name; text=doc",
        key="attribute",
        same="{node.class_name}",
    ),
    "root": Shape(
        "{client}.{node.attribute}",
        "attribute",
        "gives=class_name; text=doc",
        key="attribute",
        same="{node.class_name}",
    ),
    "operation": Shape(
        "{owner}.{node.name}()",
        "function",
        "gives=result; auth={parent.credential}; idempotency; retry; none_on; errors;"
        f" wire={ROUTE}; text={{node.summary}}{{node.description}}{{node.returns}}{{node.example}}",
        "param=params; pager=paging; upload; download; follow",
        "name",
        f"{ROUTE} {{node.is_single}}",
        ROUTE,
    ),
    "pager": Shape(
        METHOD,
        "function",
        "gives=Iterator[{node.item}]; descending; wire=cursor; text=example",
        "param=parent.params; thread",
        same=f"{CALL} by page",
        wire=CALL,
    ),
    "thread": Shape(
        "{call}(order=, include_replies=)",
        "parameter",
        "text={node.const} of {node.id} as {node.path} if {node.count}",
    ),
    "upload": Shape(
        METHOD,
        "function",
        "gives=result_type; text={node.summary}{node.example}",
        "many",
        same=f"{CALL} sent",
        wire=CALL,
    ),
    "many": Shape(
        METHOD,
        "function",
        "gives=list[{parent.result_type} | Exception]; text={node.summary}{node.example}",
        same="many",
    ),
    "download": Shape(
        METHOD,
        "function",
        "text={node.summary}{node.example}",
        same=f"{CALL} fetched",
        wire=CALL,
    ),
    "follow": Shape(
        METHOD,
        "function",
        "gives=Feed[{node.row}, {node.handle}]; reply; text={node.summary}{node.example}",
        same=f"{CALL} followed",
    ),
    "realtime": Shape("{node}", "class", same="realtime"),
    "channel": Shape(
        "{node.class_name}",
        "class",
        "text=doc",
        "union; callback=events; event=events; push=pushes; presence",
        "class_name",
        "{node.topic}",
    ),
    "accessor": Shape(
        "{api.realtime}.{node.accessor}()",
        "function",
        "gives=class_name; argument=param; takes=param_annotation; wire=topic; text=param_doc",
        key="accessor",
        same="{node.topic}",
        wire="{node.topic}",
    ),
    "union": Shape("{node}", "union", same="{parent.topic}"),
    "callback": Shape(
        "{cls}.{node.callback}()",
        "function",
        "payload=class_name; event=wire; replay; transient; text=doc",
        key="callback",
        same="{node.wire}",
        wire="{node.wire}",
    ),
    "event": Shape(
        "{node.class_name}",
        "event",
        "base; refs",
        "field=fields; index=lifted",
        "class_name",
        "{parent.topic} {node.wire}",
        "{node.wire}",
    ),
    "repeated": Shape("{cls}.{node}()", "function", same="{parent.wire} repeated"),
    "push": Shape(
        METHOD,
        "function",
        "gives=result; answer=is_answered; wire; text={node.summary}{node.returns}{node.every}",
        "param=params; repeated",
        "method",
        "{node.wire}",
        "{node.wire}",
    ),
    "presence": Shape(
        "{cls}.{node.property}",
        "attribute",
        "gives=state.class_name; wire={node.state.wire} {node.diff.wire}",
        same="presence",
    ),
}


def spec_symbols(api: Api) -> Iterator[Symbol]:
    """Yield all that the spec makes public."""
    current = {
        op.const: f"{resource.class_name}.{op.name}()"
        for resource in (*api.resources, *api.backend_resources)
        for op in resource.operations
        if not op.is_former
    }
    scope = SimpleNamespace(node=api, api=api, current=current, cls="", location=NOWHERE)
    yield from _walk("api", scope)


def _walk(name: str, scope: SimpleNamespace) -> Iterator[Symbol]:
    """Yield the symbol of a node, its old names, and the symbols of its parts."""
    shape, node = SHAPES[name], scope.node
    path = shape.path.format_map(vars(scope))
    location = getattr(node, "location", scope.location)
    age = getattr(node, "deprecation", NEW)
    if getattr(node, "is_former", False):
        yield _old_name(path, scope.current[node.const], age.aliases[0])
        return
    traits = {trait: _value(source, scope) for trait, source in _pairs(shape.traits)}
    yield Symbol(
        path=path,
        kind=shape.kind,
        wire=shape.wire.format_map(vars(scope)),
        traits={**traits, "deprecated": age.deprecated, "since": age.since},
        same=_erased(shape.same.format_map(vars(scope))),
        location=location,
    )
    is_class = shape.kind in CLASSES
    for alias in age.classes if is_class else age.names:
        called = attrs.evolve(node, **{shape.key: alias.name})
        yield _old_name(shape.path.format_map({**vars(scope), "node": called}), path, alias)
    for part, source in _pairs(shape.parts):
        within = scope if source.startswith("parent.") else node
        for place, one in enumerate(_nodes(attrgetter(source)(within))):
            below = {
                "node": one,
                "parent": node,
                "owner": path,
                "call": path.removesuffix("()"),
                "location": location,
                "cls": path if is_class else scope.cls,
                "client": CLIENTS.get(getattr(node, "credential", ""), ""),
                "place": place + 1 if getattr(one, "positional", False) else "",
            }
            yield from _walk(part, SimpleNamespace(**{**vars(scope), **below}))


def _nodes(found: object) -> tuple[Any, ...]:
    # Nodes are attrs classes, of which only the templates know the attributes.
    nodes: Any = found
    if isinstance(found, tuple):
        return tuple(nodes)
    return (nodes,) if found else ()


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for one in filter(None, text.split("; ")):
        name, _, source = one.partition("=")
        yield name, source or name


def _value(source: str, scope: SimpleNamespace) -> object:
    """Return a trait: switches and tuples as they are, all else as text."""
    if "{" in source:
        return _erased(source.format_map(vars(scope))).strip()
    found: Any = attrgetter(source)(scope.node)
    value = found() if callable(found) else found
    if isinstance(value, bool | tuple):
        return cast("object", value)
    text = _erased(str(value or "")).removesuffix(" | Unset")
    return text or ("None" if source == "result" else "")


def _erased(text: str) -> str:
    """Return a path without the names of its values, which are never typed."""
    return re.sub(r"\{\w+\}", "{}", text)


def _old_name(path: str, now: str, alias: Alias) -> Symbol:
    traits = {"until": alias.until, "since": alias.since}
    return Symbol(path=path, kind=OLD_NAME, now=now, traits=traits, location=alias.location)


def public_symbols(api: Api, package: Package) -> list[Symbol]:
    """Return all public names: those of the spec first, each with its declaration in the code."""
    spec = {symbol.path: symbol for symbol in spec_symbols(api)}
    # Generated async classes are printed like the sync ones.
    generated = dict(generated_names(api))
    left_out = {
        name for name in generated if name.removeprefix("Async") in generated.keys() - {name}
    }
    found = package.symbols(_public(generated, package), left_out)
    code = {symbol.path: symbol for symbol in found}
    for path, symbol in spec.items():
        if path in code:
            # All that there is to say of these is in the spec.
            known: Iterable[str] = () if symbol.kind in SPECIFIED else code[path].traits
            traits = {**{trait: code[path].traits[trait] for trait in known}, **symbol.traits}
            spec[path] = attrs.evolve(symbol, text=code[path].text, traits=traits)
    old = {path for path, symbol in spec.items() if symbol.now}
    # Factories take what the models have: that is reported of the models.
    beside = (
        symbol
        for symbol in code.values()
        if symbol.owner not in old and not symbol.owner.startswith("testing.factories.")
    )
    return [*spec.values(), *(symbol for symbol in beside if symbol.path not in spec)]


def _public(generated: Mapping[str, str], package: Package) -> dict[str, tuple[str, str]]:
    """Return where each public name is."""
    names = {
        name: (module, name) for name, module in (*generated.items(), *hand_written_names(package))
    }
    places = {package.place(*place) for place in names.values()}
    for module in package.modules("", "testing"):
        for name in package.exports(f"{PACKAGE}.{module}"):
            if package.place(f"{PACKAGE}.{module}", name) not in places:
                names[f"{module.removesuffix('.__init__')}.{name}"] = (f"{PACKAGE}.{module}", name)
    return names


def surface(symbols: Iterable[Symbol]) -> str:
    """Return the list as text."""
    symbols = list(symbols)
    paths = {symbol.path for symbol in symbols}
    lines = {
        line + (f"  # {symbol.wire}" if symbol.wire else "")
        for symbol in symbols
        for line in (symbol.text or symbol.path).splitlines()
        if symbol.kind not in UNLISTED
        and not (symbol.path.startswith("Async") and symbol.path[len("Async") :] in paths)
    }
    return "\n".join([HEADER, *sorted(lines), ""])


def hand_written_names(package: Package) -> list[tuple[str, str]]:
    """Return what `poolse/__init__.py` imports for users, and where it is."""
    origins = package.names(PACKAGE).items()
    return [
        (name, origin[0])
        for name, origin in origins
        if isinstance(origin, tuple)
        and not name.startswith("_")
        and origin[0].startswith(PACKAGE)
        and origin[0] != f"{GENERATED}.public"
        and not package.has(".".join(origin))
    ]


def generated_names(api: Api) -> list[tuple[str, str]]:
    """Return the generated public names, and where they are."""
    events = [*(c.union for c in api.channels), *_classes(api.events)]
    events += [reference.name for reference in api.references]
    channels = [*_classes(api.channels), api.realtime]
    follows = any(op.follow for resource in api.resources for op in resource.operations)
    resources = [*_classes(api.resources), *(("Delivery", "Feed") if follows else ())]
    backend = _classes(api.backend_resources)
    held = {
        "models": [*_classes(api.enums), *_classes(api.models)],
        "requests": [request.name for request in api.requests],
        "resources": resources,
        "async_resources": [f"Async{name}" for name in resources],
        "backend_resources": backend,
        "async_backend_resources": [f"Async{name}" for name in backend],
        "events": events,
        "channels": channels,
        "async_channels": [f"Async{name}" for name in channels],
    }
    return [(name, f"{GENERATED}.{m}") for m, found in held.items() for name in found]


def _classes(things: Iterable[Channel | Enum | Event | Model | Resource]) -> list[str]:
    """Return the names of their classes, with those that they had before."""
    now = [one.name if isinstance(one, Enum | Model) else one.class_name for one in things]
    return now + [alias.name for alias in old_classes(things)]


def old_classes(
    things: Iterable[Channel | Enum | Event | Model | Resource], prefix: str = ""
) -> list[Alias]:
    """Return the old names of classes, those of the async ones with their prefix."""
    return [
        attrs.evolve(alias, name=prefix + alias.name, now=prefix + alias.now)
        for one in things
        for alias in one.deprecation.classes
    ]
