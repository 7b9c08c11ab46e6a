"""`python -m tests.package.lowest`: the lowest versions that `pyproject.toml` allows, tried.

Installs them, on the oldest Python there is, and runs those tests that use every dependency as
users do: calls, transfers, sockets, `follow`, the sandbox.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from tests.house.tree import ROOT
from tests.package.artefacts import VERSIONS, Environment, find_python, run

EXTRAS: Final = ("sandbox", "testing", "cli")

TOOLS: Final = ("hypothesis", "pytest-xdist")
"""What the tests themselves need, in whatever version."""

WITHOUT: Final = "tests/http/test_senders_given.py::test_failures_of_httpx2_have_our_names_too"
"""httpx2, which is no dependency, wants a newer h11 than the lowest httpcore allows."""

TESTS: Final = (
    "tests/conformance",
    "tests/http",
    "tests/files/test_upload_bodies.py",
    "tests/follow/test_checkpoints.py",
    "tests/follow/test_end_to_end.py",
    "tests/realtime/test_bodies_*.py",
    "tests/realtime/test_transcripts.py",
    "tests/sandbox/test_sandbox_lifecycle.py",
    "tests/testing/test_factories.py",
)


def pins(python: Path, folder: Path) -> Path:
    """A file with the lowest versions, and what goes with them."""
    file = folder / "lowest.txt"
    extras = [f"--extra={extra}" for extra in EXTRAS]
    options = ("--resolution=lowest-direct", "--no-annotate", "--no-header", "--quiet")
    uv = (sys.executable, "-m", "uv", "pip", "compile", "--python", python, "--output-file", file)
    run(*uv, *options, *extras, ROOT / "pyproject.toml", folder=folder)
    return file


def direct(pinned: str) -> str:
    """Those of the versions that we have a say in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"]]
    for extra in EXTRAS:
        wanted += project["optional-dependencies"][extra]
    ours = {Requirement(text).name.lower().replace("_", "-") for text in wanted}
    return " ".join(line for line in pinned.split() if line.partition("==")[0] in ours)


def main() -> int:
    """Run it. Returns the exit status of pytest."""
    python = next(filter(None, map(find_python, VERSIONS)))
    with tempfile.TemporaryDirectory(prefix="poolse-lowest-") as name:
        folder = Path(name)
        file = pins(python, folder)
        print(f"{direct(file.read_text('utf-8'))} on {python}", flush=True)
        lowest = Environment(folder / "venv", python)
        lowest.install("-r", file, *TOOLS)
        tests = [str(path) for pattern in TESTS for path in sorted(ROOT.glob(pattern))]
        options = ("-q", "-n2", "-p", "no:cacheprovider", "-m", "not soak", "--deselect", WITHOUT)
        return subprocess.run(
            [lowest.python, "-m", "pytest", *options, *tests],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
