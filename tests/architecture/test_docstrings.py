"""Every public name has a docstring.

Public are the names in `__all__` of `poolse` and of each of its modules whose dotted name has no
underscore, and what a user can reach on them: methods, properties. The sandbox and the command line
are left out: they are used from outside, not imported.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from itertools import pairwise
from types import ModuleType

import pytest

from tests.architecture.tree import ROOT, is_docstring, module_of

LEFT_OUT = ("poolse.sandbox.", "poolse.cli.")


def public_modules() -> list[str]:
    """Modules that a user may import from."""
    names = (module_of(path) for path in (ROOT / "poolse").rglob("*.py"))
    return sorted(
        name for name in names if "._" not in name and not f"{name}.".startswith(LEFT_OUT)
    )


def documented_constants(source: str) -> set[str]:
    """Names that are assigned at the top of a file with a string right below."""
    body = ast.parse(source).body
    found: set[str] = set()
    for node, below in pairwise(body):
        if not is_docstring(below):
            continue
        if isinstance(node, ast.AnnAssign):
            found.add(ast.unparse(node.target))
        elif isinstance(node, ast.Assign):
            found.update(ast.unparse(target) for target in node.targets)
    return found


def members(owner: type) -> Iterator[tuple[str, object]]:
    """What a class itself defines for its users."""
    for name, value in vars(owner).items():
        if name.startswith("_"):
            continue
        if inspect.isfunction(value) or isinstance(value, property | classmethod | staticmethod):
            yield name, value


def undocumented(module: ModuleType, name: str) -> Iterator[str]:
    """The name, and what is reachable on it, where there is no docstring."""
    value: object = getattr(module, name)
    home = inspect.getmodule(value)
    if not (inspect.isclass(value) or inspect.isfunction(value)) or home is None:
        return
    # Not `inspect.getdoc`, which would take the docstring of a base class.
    if not value.__doc__:
        yield name
    if inspect.isclass(value):
        for member, what in members(value):
            if not inspect.getdoc(getattr(value, member, what)):
                yield f"{name}.{member}"


def constants(module: ModuleType) -> set[str]:
    """Public names of a module that are neither class nor function nor module, defined there."""
    assigned = {
        ast.unparse(target)
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in ([node.target] if isinstance(node, ast.AnnAssign) else node.targets)
    }
    return assigned & set(getattr(module, "__all__", ()))


@pytest.mark.parametrize("module_name", public_modules())
def test_every_public_name_has_a_docstring(module_name: str) -> None:
    module = importlib.import_module(module_name)
    names: list[str] = list(getattr(module, "__all__", ()))
    missing = [found for name in names for found in undocumented(module, name)]
    missing += sorted(constants(module) - documented_constants(inspect.getsource(module)))
    assert missing == []
