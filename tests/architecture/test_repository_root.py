"""The first thing that a visitor sees is short."""

from __future__ import annotations

from tests.architecture.tree import ROOT

ALLOWED = {
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "codegen",
    "docs",
    "poolse",
    "pyproject.toml",
    "spec",
    "tests",
}

MADE = {"__pycache__", "build", "dist"}
"""What tools put there; git ignores it."""


def test_the_top_of_the_repository_holds_nothing_else() -> None:
    found = {entry.name for entry in ROOT.iterdir() if not entry.name.startswith(".")}
    found = {name for name in found if not name.endswith(".egg-info")}
    assert found - ALLOWED - MADE == set()
