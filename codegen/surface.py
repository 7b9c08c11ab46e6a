"""The public names, one line each, read from the generated code."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from codegen.ir import Api, Resource

__all__ = [
    "SURFACE",
    "surface",
]

SURFACE: Final = "surface.txt"

FILES: Final = (
    "models.py",
    "requests.py",
    "resources.py",
    "backend_resources.py",
    "events.py",
    "channels.py",
)
"""The sync ones: the async ones have the same names."""

HEADER: Final = (
    "# The public surface: one line a symbol. Only sync: each class with methods has an async twin,"
    " `Async...`, whose methods are awaited. Resources are what hangs at the client."
)


def surface(api: Api, texts: Mapping[str, str]) -> str:
    """Return the lines, sorted.

    Args:
        api: What the texts were made of.
        texts: Generated files, by name.
    """
    lines = {line for name in FILES for line in _in_module(ast.parse(texts[name]))}
    lines |= set(_attributes(api))
    lines |= {f"ApiError.code == {code.name!r}" for code in api.codes}
    lines |= {
        f"{channel.union}[{event.wire!r}]: {event.class_name}"
        for channel in api.channels
        for event in channel.events
    }
    return "\n".join([HEADER, *sorted(lines), ""])


def _attributes(api: Api) -> Iterator[str]:
    """Yield attributes that a constructor sets."""
    for container, resources in (
        ("Resources", api.resources),
        ("BackendResources", api.backend_resources),
    ):
        for resource in resources:
            if resource.is_root:
                yield f"{container}.{resource.attribute}: {resource.class_name}"
            yield from _of_resource(resource)


def _of_resource(resource: Resource) -> Iterator[str]:
    for child in resource.children:
        yield f"{resource.class_name}.{child.attribute}: {child.class_name}"
    if resource.binds:
        yield f"{resource.class_name}.id: str"
    if resource.row:
        yield f"{resource.class_name}.row: {resource.row} | None"


def _in_module(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            yield f"{node.name}({', '.join(map(ast.unparse, [*node.bases, *node.keywords]))})"
            yield from _in_class(node)
        elif isinstance(node, ast.If):
            # Deprecation names of classes, as type checkers see them.
            yield from _in_module(ast.Module(node.body, []))
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
            yield f"{ast.unparse(node.target)} = {ast.unparse(node.value or node.target)}"


def _in_class(owner: ast.ClassDef) -> Iterator[str]:
    overloaded = {
        node.name for node in _methods(owner) if "overload" in map(ast.unparse, node.decorator_list)
    }
    for node in _methods(owner):
        decorators = [ast.unparse(one) for one in node.decorator_list]
        if node.name.startswith("_") or (node.name in overloaded and "overload" not in decorators):
            continue
        arguments = "" if "property" in decorators else f"({ast.unparse(node.args)})"
        arrow = " -> " if arguments else ": "
        notices = "".join(f"  # {one}" for one in decorators if one.startswith("deprecated"))
        result = ast.unparse(node.returns or owner)
        yield f"{owner.name}.{node.name}{arguments}{arrow}{result}{notices}"
    for field in owner.body:
        if isinstance(field, ast.AnnAssign | ast.Assign):
            text = ast.unparse(field)
            if not text.startswith("_"):
                yield f"{owner.name}.{text}"


def _methods(owner: ast.ClassDef) -> list[ast.FunctionDef]:
    return [node for node in owner.body if isinstance(node, ast.FunctionDef)]
