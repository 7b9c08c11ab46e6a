"""`python -m tests.package.lowest_and_newest lowest` (or `newest`): try dependencies there.

`lowest` are the floors of `pyproject.toml` on the oldest Python there is, and what else they need
as `.ci/constraints.txt` has it. `newest` is the newest of everything on the newest Python: what
users get today, and CI only after the next `make lock`. Both run those tests that use every
dependency as users do: calls, transfers, sockets, `follow`, the sandbox.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT
from tests.package.environments import BUILD, Environment, locked, run
from tests.package.pythons import VERSIONS, find_python

EXTRAS: Final = ("sandbox", "testing", "cli")

TESTS: Final = (
    "tests/conformance",
    "tests/architecture/test_undocumented_dependency_use.py",
    "tests/http",
    "tests/files/test_upload_arguments.py",
    "tests/follow/test_checkpoints.py",
    "tests/follow/test_end_to_end.py",
    "tests/realtime/test_bodies_*.py",
    "tests/realtime/test_transcripts.py",
    "tests/sandbox/test_sandbox_lifecycle.py",
    "tests/testing/test_factories.py",
)


@attrs.frozen
class End:
    """One end of what `pyproject.toml` allows."""

    name: str
    pythons: Sequence[str]
    """The first that is found is taken."""
    tools: Sequence[str]
    """Requirements of the tests themselves."""
    kept: Sequence[str]
    """Versions that are preferred for what only our dependencies need."""
    resolve: Sequence[str]
    """Options of `uv pip compile`."""
    without: Sequence[str]
    """Options of pytest, that leave tests out."""
    limit: float | None = None
    """Seconds that the tests may take."""


def ours() -> set[str]:
    """The dependencies that we have a say in, by their normalized names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"]]
    for extra in EXTRAS:
        wanted += project["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(text).name) for text in wanted}


def lowest() -> End:
    """The floors."""
    lock = locked()
    return End(
        name="lowest",
        pythons=VERSIONS,
        tools=[lock["hypothesis"], lock["pytest-xdist"]],
        kept=[line for name, line in lock.items() if name not in ours()],
        resolve=("--resolution=lowest-direct",),
        # httpx2, which is no dependency, wants a newer h11 than the lowest httpcore allows. And
        # what the libraries log is judged by `make test`.
        without=(
            "--deselect=tests/http/test_http_client_argument.py::test_failures_of_httpx2_have_our_names_too",
            "--ignore=tests/http/test_library_logs.py",
            "-p",
            "no:tests.secret_guard",
        ),
    )


def newest() -> End:
    """What was released last."""
    return End(
        name="newest",
        pythons=VERSIONS[::-1],
        tools=("hypothesis", "pytest-xdist", "httpx2"),
        kept=(),
        resolve=("--upgrade",),
        without=(),
        limit=240,
    )


def pins(end: End, python: Path, folder: Path) -> Path:
    """Write a file with all versions. uv prefers what stands in it before."""
    tools, file = folder / "tools.in", folder / "pins.txt"
    tools.write_text("\n".join(end.tools), "utf-8")
    file.write_text("\n".join(end.kept), "utf-8")
    extras = [f"--extra={extra}" for extra in EXTRAS]
    options = (*end.resolve, *extras, "--no-annotate", "--no-header", "--quiet")
    uv = (sys.executable, "-m", "uv", "pip", "compile", "--python", python, "--output-file", file)
    run(*uv, *options, ROOT / "pyproject.toml", tools, folder=folder)
    return file


def try_at(end: End) -> int:
    """Install it and run the tests. Returns the exit status of pytest."""
    python = next(filter(None, map(find_python, end.pythons)))
    home = BUILD / end.name
    home.mkdir(parents=True, exist_ok=True)
    file = pins(end, python, home)
    shown = [line for line in file.read_text("utf-8").split() if line.partition("==")[0] in ours()]
    print(f"{' '.join(shown)} on {python}", flush=True)
    there = Environment(home / "venv", python)
    there.install("-r", file, lock=False)
    tests = [str(path) for pattern in TESTS for path in sorted(ROOT.glob(pattern))]
    options = ("-q", "-n2", "-p", "no:cacheprovider", "-m", "not soak", *end.without)
    try:
        return subprocess.run(
            [there.python, "-m", "pytest", *options, *tests],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=end.limit,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"{end.name}: no end after {end.limit:g} s", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(try_at({"lowest": lowest, "newest": newest}[sys.argv[1]]()))
