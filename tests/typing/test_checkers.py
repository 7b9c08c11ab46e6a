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


FILES = (REFUSED, ACCEPTED)


def by_pyright() -> dict[str, set[int]]:
    """Lines of the errors that it finds, by file. One run for both, since its start takes long."""
    # The settings of our own tree leave this folder out, also where a file is named.
    settings = {
        "extraPaths": [str(ROOT)],
        "venvPath": str(Path(sys.prefix).parent),
        "venv": Path(sys.prefix).name,
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
    }
    with tempfile.TemporaryDirectory() as folder:
        for path in FILES:
            shutil.copy(path, folder)
        project = Path(folder) / "pyrightconfig.json"
        project.write_text(json.dumps(settings), "utf-8")
        command = [str(Path(sys.executable).with_name("pyright")), "--outputjson"]
        done = subprocess.run(
            [*command, "--project", str(project)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    lines: dict[str, set[int]] = {path.name: set() for path in FILES}
    for diagnostic in json.loads(done.stdout)["generalDiagnostics"]:
        if diagnostic["severity"] == "error":
            name = Path(diagnostic["file"]).name
            lines[name].add(diagnostic["range"]["start"]["line"] + 1)
    return lines


def by_mypy() -> dict[str, set[int]]:
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--config-file="]
    command += ["--strict", "--python-version=3.11", *map(str, FILES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return {
        path.name: set(map(int, re.findall(rf"^.*{path.name}:(\d+): error", done.stdout, re.M)))
        for path in FILES
    }


@pytest.mark.parametrize("check", [by_pyright, by_mypy])
def test_what_users_write_is_accepted_and_each_mistake_is_found(
    check: Callable[[], dict[str, set[int]]],
) -> None:
    lines = REFUSED.read_text("utf-8").splitlines()
    marked = {number for number, line in enumerate(lines, 1) if line.endswith("# error")}
    errors = check()
    assert errors[ACCEPTED.name] == set()
    found = errors[REFUSED.name]
    assert {n: lines[n - 1] for n in marked - found} == {}, "not found"
    assert {n: lines[n - 1] for n in found - marked} == {}, "found beside them"
