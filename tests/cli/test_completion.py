"""Shells complete commands, options and conversations."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.cli.run_command import COMMAND, ROOT, Command


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(command: Command, shell: str) -> None:
    called = command("completion", shell)
    assert called.code == 0
    assert f"_POOLSE_COMPLETE={shell}_complete" in called.out
    assert command("completion", shell, "--json").json["script"].strip() == called.out.strip()
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=called.out, text=True, check=True)


def completed(command: Command, words: str, **environ: str) -> list[str]:
    """What the shell offers after these words."""
    done = subprocess.run(
        COMMAND,
        env={
            **command.environ(**environ),
            "PYTHONPATH": str(ROOT),
            "_POOLSE_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.split()]


def test_commands_and_options_are_completed(command: Command) -> None:
    assert completed(command, "poolse me") == ["members"]
    assert completed(command, "poolse members ") == ["list", "add", "remove"]
    assert "--checkpoint" in completed(command, "poolse tail --ch")


def test_conversations_are_completed(command: Command) -> None:
    assert completed(command, "poolse tail ") == [command.conversation]
    assert completed(command, "poolse members list ") == [command.conversation]
    assert completed(command, "poolse send zzz") == []


def test_without_a_backend_nothing_is_completed_and_nothing_is_said(command: Command) -> None:
    assert completed(command, "poolse tail ", POOLSE_API_URL="http://127.0.0.1:9") == []
    assert completed(command, "poolse tail ", POOLSE_TOKEN="") == []


def test_members_are_completed(command: Command) -> None:
    line = f"poolse members remove {command.conversation} "
    assert completed(command, line) == ["alice", "bob"]
    assert completed(command, f"{line}b") == ["bob"]
    # A shell does not expand variables in what it completes.
    assert completed(command, "poolse members remove $CONV b", CONV=command.conversation) == ["bob"]
    assert completed(command, "poolse members remove $CONV a") == ["alice"]


def test_a_conversation_without_a_name_shows_the_others(command: Command) -> None:
    command("conversations", "create", "bob", "--direct")
    done = subprocess.run(
        COMMAND,
        env={
            **command.environ(),
            "PYTHONPATH": str(ROOT),
            "_POOLSE_COMPLETE": "fish_complete",
            "COMP_WORDS": "poolse tail ",
            "COMP_CWORD": "",
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert sorted(line.split("\t")[1] for line in done.stdout.splitlines()) == ["Team", "bob"]
