"""Histories of an API: a spec as it began, and each change with what is told of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import attrs

from codegen.__main__ import main
from codegen.apidiff.codemod import renames
from codegen.apidiff.compare import compare
from codegen.apidiff.report import Report, release_of
from codegen.build_api import build
from codegen.ir import Api
from codegen.public_names import spec_symbols
from tests.codegen.apply_hunks import apply
from tests.codegen.project_copy import Tree

__all__ = ["History", "Step", "generate", "is_done", "read"]

GENERATED: Final = (
    "poolse/_generated/",
    "poolse/sandbox/asyncapi.json",
    "poolse/sandbox/openapi.json",
    "poolse/testing/factories.py",
    "spec/surface.txt",
)


@attrs.frozen
class Step:
    """A change, and what it means."""

    name: str
    change: str
    said: dict[str, list[str]]
    """By the words in front."""


def read(path: Path) -> Step:
    """Read a change, and what stands above it."""
    head, _, change = path.read_text("utf-8").partition("--- ")
    said: dict[str, list[str]] = {}
    for line in head.splitlines():
        key, _, value = line.partition(": ")
        said.setdefault(key, []).append(value)
    return Step(path.stem, f"--- {change}", said)


class History:
    """The changes of a spec, the first one first.

    Args:
        folder: Where they are, beside `start`, the spec as it began.
    """

    def __init__(self, folder: Path) -> None:
        self.start = folder / "start"
        self.steps = [read(path) for path in sorted(folder.glob("[0-9]*.diff"))]
        self.names = [step.name for step in self.steps]
        self._apis: dict[int, Api] = {}

    def spec_after(self, steps: int, folder: Path) -> Path:
        """Write the spec after so many steps."""
        folder.mkdir(parents=True)
        for name in ("openapi.yaml", "asyncapi.yaml"):
            shutil.copy(self.start / name, folder)
        for step in self.steps[:steps]:
            apply(folder, step.change)
        return folder

    def check(self, number: int, folder: Path) -> None:
        """Compare what is told of a step with what stands above it."""
        step, first = self.steps[number], not number
        before = "1.0.0" if first else self.steps[number - 1].said["version"][0]
        apis = [self._api_after(number + n, folder / f"spec{n}") for n in (0, 1)]
        changes = compare(*map(spec_symbols, apis), is_same=apis[0] == apis[1])
        report = Report(changes=changes, server=apis[1].version, old=release_of(before), now=None)
        told = [f"{c.rule.verdict}: {c.kind}: {c.text}" for c in report.changes]
        assert [*told, *(f"wire: {line}" for line in report.wire)] == step.said["told"]
        moved = [f"{name} -> {now}" for name, now in renames(changes).items()]
        assert moved == step.said.get("moves", [])
        assert [str(report.verdict)] == step.said["verdict"]
        assert [str(report.needed)] == step.said["version"]

    def _api_after(self, steps: int, folder: Path) -> Api:
        if steps not in self._apis:
            self._apis[steps] = build(self.spec_after(steps, folder))
        return self._apis[steps]


def generate(tree: Tree) -> set[str]:
    """Regenerate, without another Python for it, and return what was touched by it.

    Nothing but generated files has to be touched for a change of the spec.
    """
    before = _contents(tree)
    assert main(_where(tree)) == 0
    touched = {path for path, content in _contents(tree).items() if before.get(path) != content}
    assert [path for path in touched if not path.startswith(GENERATED)] == []
    return touched


def is_done(tree: Tree) -> bool:
    """Whether nothing is left to generate."""
    return main(["--check", *_where(tree)]) == 0


def _where(tree: Tree) -> list[str]:
    return ["--spec", str(tree.path / "spec"), "--out", str(tree.path / "poolse" / "_generated")]


def _contents(tree: Tree) -> dict[str, bytes]:
    return {
        str(path.relative_to(tree.path)): path.read_bytes()
        for path in tree.path.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
