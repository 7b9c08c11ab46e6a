"""Names that the generated code cannot have, found in the code itself.

Nothing is listed here: a name is taken when something else in its scope has it, when a base class
has it, when it is public elsewhere in the package, or when the code around it uses it for something
else.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from codegen.imports import HOLDERS, MODULES
from codegen.ir import Api, Channel, Enum, Event, Field, Model, Operation, Push, Resource
from codegen.naming import is_usable
from codegen.yaml_source import Diagnostics, Location

__all__ = ["check_names", "check_scopes"]

PACKAGE: Final = Path(__file__).parent.parent / "poolse"
CLIENTS: Final = ("AsyncPoolse", "AsyncPoolseBackend")
"""Classes that have resources beside names of their own."""

Scope = tuple[str, ...]
"""A class; a class and its attribute; a class, its method and a parameter."""

Declared = Channel | Enum | Event | Field | Model | Push | Resource

Places = dict[Scope, list[Location]]
"""Where the spec has what is called so."""


def check_names(api: Api, diagnostics: Diagnostics) -> None:
    """Report names that cannot be names in Python."""
    for scope, location in _places(api):
        if not is_usable(scope[-1]) or scope[-1].startswith("_"):
            diagnostics.add(location, f"{scope[-1]!r} cannot be a name in Python")


def check_scopes(
    api: Api, texts: Iterable[str], public: Iterable[str], diagnostics: Diagnostics
) -> None:
    """Report names that are taken already.

    Args:
        api: What the texts were made of.
        texts: Generated modules.
        public: Names of the package that are written by hand.
        diagnostics: Where to report them.
    """
    places: Places = {}
    for scope, location in _places(api):
        places.setdefault(scope, []).append(location)
    taken = {*HOLDERS, *MODULES, *public}
    for text in texts:
        tree = ast.parse(text)
        used = _used_in_functions(tree)
        for node in tree.body:
            # Old names of classes, as type checkers see them.
            for one in node.body if isinstance(node, ast.If) else ():
                if isinstance(one, ast.AnnAssign):
                    _take((ast.unparse(one.target),), taken, places, diagnostics)
            if isinstance(node, ast.ClassDef):
                _take((node.name,), taken, places, diagnostics)
                _check_class(node, used, places, diagnostics)


def _take(scope: Scope, taken: set[str], places: Places, diagnostics: Diagnostics) -> None:
    """Take a name in a scope, or report that something else has it."""
    locations = [*places.get(scope, ())]
    if scope[-1] in taken and locations:
        by = f"already (at {locations[0]})" if len(locations) > 1 else "by the library"
        diagnostics.add(locations[-1], f"{scope[-1]!r}: taken {by}")
    taken.add(scope[-1])


def _check_class(
    owner: ast.ClassDef,
    used: set[str],
    places: Places,
    diagnostics: Diagnostics,
) -> None:
    clients = [name for name in CLIENTS if owner.name == f"Async{_container(name)}"]
    taken = {name for base in (*_bases(owner), *clients) for name in attributes_of(base)}
    loaded = _loaded_in_body(owner)
    for name, node in _bound_in(owner):
        if name.startswith("_"):
            continue
        scope = (owner.name.removeprefix("Async"), name)
        scope = scope if scope in places else (owner.name, name)
        _take(scope, taken, places, diagnostics)
        for location in places.get(scope, ()) if name in loaded else ():
            diagnostics.add(location, f"{name!r}: the generated class uses this name already")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            _check_function(node, scope, used, places, diagnostics)


def _container(client: str) -> str:
    return "BackendResources" if client.endswith("Backend") else "Resources"


def _check_function(
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    scope: Scope,
    used: set[str],
    places: Places,
    diagnostics: Diagnostics,
) -> None:
    names: set[str] = set()
    for argument in (*node.args.args, *node.args.kwonlyargs):
        name = argument.arg
        for location in places.get((*scope, name), ()) if name in (*names, *used) else ():
            diagnostics.add(location, f"{name!r}: the generated method uses this name already")
        names.add(name)


def _bound_in(owner: ast.ClassDef) -> Iterator[tuple[str, ast.stmt]]:
    """Yield what a class body defines; of overloads, the implementation."""
    for node in owner.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if "overload" not in map(ast.unparse, node.decorator_list):
                yield node.name, node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node


def _loaded_in_body(owner: ast.ClassDef) -> set[str]:
    """Return the names that are looked up in the body of a class, annotations included."""
    parts: list[ast.AST | None] = []
    for node in owner.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = (*node.args.args, *node.args.kwonlyargs)
            parts += [*node.decorator_list, node.returns, *(a.annotation for a in arguments)]
            parts += [*node.args.defaults, *node.args.kw_defaults]
        elif isinstance(node, ast.AnnAssign):
            parts += [node.annotation, node.value]
        elif isinstance(node, ast.Assign):
            parts.append(node.value)
    nodes = [inner for part in parts if part is not None for inner in ast.walk(part)]
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def _used_in_functions(tree: ast.Module) -> set[str]:
    """Return the names that bodies of functions look up outside of these functions."""
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = {a.arg for a in (*node.args.args, *node.args.kwonlyargs)} - {"self"}
            names = [n for part in node.body for n in ast.walk(part) if isinstance(n, ast.Name)]
            stored = {n.id for n in names if isinstance(n.ctx, ast.Store)}
            used |= {n.id for n in names} - arguments - stored
    return used


@cache
def attributes_of(name: str) -> frozenset[str]:
    """Return the attributes of a class that is written by hand, with those of its bases."""
    declared = re.compile(rf"^class {re.escape(name)}\b", re.MULTILINE)
    text = next(filter(declared.search, _modules()), "")
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            own = {bound for bound, _ in _bound_in(node)}
            return frozenset(own.union(*map(attributes_of, _bases(node))))
    return frozenset()


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases]


@cache
def _modules() -> list[str]:
    """The texts of all modules of the package that are written by hand."""
    paths = (path for path in PACKAGE.rglob("*.py") if path.parent.name != "_generated")
    return [path.read_text("utf-8") for path in sorted(paths)]


def _places(api: Api) -> Iterator[tuple[Scope, Location]]:
    """Yield what the spec names, and where."""
    for model in api.models:
        yield from _class(model.name, model)
        yield from _fields(model.name, model.fields)
        yield from (((model.name, one.name), one.location) for one in model.lifted)
    for reference in api.references:
        yield (reference.name,), api.models[0].location
    for enum in api.enums:
        yield from _class(enum.name, enum)
        for name, _ in enum.members:
            yield (enum.name, name), enum.location
    for request in api.requests:
        yield (request.name,), request.location
        for field in request.fields:
            yield (request.name, field.name), field.location
    resources = (*api.resources, *api.backend_resources)
    for resource in resources:
        yield from _twins(resource.class_name, resource)
        for op in resource.operations:
            yield from _method(resource.class_name, op)
        if resource.is_root:
            container = "Resources" if resource.credential == "token" else "BackendResources"
            yield from _called(container, resource.attribute, resource)
        for child in resource.children:
            declared = next(one for one in resources if one.class_name == child.class_name)
            yield from _called(resource.class_name, child.attribute, declared)
    for channel in api.channels:
        yield from _twins(channel.class_name, channel)
        yield (channel.union,), channel.location
        yield from _called(api.realtime, channel.accessor, channel)
        if channel.presence:
            yield (channel.class_name, channel.presence.property), channel.location
        for event in channel.events:
            yield from _class(event.class_name, event)
            yield from _called(channel.class_name, event.callback, event)
            yield from _fields(event.class_name, event.model.fields if event.model else ())
        for push in channel.pushes:
            if push.repeated:
                yield (channel.class_name, push.repeated), push.location
            for scope, location in _called(channel.class_name, push.method, push):
                yield scope, location
                yield from (((*scope, param.name), param.location) for param in push.params)


def _class(name: str, declared: Declared) -> Iterator[tuple[Scope, Location]]:
    yield (name,), declared.location
    yield from (((alias.name,), alias.location) for alias in declared.deprecation.classes)


def _twins(name: str, declared: Declared) -> Iterator[tuple[Scope, Location]]:
    for (each,), location in _class(name, declared):
        yield from (((f"{prefix}{each}",), location) for prefix in ("", "Async"))


def _called(owner: str, name: str, declared: Declared) -> Iterator[tuple[Scope, Location]]:
    yield (owner, name), declared.location
    yield from (((owner, alias.name), alias.location) for alias in declared.deprecation.names)


def _fields(owner: str, fields: Iterable[Field]) -> Iterator[tuple[Scope, Location]]:
    for field in fields:
        yield from _called(owner, field.name, field)


def _method(owner: str, op: Operation) -> Iterator[tuple[Scope, Location]]:
    parts = (op.paging, op.upload, op.upload.many if op.upload else None, op.download, op.follow)
    for name in (op.name, *(part.method for part in parts if part)):
        yield (owner, name), op.location
        yield from (((owner, name, param.name), param.location) for param in op.params)
