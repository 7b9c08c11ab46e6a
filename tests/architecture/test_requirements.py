"""The two lists in tests/README.md, of requirements and of faults, name tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.architecture.tree import ROOT, functions

NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")

FAULTS = {str(number) for number in [*range(1, 52), *range(53, 57), *range(61, 72)]} | {
    "18a",
    "18b",
}
"""The numbers of all faults of release 0.1.0, except those of the generator and of the site."""


def table(heading: str) -> list[list[str]]:
    """The rows of the table below a heading, without its head."""
    _, _, text = (ROOT / "tests/README.md").read_text("utf-8").partition(f"## {heading}\n")
    text = text.partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows[2:]]


def requirements() -> dict[str, str]:
    """The tests of each requirement."""
    return dict(table("Requirements"))


def faults() -> dict[str, str]:
    """The tests of each fault, by its number."""
    return {number: tests for number, _, tests in table("Faults found in use")}


@cache
def named_in(name: str) -> set[str]:
    path = ROOT / "tests" / name
    if not path.is_file():
        return set()
    return {function.name for function in functions(ast.parse(path.read_text("utf-8")))}


def missing(cell: str) -> list[str]:
    """Tests of a cell that do not exist."""
    return [f"{file}::{test}" for file, test in NAMED.findall(cell) if test not in named_in(file)]


def test_there_are_thirty() -> None:
    assert len(requirements()) == 30


@pytest.mark.parametrize("requirement", requirements())
def test_each_requirement_has_tests_that_exist(requirement: str) -> None:
    cell = requirements()[requirement]
    assert NAMED.search(cell)
    assert missing(cell) == []


def test_all_faults_are_listed() -> None:
    assert set(faults()) == FAULTS


@pytest.mark.parametrize("number", faults())
def test_each_fault_has_tests_that_exist_or_a_reason(number: str) -> None:
    cell = faults()[number]
    assert NAMED.search(cell) or cell.startswith("not a fault: ")
    assert missing(cell) == []
