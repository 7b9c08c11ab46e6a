"""Both type checkers accept what users write, and find each mistake in `refused.py`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

HERE = Path(__file__).parent
REFUSED = HERE / "refused.py"
ACCEPTED = HERE / "accepted.py"


def by_pyright(path: Path) -> set[int]:
    """Lines of the errors that it finds."""
    # The settings of our own tree leave this folder out, also where a file is named.
    settings = {
        "extraPaths": [str(ROOT)],
        "venvPath": str(Path(sys.prefix).parent),
        "venv": Path(sys.prefix).name,
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
    }
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, folder)
        project = Path(folder) / "pyrightconfig.json"
        project.write_text(json.dumps(settings), "utf-8")
        command = [str(Path(sys.executable).with_name("pyright")), "--outputjson"]
        found = subprocess.run(
            [*command, "--project", str(project)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    errors = json.loads(found.stdout)["generalDiagnostics"]
    return {one["range"]["start"]["line"] + 1 for one in errors if one["severity"] == "error"}


def by_mypy(path: Path) -> set[int]:
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--config-file="]
    command += ["--strict", "--python-version=3.11", str(path)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode in (0, 1), found.stderr
    return {int(line) for line in re.findall(rf"^.*{path.name}:(\d+): error", found.stdout, re.M)}


Check = Callable[[Path], set[int]]

CHECKERS = pytest.mark.parametrize("check", [by_pyright, by_mypy])


@CHECKERS
def test_each_mistake_is_found_and_nothing_else(check: Check) -> None:
    lines = REFUSED.read_text("utf-8").splitlines()
    marked = {number for number, line in enumerate(lines, 1) if line.endswith("# error")}
    found = check(REFUSED)
    assert {n: lines[n - 1] for n in marked - found} == {}, "not found"
    assert {n: lines[n - 1] for n in found - marked} == {}, "found beside them"


@CHECKERS
def test_what_users_write_is_accepted(check: Check) -> None:
    assert check(ACCEPTED) == set()
