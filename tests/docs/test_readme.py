"""Every Python block of the README runs as it stands, each in an interpreter of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

# What a block takes for granted of the reader's own program.
GIVEN = {"my_server": "import types; my_server = types.SimpleNamespace(chat_token=str)\n"}


def run(block: str, *options: str) -> str:
    given = "".join(code for name, code in GIVEN.items() if name in block)
    done = subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", given + block],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_block_runs(block: str) -> None:
    run(block)


def test_the_quick_starts_print_what_they_promise() -> None:
    script, service = BLOCKS[0], BLOCKS[1]
    assert "Poolse(" in script
    assert "AsyncPoolse(" in service
    lines = run(script).splitlines()
    assert lines[-1] == "1 Hello from alice"
    assert "live: MessageNew" in lines
    assert run(service).splitlines() == ["live: Hello", "1 Hello"]
