"""README.md lists what a feed promises; each promise names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from tests.realtime.test_realtime_readme import names_in

HERE = Path(__file__).parent
TEXT = (HERE / "README.md").read_text("utf-8")


def test_every_property_is_there_and_names_tests_that_exist() -> None:
    lines = re.findall(r"^- P(\d+)\. (.*)$", TEXT, re.MULTILINE)
    assert [int(number) for number, _ in lines] == list(range(1, 15))
    for _, line in lines:
        named = re.findall(r"(test_\w+\.py)::(\w+)", line)
        assert named, line
        for file, name in named:
            assert name in names_in(HERE / file), f"{file}::{name}"
