"""The list of demands in tests/README.md names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.house.tree import ROOT, functions

NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def demands() -> dict[str, list[tuple[str, str]]]:
    """The tests of each demand."""
    _, _, text = (ROOT / "tests/README.md").read_text("utf-8").partition("## What others")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| ")]
    return {demand.strip(): NAMED.findall(tests) for demand, tests in rows[2:]}


@cache
def named_in(name: str) -> set[str]:
    path = ROOT / "tests" / name
    if not path.is_file():
        return set()
    return {function.name for function in functions(ast.parse(path.read_text("utf-8")))}


def test_there_are_thirty() -> None:
    assert len(demands()) == 30


@pytest.mark.parametrize("demand", demands())
def test_each_demand_has_tests_that_exist(demand: str) -> None:
    named = demands()[demand]
    assert named
    assert [f"{file}::{test}" for file, test in named if test not in named_in(file)] == []
