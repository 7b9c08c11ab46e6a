"""Law 4: the sandbox, the command line and the test helpers are guests of the library.

`make check` sees what the source says (the contracts in pyproject.toml). Here the same is seen at
run time: the library works where its guests and their dependencies do not exist.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT, name_of

GUESTS = ("poolse/sandbox/", "poolse/cli/", "poolse/testing/")

ONLY_GUESTS_HAVE = (
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


def test_the_sandbox_reads_the_wire_on_its_own() -> None:
    for path in sorted((ROOT / "poolse/sandbox").rglob("*.py")):
        ours = {name for name in imports_of(path) if name.partition(".")[0] == "poolse"}
        strangers = {name for name in ours if not f"{name}.".startswith("poolse.sandbox.")}
        assert strangers == set(), name_of(path)


def test_the_library_does_not_know_its_guests() -> None:
    for path in sorted((ROOT / "poolse").rglob("*.py")):
        if name_of(path).startswith(GUESTS):
            continue
        names = {f"{name}." for name in imports_of(path)}
        guests = ("poolse.sandbox.", "poolse.cli.", "poolse.testing.")
        assert {name for name in names if name.startswith(guests)} == set(), name_of(path)


LIBRARY_ALONE = f"""
import sys
for name in {ONLY_GUESTS_HAVE!r}:
    sys.modules[name] = None
import poolse
for name in poolse.__all__:
    getattr(poolse, name)
guests = ("poolse.sandbox.", "poolse.cli.", "poolse.testing.")
print(sorted(name for name in sys.modules if f"{{name}}.".startswith(guests)))
"""


def test_the_library_works_without_what_only_its_guests_need() -> None:
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
