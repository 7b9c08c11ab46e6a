"""`.ci/run` beside a `make` that only says what it is told to: which gates run, and what counts."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

pytestmark = pytest.mark.tools

USED = ("awk", "bash", "dirname", "grep", "ln", "mktemp", "rm", "sed", "sort", "tail", "tee")

MAKE = """#!/usr/bin/env bash
echo "$*" >>"$MADE"
case "$1" in
  test) echo '7 passed, 1 skipped in 60.12s (0:01:00)' ;;
  package) echo 'SKIPPED [1] tests/package/test_installed.py:40: there is no Python 3.14' ;;
esac
if [ "$1" = "$RED" ]; then
  echo 'FAILED tests/http/test_send_and_receive.py::test_it - AssertionError'
  echo '2 failed, 5 passed in 3.10s'
  exit 1
fi
"""

GATES = ["venv", "check", "test", "tools", "package", "lowest", "docs", "growth CHECK=1", "fuzz"]
FIFTH = "mutants PART=5"


class Machine:
    """A machine that has what `.ci/run` uses, and no node."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        self._made = folder / "made.txt"
        for name in USED:
            found = shutil.which(name)
            assert found is not None
            (self.folder / name).symlink_to(found)
        self.add("make", MAKE)

    def add(self, name: str, script: str) -> None:
        """Put a program on it."""
        (self.folder / name).write_text(script)
        (self.folder / name).chmod(0o755)

    def run(self, red: str = "", **more: str) -> tuple[int, list[str]]:
        """Exit status, and what was printed that is not empty."""
        done = subprocess.run(
            [ROOT / ".ci" / "run"],
            env={"PATH": str(self.folder), "MADE": str(self._made), "RED": red, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, [line for line in done.stdout.splitlines() if line]

    def made(self) -> list[str]:
        """What `make` was called with."""
        return self._made.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_all_gates_run_and_the_newest_versions_last(machine: Machine) -> None:
    code, printed = machine.run()
    assert machine.made() == [*GATES, FIFTH, "newest"]
    assert printed[-6:] == [
        "left out: SKIPPED [1] tests/package/test_installed.py:40: there is no Python 3.14",
        "left out: four fifths of the mutants, each week others (LONG=1 runs all)",
        "left out: interop (no node)",
        "left out: browser (no node, or no Chromium)",
        "left out: soak and chaos (LONG=1 runs them)",
        "7 passed, 0 failed",
    ]
    assert code == 0


def test_with_node_chromium_and_time(machine: Machine) -> None:
    machine.add("npm", "")
    machine.add("chromium", "")
    code, printed = machine.run(LONG="1")
    long = ["soak", "chaos MINUTES=10"]
    assert machine.made() == [*GATES, "mutants", "interop", "browser", *long, "newest"]
    assert printed[-2:] == [
        "left out: SKIPPED [1] tests/package/test_installed.py:40: there is no Python 3.14",
        "7 passed, 0 failed",
    ]
    assert code == 0


@pytest.mark.skipif(getattr(os, "geteuid", int)() != 0, reason="only root installs packages")
def test_chromium_is_installed_where_that_is_possible(machine: Machine) -> None:
    machine.add("npm", "")
    chromium = machine.folder / "chromium"
    machine.add(
        "apt-get", f'#!/usr/bin/env bash\n[ "$1" = update ] || ln -s /bin/true {chromium}\n'
    )
    machine.run()
    assert "browser" in machine.made()


def test_a_red_gate_hides_no_other_and_counts(machine: Machine) -> None:
    code, printed = machine.run("lowest")
    assert machine.made() == [*GATES, FIFTH, "newest"]
    assert "newest: RED" not in printed
    assert printed[-1] == "12 passed, 2 failed"
    assert code == 1


def test_without_an_environment_nothing_runs(machine: Machine) -> None:
    code, _ = machine.run("venv")
    assert machine.made() == ["venv"]
    assert code == 1


def test_newest_versions_that_break_us_are_named_and_fail_nothing(machine: Machine) -> None:
    code, printed = machine.run("newest")
    assert printed[-8:-5] == [
        "newest: RED",
        "FAILED tests/http/test_send_and_receive.py::test_it - AssertionError",
        "left out: SKIPPED [1] tests/package/test_installed.py:40: there is no Python 3.14",
    ]
    assert printed[-1] == "7 passed, 0 failed"
    assert code == 0


def test_a_run_without_a_test_that_failed_says_why(machine: Machine) -> None:
    machine.add("make", '#!/usr/bin/env bash\n[ "$1" != newest ] || { echo no index; false; }\n')
    code, printed = machine.run()
    at = printed.index("newest: RED")
    assert printed[at + 1] == "no index"
    assert (code, printed[-1]) == (0, "0 passed, 0 failed")
