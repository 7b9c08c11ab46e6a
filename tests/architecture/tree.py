"""The source tree as the laws of the house see it."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

ROOT: Final = Path(__file__).parents[2]

GENERATED: Final = ("poolse/_generated/", "poolse/testing/factories.py")
"""Written by `make generate`; no law about form holds there."""

BRAIN: Final = ("poolse/_core", "poolse/_network", "poolse/_realtime", "poolse/_follow")
"""The rooms that hold pure code."""

BODIES: Final = ("sync*.py", "aio*.py", "async*.py", "trust.py")
"""What is not pure in the brain's rooms."""

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
        if not name_of(path).startswith(GENERATED) and "node_modules" not in path.parts
    )


def is_body(path: Path) -> bool:
    """Whether a file in one of the brain's rooms is hands, not brain."""
    return path.parent.name != "_core" and any(path.match(pattern) for pattern in BODIES)


def brain_files() -> list[Path]:
    """Every file that has to be pure."""
    files = (path for room in BRAIN for path in (ROOT / room).rglob("*.py"))
    return sorted(path for path in files if not is_body(path))


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
    """The modules that law 1 keeps out of the brain, from the one list: ruff's, in pyproject."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    table = config["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    return sorted(name for name in cast("dict[str, object]", table) if "." not in name)
