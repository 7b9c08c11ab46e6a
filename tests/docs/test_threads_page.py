"""The programs of docs/threads.md print what they promise, each in an interpreter of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT
from tests.docs.code_blocks import python_of

PROGRAMS = [block.code for block in python_of("docs/threads.md", "tests/docs/test_threads_page.py")]

PRINTED = [["20"], ["alice"] * 2, ["cancelled", "nothing was sent"]]


@pytest.mark.parametrize("number", range(3))
def test_it_prints_what_it_promises(number: int) -> None:
    assert len(PROGRAMS) == len(PRINTED)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAMS[number]],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == PRINTED[number]
