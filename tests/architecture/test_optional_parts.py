"""The library works without its optional parts: sandbox, command line and test helpers.

`make check` reads the source (the contracts in pyproject.toml). These tests do the same at run
time: the library works where its optional parts and their dependencies do not exist.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT, name_of

OPTIONAL = ("poolse/sandbox/", "poolse/cli/", "poolse/testing/")

ONLY_OPTIONAL = (
    "starlette",
    "uvicorn",
    "click",
    "jwt",
    "cryptography",
    "trustme",
    "jsonschema",
    "rich",
    "sqlite3",
)


def imported(source: str, package: str) -> Iterator[str]:
    """The full names of all modules that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: -node.level + 1 or None] if node.level else []
            base = ".".join([*parents, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imports_of(path: Path) -> set[str]:
    """The full names of all modules that a file of the tree imports."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    return set(imported(path.read_text("utf-8"), package))


def test_the_sandbox_imports_nothing_of_the_library() -> None:
    for path in sorted((ROOT / "poolse/sandbox").rglob("*.py")):
        ours = {name for name in imports_of(path) if name.partition(".")[0] == "poolse"}
        foreign = {name for name in ours if not f"{name}.".startswith("poolse.sandbox.")}
        assert foreign == set(), name_of(path)


def test_the_library_does_not_import_its_optional_parts() -> None:
    for path in sorted((ROOT / "poolse").rglob("*.py")):
        if name_of(path).startswith(OPTIONAL):
            continue
        names = {f"{name}." for name in imports_of(path)}
        optional = ("poolse.sandbox.", "poolse.cli.", "poolse.testing.")
        assert {name for name in names if name.startswith(optional)} == set(), name_of(path)


LIBRARY_ALONE = f"""
import sys
for name in {ONLY_OPTIONAL!r}:
    sys.modules[name] = None
import poolse
for name in poolse.__all__:
    getattr(poolse, name)
optional = ("poolse.sandbox.", "poolse.cli.", "poolse.testing.")
print(sorted(name for name in sys.modules if f"{{name}}.".startswith(optional)))
"""


def test_the_library_works_without_what_only_optional_parts_need() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIBRARY_ALONE],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


def test_relative_imports_are_seen() -> None:
    source = "from . import a\nfrom .b import c\nfrom .. import _core\ndef f():\n  import poolse.x"
    assert set(imported(source, "poolse.sandbox")) >= {
        "poolse.sandbox.a",
        "poolse.sandbox.b.c",
        "poolse._core",
        "poolse.x",
    }
