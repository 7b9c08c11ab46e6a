"""Every file of tests in docs/testing.md runs as it stands, and its table names every fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from poolse.testing import FaultControl
from tests.architecture.tree import ROOT
from tests.docs.code_blocks import Block, blocks_of
from tests.testing.test_plugin import run

PAGE = "docs/testing.md"
FILES = [block for block in blocks_of(PAGE) if block.runner]


def test_the_page_has_them() -> None:
    assert [block.name for block in FILES] == [
        "test_greeting.py",
        "test_environment.py",
        "test_async.py",
        "test_time.py",
        "test_handler.py",
    ]


@pytest.mark.parametrize("block", FILES, ids=lambda block: block.name)
def test_it_passes(block: Block, tmp_path: Path) -> None:
    expected = len(re.findall(r"^(?:async )?def test_", block.code, re.MULTILINE))
    assert f"{expected} passed" in run(tmp_path, block.code)


def test_the_table_names_every_fault_and_no_other() -> None:
    text = (ROOT / PAGE).read_text("utf-8")
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)\(", row)}
    faults = {name for name in vars(FaultControl) if not name.startswith("_")}
    assert faults - named == {"clear"}
    assert named <= faults
