"""docs/cli.md: its commands run as they stand, and print what they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from poolse.cli import failure
from poolse.cli.app import poolse
from poolse.cli.settings import KEYS, settings
from tests.architecture.tree import ROOT
from tests.cli.run_command import Command

PAGE = (ROOT / "docs/cli.md").read_text("utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
STEPS = [step for block in BLOCKS for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]

SHIM = f"""#!{sys.executable}
import os, signal, subprocess, sys
command = [sys.executable, "-m", "poolse.cli", *sys.argv[1:]]
if sys.argv[1] != "sandbox" or "--" in sys.argv:
    os.execv(sys.executable, command)
# It runs until Ctrl-C, on a port that may be taken.
with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
    for line in process.stdout:
        print(line, end="")
        if "sandbox --env" in line:
            process.send_signal(signal.SIGINT)
"""


def pattern(promised: str) -> re.Pattern[str]:
    """What may be printed: `…` is anything."""
    return re.compile(re.escape(promised).replace("…", ".*"), re.DOTALL)


def programs(folder: Path) -> None:
    """`poolse`, and a `pip` that installs nothing."""
    folder.mkdir()
    for name, text in (("poolse", SHIM), ("pip", "#!/bin/sh\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def test_every_command_runs_as_it_stands(command: Command, tmp_path: Path) -> None:
    programs(tmp_path / "bin")
    known = {
        **{name: value for name, value in os.environ.items() if not name.startswith("POOLSE")},
        **command.environ(),
        "CONV": command.conversation,
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    lines = [step.partition("\n") for step in STEPS]
    script = "\n".join(f"{line}\necho ==$?" for line, _, _ in lines)
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script}"],
        env=known,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    told = done.stdout.split("==0\n")
    assert len(told) == len(lines) + 1, done.stdout
    for (line, _, promised), output in zip(lines, told, strict=False):
        if not promised.endswith("…\n\n"):
            assert pattern(promised.strip()).fullmatch(output.strip()), f"{line}\n{output}"


def test_the_config_file_is_read(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    path = tmp_path / "config.toml"
    path.write_text(found[1], "utf-8")
    path.chmod(0o600)
    (tmp_path / "token").write_text("kept")
    known = settings({}, {"config": str(path)})
    assert known.token is not None
    assert (known.token.read(), known.names) == ("kept", {"u-1": "Ada"})
    local = settings({}, {"config": str(path), "profile": "local"})
    assert (local.api_url, local.token) == ("http://127.0.0.1:4000", None)


@pytest.mark.parametrize("name", [*poolse.commands])
def test_no_command_and_no_option_is_forgotten(name: str) -> None:
    assert re.search(rf"^\| \[`{name}\b", PAGE, re.MULTILINE)
    own = [each.opts[-1] for each in poolse.commands[name].params if each.opts[0].startswith("--")]
    assert [option for option in own if option not in PAGE] == []


def test_all_settings_and_exit_codes_are_listed() -> None:
    for key in KEYS:
        assert f"`{key}`" in PAGE
        assert f"POOLSE_{key.upper()}`" in PAGE
    codes = {value for value in vars(failure).values() if isinstance(value, int)}
    listed = re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)
    assert {*map(int, listed)} == {0, *codes}
