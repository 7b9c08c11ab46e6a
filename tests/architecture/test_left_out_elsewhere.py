"""What is left out on other systems exists; a list that is out of date would hide tests."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.architecture.tree import ROOT, functions
from tests.left_out_elsewhere import LEFT_OUT, REASON
from tests.skip_gate import unexpected


@pytest.mark.parametrize("system", LEFT_OUT)
def test_what_is_left_out_exists(system: str) -> None:
    for entry in LEFT_OUT[system]:
        name, _, test = entry.partition("::")
        tree = ast.parse((ROOT / name).read_text("utf-8"))
        assert not test or test in {function.name for function in functions(tree)}, entry


def test_on_linux_nothing_is_left_out() -> None:
    assert "linux" not in LEFT_OUT


def test_a_skip_for_the_system_is_agreed_on() -> None:
    skipped = {"a.py::test_one": f"{REASON}signals", "a.py::test_two": f"not {REASON}signals"}
    expected = {"a.py::test_two"} if sys.platform in LEFT_OUT else set(skipped)
    assert unexpected(skipped, set()).keys() == expected
