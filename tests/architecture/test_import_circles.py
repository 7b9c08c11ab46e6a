"""No module imports itself by way of others, neither for types only nor inside a function.

A circle means that two modules cannot be understood, tested or moved one without the other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.architecture.tree import ROOT, module_of

KNOWN: set[frozenset[str]] = {
    frozenset({"poolse._generated.async_follow", "poolse._generated.async_resources"}),
    frozenset({"poolse._generated.follow", "poolse._generated.resources"}),
}
"""Circles that are left. Whoever removes one removes it here; none may be added."""


def imports(module: str, source: str, is_package: bool) -> Iterator[str]:
    """What a module imports, as `package.module.name` or `package.module`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".") if is_package else module.split(".")[:-1]
                base = ".".join([*package[: len(package) - node.level + 1], base]).strip(".")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def graph(sources: Mapping[str, tuple[str, bool]]) -> dict[str, set[str]]:
    """The modules that each module imports, of those that are there."""

    def modules(name: str) -> Iterator[str]:
        if name in sources:
            yield name
        elif name.rpartition(".")[0] in sources:
            yield name.rpartition(".")[0]

    return {
        module: {
            target
            for name in imports(module, source, is_package)
            for target in modules(name)
            if target != module
        }
        for module, (source, is_package) in sources.items()
    }


def circles(edges: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """Modules that reach one another: each set is one circle, or several that touch."""
    reached = {module: reachable(module, edges) for module in edges}
    return {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in edges
        if module in reached[module]
    }


def reachable(module: str, edges: Mapping[str, set[str]]) -> set[str]:
    """What a module imports, directly or by way of others."""
    found: set[str] = set()
    waiting = list(edges[module])
    while waiting:
        target = waiting.pop()
        if target not in found:
            found.add(target)
            waiting.extend(edges[target])
    return found


def tree() -> dict[str, tuple[str, bool]]:
    """Every module of the package and of the generator, generated ones too."""
    paths: list[Path] = [
        path for top in ("poolse", "codegen") for path in (ROOT / top).rglob("*.py")
    ]
    return {module_of(path): (path.read_text("utf-8"), path.stem == "__init__") for path in paths}


def test_there_is_no_circle() -> None:
    assert circles(graph(tree())) == KNOWN


def test_every_import_counts() -> None:
    sources = {
        "p": ("", True),
        "p.a": ("if TYPE_CHECKING:\n    from p.b import B", False),
        "p.b": ("def f():\n    import p.c", False),
        "p.c": ("from . import a, d", False),
        "p.d": ("from p.e import x\nfrom elsewhere import y", False),
        "p.e": ("from p import other", True),
        "p.e.f": ("from ..d import z", False),
    }
    edges = graph(sources)
    assert edges["p.e.f"] == {"p.d"}
    assert edges["p.e"] == {"p"}
    assert circles(edges) == {frozenset({"p.a", "p.b", "p.c"})}
