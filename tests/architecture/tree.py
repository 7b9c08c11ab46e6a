"""The source tree, as the tests of the architecture see it."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

ROOT: Final = Path(__file__).parents[2]

GENERATED: Final = ("poolse/_generated/", "poolse/testing/factories.py")
"""Written by `make generate`; no rule about form holds there, nor for printed modules."""

PRINTED: Final = "# Printed from "
"""How the first line of a printed module begins."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """The path as it is written in this project: relative, with slashes."""
    return path.relative_to(ROOT).as_posix()


def hand_written(*tops: str) -> list[Path]:
    """Every Python file below these folders that a person wrote, sorted."""
    files = (path for top in tops for path in (ROOT / top).rglob("*.py"))
    return sorted(
        path
        for path in files
        if not name_of(path).startswith(GENERATED)
        and "node_modules" not in path.parts
        and not path.read_text("utf-8").startswith(PRINTED)
    )


def expanded(pattern: str) -> list[str]:
    """`a/{b,c}.py` -> `a/b.py` and `a/c.py`: braces, which pathlib does not know."""
    before, brace, rest = pattern.partition("{")
    if not brace:
        return [pattern]
    choices, _, after = rest.partition("}")
    return [one for choice in choices.split(",") for one in expanded(before + choice + after)]


def core_files() -> list[Path]:
    """Every file that has to be pure: those for which pyproject.toml does not lift the ban."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lint: dict[str, dict[str, list[str]]] = config["tool"]["ruff"]["lint"]
    lifted = [key for key, codes in lint["per-file-ignores"].items() if "TID251" in codes]
    packages = [key.removeprefix("!") for key in lifted if key.startswith("!")]
    shells = {
        path
        for key in lifted
        if not key.startswith("!")
        for pattern in expanded(key)
        for path in ROOT.glob(pattern)
    }
    files = (path for key in packages for one in expanded(key) for path in ROOT.glob(f"{one}/*.py"))
    return sorted(path for path in files if path not in shells)


def module_of(path: Path) -> str:
    """`poolse/_rest/call.py` -> `poolse._rest.call`."""
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is nothing but a string."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def banned_modules() -> list[str]:
    """The modules that a pure module may not import, from the one list: ruff's, in pyproject."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    table = config["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    return sorted(name for name in cast("dict[str, object]", table) if "." not in name)
