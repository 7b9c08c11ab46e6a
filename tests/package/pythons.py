"""The Pythons of this machine; `make pythons` runs the suite on each that `.venv` does not have.

Each gets an environment below build/pythons, with the versions of `.ci/constraints.txt`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.architecture.tree import ROOT
from tests.package.environments import BUILD, Environment

__all__ = ["RUNNING", "VERSIONS", "find_python"]

VERSIONS: Final = ("3.11", "3.12", "3.13", "3.14")
"""Of Python, that the package is tried on where they are."""

RUNNING: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The version of this process."""


def find_python(version: str) -> Path | None:
    """An interpreter of that version, `3.12`, wherever such things lie; None when there is none."""
    return next(filter(lambda python: _is(python, version), _candidates(version)), None)


def _candidates(version: str) -> Iterator[Path]:
    if version == RUNNING:
        yield Path(sys.executable)
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield Path(folder, f"python{version}")
    home = Path.home()
    for pattern in (
        f"{os.environ.get('PYENV_ROOT', home / '.pyenv')}/versions/{version}.*/bin/python",
        f"{home}/.local/share/uv/python/cpython-{version}.*/bin/python3",
        f"/opt/python/cp{version.replace('.', '')}-*/bin/python",
        f"/opt/hostedtoolcache/Python/{version}.*/*/bin/python",
    ):
        yield from sorted(Path("/").glob(pattern.removeprefix("/")), reverse=True)


def _is(python: Path, version: str) -> bool:
    """Whether it runs, which a shim of pyenv may not, and is what its name says."""
    if not python.is_file():
        return False
    done = subprocess.run(
        [python, "-c", "import sys, ssl, sqlite3; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() == version


def try_on(version: str, python: Path, pytest: Sequence[str]) -> bool:
    """Run the suite on one Python. Returns whether it was green."""
    print(f"\n== Python {version}: {python}", flush=True)
    there = Environment(BUILD / "pythons" / version, python)
    there.install("--editable", f"{ROOT}[dev,docs,sandbox,sandbox-ui,cli]")
    start = time.monotonic()
    done = subprocess.run([there.python, "-m", "pytest", *pytest], cwd=ROOT, check=False)
    verdict = "RED" if done.returncode else "green"
    print(f"== Python {version}: {verdict}, {time.monotonic() - start:.0f} s", flush=True)
    return done.returncode == 0


def main() -> int:
    """Run the suite on each further Python; 0 when all were green."""
    parser = argparse.ArgumentParser(prog="python -m tests.package.pythons")
    parser.add_argument("pytest", nargs="*", help="arguments of pytest, after --")
    arguments = parser.parse_args()
    green = True
    for version in VERSIONS:
        if version == RUNNING:
            continue
        if python := find_python(version):
            green = try_on(version, python, arguments.pytest) and green
        else:
            print(f"\n== Python {version}: not found", flush=True)
    return 0 if green else 1


if __name__ == "__main__":
    sys.exit(main())
