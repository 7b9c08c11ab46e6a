"""`poolse demo`: what one flavour says, the other reads back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_connection_is_lost_and_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "poolse.cli", "demo"],
        cwd=ROOT,
        env={**os.environ, "POOLSE_DEMO_NONCE": "nonce-4711"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = done.stdout.splitlines()
    for who, what in (
        ("alice sync", "uploads picture.png, 8,000,000 bytes"),
        ("bob   async", "hears “Look at this!”"),
        ("alice sync", "says “nonce-4711”"),
        ("bob   async", "hears “nonce-4711”"),
        ("bob   async", "reads back “nonce-4711”"),
        ("bob   async", "is reconnecting"),
        ("alice sync", "sees that bob is gone"),
        ("bob   async", "reads back “and this.”"),
    ):
        assert any(who in line and what in line for line in told), f"{who} {what}\n{done.stdout}"
