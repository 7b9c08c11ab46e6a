"""The help is short, has an example of each command, and comes soon."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from poolse.cli.app import poolse
from tests.cli.run_command import ROOT, Command

GROUPS = {name: each for name, each in poolse.commands.items() if isinstance(each, click.Group)}
COMMANDS = [
    *(name for name in poolse.commands if name not in GROUPS),
    *(f"{name} {each}" for name, group in GROUPS.items() for each in group.commands),
]


def test_all_commands_are_there() -> None:
    assert [*poolse.commands] == [
        *("sandbox", "demo", "token", "whoami", "doctor", "conversations", "members"),
        *("send", "tail", "listen", "upload", "export", "completion"),
    ]
    assert [*GROUPS["conversations"].commands] == ["list", "create"]
    assert [*GROUPS["members"].commands] == ["list", "add", "remove"]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_has_an_example_and_speaks_json(command: Command, name: str) -> None:
    called = command(*name.split(), "--help")
    assert (called.code, called.err) == (0, "")
    assert "Example: " in called.out
    assert f"poolse {name}" in called.out.partition("Example: ")[2]
    assert "--json" in called.out
    assert max(map(len, called.out.splitlines())) <= 80


@pytest.mark.parametrize("arguments", [["-h"], []])
def test_the_whole_is_one_screen(command: Command, arguments: list[str]) -> None:
    called = command(*arguments)
    assert (called.code, called.err) == (0, "")
    assert called.out.count("\n") <= 27
    assert max(map(len, called.out.splitlines())) <= 80
    for name in poolse.commands:
        assert f"\n  {name}" in called.out


@pytest.mark.parametrize("name", [*GROUPS])
def test_a_group_alone_shows_its_help(command: Command, name: str) -> None:
    called = command(name)
    assert (called.code, called.err) == (0, "")
    assert called.out == command(name, "--help").out
    assert "Example: " in called.out


@pytest.mark.parametrize("arguments", [["tial"], ["members", "lsit"], ["--nope"], ["send"]])
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
