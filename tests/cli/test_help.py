"""The help is short, has an example of each command, and comes soon."""

from __future__ import annotations

import subprocess
import sys

import pytest

from poolse.cli.app import poolse
from tests.cli.run_command import ROOT, Command

COMMANDS = [*poolse.commands]


def test_all_commands_are_there() -> None:
    wanted = ["sandbox", "demo", "token", "send", "tail", "listen", "upload", "export"]
    assert wanted == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_each_has_an_example_and_speaks_json(command: Command, name: str) -> None:
    called = command(name, "--help")
    assert (called.code, called.err) == (0, "")
    assert "Example: " in called.out
    assert f"poolse {name}" in called.out.partition("Example: ")[2]
    assert "--json" in called.out
    assert max(map(len, called.out.splitlines())) <= 80


def test_the_whole_is_one_screen(command: Command) -> None:
    called = command("-h")
    assert called.code == 0
    assert called.out.count("\n") <= 24
    for name in COMMANDS:
        assert f"\n  {name}" in called.out


@pytest.mark.parametrize("arguments", [[], ["tial"], ["--nope"], ["send"]])
def test_what_is_wrong_and_where_to_look(command: Command, arguments: list[str]) -> None:
    called = command(*arguments)
    assert (called.code, called.out) == (2, "")
    first, second, third = called.err.splitlines()
    assert first.startswith("poolse: ")
    assert second.startswith("usage: poolse")
    assert third.endswith("--help` shows the options")


HEAVY = ("aiohttp", "asyncio", "cattrs", "httpx", "orjson", "rich", "sqlite3", "poolse.client")


def test_it_comes_without_what_takes_long_to_load() -> None:
    code = (
        "import sys; from poolse.cli import main; main(['--help']); "
        f"print(sorted({{*sys.modules}} & {{*{HEAVY!r}}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
