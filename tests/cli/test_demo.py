"""`poolse demo`: what one flavour says, the other reads back."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import httpx

from poolse.cli.app import poolse
from tests.cli.run_command import Command
from tests.cli.terminal import on_terminal, visible

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

    assert [line for line in told if len(line) > 80] == []
    # Each piece of code is shown once, and the end shows commands that exist.
    assert done.stdout.count('messages.send("…")') == 1
    _, _, following = done.stdout.partition("Try next:")
    found = re.findall(r"poolse (\w+)", following)
    assert found == ["sandbox", "conversations", "send", "tail"]
    assert {*found} <= poolse.commands.keys()


def test_a_terminal_without_unicode_gets_ascii(command: Command) -> None:
    with on_terminal(command, "demo", LC_ALL="C") as terminal:
        assert terminal.end() == 0
    assert visible(terminal.raw).isascii(), visible(terminal.raw)
    assert 'says "Look at this!"' in terminal.raw
    assert "8.0/8.0 MB" in terminal.raw
    assert "NONCE" not in command("demo", "--help").out


def test_its_page_can_be_kept_open(command: Command) -> None:
    with command.process("demo", "--keep") as process:
        assert process.stdout is not None
        page = ""
        while "The page stays open" not in (line := process.stdout.readline()):
            assert line
            page = line.partition("in a browser: ")[2].strip() or page
        assert page in line
        assert "poolse sandbox" in httpx.get(page, trust_env=False).text
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (out.strip(), err) == ("", "")
    assert process.returncode == 0


def test_programs_get_it_line_by_line(command: Command) -> None:
    called = command("demo", "--json", POOLSE_DEMO_NONCE="nonce-4711")
    assert (called.code, called.err) == (0, "")
    told = [json.loads(line) for line in called.out.splitlines()]
    assert ("bob", "reads back “nonce-4711”") in {(each["who"], each["what"]) for each in told}
    for code in {each["code"] for each in told}:
        ast.parse(f"async def step():\n{textwrap.indent(code or 'pass', '    ')}")


def test_a_sandbox_greets_programs_in_json(command: Command) -> None:
    with command.process("sandbox", "--json", "--port", "0", "--tls") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert Path(told["ca_file"]).read_text().startswith("-----BEGIN")
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0
    assert told.keys() == {"api_url", "api_key", "ca_file", "users", "environment"}
    assert told["users"]["alice"].keys() == {"id", "token"}
