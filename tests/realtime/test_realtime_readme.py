"""README.md lists what realtime promises; each promise names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
TEXT = (HERE / "README.md").read_text("utf-8")

STRUCK = {11, 45}
"""Requirements of things that this wire does not have."""


def names_in(path: Path) -> set[str]:
    """Names of the tests in a file, and of the test cases that hypothesis makes."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        match node:
            case ast.FunctionDef(name=name):
                found.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case _:
                pass
    return {name for name in found if name.lower().startswith("test")}


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"(test_\w+\.py)::(\w+)", TEXT)
    assert len(named) > 100
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (HERE / file).exists() or name not in names_in(HERE / file)
    ]
    assert missing == []
    for path in re.findall(r"\.\./\S+\.py", TEXT):
        assert (HERE / path).exists(), path


def test_every_requirement_is_there_and_names_a_test() -> None:
    lines = re.findall(r"^(\d+)\. (.*)$", TEXT, re.MULTILINE)
    assert {int(number) for number, _ in lines} == set(range(1, 45)) - STRUCK
    assert [number for number, line in lines if ".py::test_" not in line] == []
