"""Every Python block of docs/threads.md runs as it stands, each in an interpreter of its own."""

from __future__ import annotations

import re

import pytest

from tests.docs.test_readme import run
from tests.house.tree import ROOT

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/threads.md").read_text(), re.DOTALL)

PRINTED = [["20"], ["alice"] * 2, ["cancelled", "nothing was sent"]]

# The page says that asyncio complains of these.
LEFT_OPEN = ("-W", "ignore:unclosed transport:ResourceWarning")


@pytest.mark.parametrize("number", range(3))
def test_block_prints_what_it_promises(number: int) -> None:
    assert len(BLOCKS) == len(PRINTED)
    assert run(BLOCKS[number], *LEFT_OPEN).splitlines() == PRINTED[number]
