"""`poolse demo`: what one flavour says, the other reads back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.cli.run_command import Command

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


def test_programs_get_it_line_by_line(command: Command) -> None:
    called = command("demo", "--json", POOLSE_DEMO_NONCE="nonce-4711")
    assert (called.code, called.err) == (0, "")
    told = [json.loads(line) for line in called.out.splitlines()]
    assert ("bob", "reads back “nonce-4711”") in {(each["who"], each["what"]) for each in told}


def test_a_sandbox_greets_programs_in_json(command: Command) -> None:
    with command.process("sandbox", "--json", "--port", "0", "--tls") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert Path(told["ca_file"]).read_text().startswith("-----BEGIN")
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0
    assert told.keys() == {"api_url", "api_key", "ca_file", "users"}
    assert told["users"]["alice"].keys() == {"id", "token"}
