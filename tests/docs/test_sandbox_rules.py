"""The table of rules names tests that there are, and leaves out no file of them about REST."""

from __future__ import annotations

import re

from tests.architecture.tree import ROOT

PAGE = (ROOT / "docs/sandbox.md").read_text("utf-8")
NAMED = re.findall(r"\b([a-z_]+)\.([a-z0-9_]+)(?=, | \|$)", PAGE, re.MULTILINE)

RULES = {
    "conversations",
    "listing",
    "members",
    "messages",
    "edit_and_delete",
    "threads",
    "reactions",
}


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith(("| Fact", "| Open"))]
    assert len(rows) > 50
    assert [row for row in rows if not re.search(r"\| [a-z_]+\.[a-z0-9_]+[^|]*\|$", row)] == []


def test_every_test_that_is_named_is_there() -> None:
    tests = ROOT / "tests/sandbox"
    missing = [
        f"{file}.{name}"
        for file, name in NAMED
        if f"def test_{name}(" not in (tests / f"test_sandbox_{file}.py").read_text("utf-8")
    ]
    assert missing == []


def test_no_file_of_rules_is_forgotten() -> None:
    assert {file for file, _ in NAMED} >= RULES
