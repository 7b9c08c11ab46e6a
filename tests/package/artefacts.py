"""Wheel and sdist of a tree, and environments that they are installed into."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from tests.house.tree import ROOT

__all__ = ["VERSIONS", "Environment", "build", "find_python", "names_in", "passed", "run"]

VERSIONS: Final = ("3.11", "3.12", "3.13", "3.14")
"""Of Python, that the package is tried on where they are."""

PATIENCE: Final = 300
"""Seconds that a command may take on a busy machine that has to download everything."""


def run(*command: str | Path, folder: Path, code: int | None = 0, path: Path | None = None) -> str:
    """What a command prints, run where no tree of ours is in sight.

    Args:
        command: With its arguments.
        folder: Where it runs.
        code: What it must return; None for whatever.
        path: Where other programs are looked for first.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if path is not None:
        clean["PATH"] = f"{path}{os.pathsep}{clean.get('PATH', os.defpath)}"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=clean,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert code in (None, done.returncode), f"{command} gave {done.returncode}:\n{printed}"
    return printed


def build(kind: Literal["wheel", "sdist"], folder: Path, tree: Path = ROOT) -> Path:
    """Build what is published, with the backend that pip would use."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, folder=tree)
    return next(folder.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


class Environment:
    """An environment of its own, which knows nothing of the tree."""

    def __init__(self, folder: Path, python: str | Path) -> None:
        self._folder = folder
        run(sys.executable, "-m", "uv", "venv", "--python", python, folder, folder=folder.parent)
        self.python = folder / "bin" / "python"
        self.work = folder / "work"
        """An empty folder to run things in."""
        self.work.mkdir()

    def install(self, *requirements: str | Path, options: tuple[str, ...] = ()) -> None:
        """Install from PyPI, or what a path names."""
        self._uv("install", *options, *requirements)

    def check(self) -> None:
        """Fail when installed packages do not go with each other."""
        self._uv("check")

    def run(self, *arguments: str | Path, code: int | None = 0) -> str:
        """What the environment's Python prints."""
        return run(self.python, *arguments, folder=self.work, code=code)

    def in_path(self, *command: str | Path) -> str:
        """What a program prints that looks for a Python by itself."""
        return run(*command, folder=self.work, path=self.python.parent)

    def _uv(self, command: str, *arguments: str | Path) -> None:
        uv = (sys.executable, "-m", "uv", "pip", command, "--python", self.python)
        run(*uv, *arguments, folder=self.work)


def find_python(version: str) -> Path | None:
    """An interpreter of that version, `3.12`, wherever such things lie; None when there is none."""
    return next(filter(lambda python: _is(python, version), _candidates(version)), None)


def _candidates(version: str) -> Iterator[Path]:
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
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


def names_in(wheel: Path) -> set[str]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def passed(printed: str) -> int:
    """How many tests passed, by pytest's last line, and that nothing else happened."""
    last = printed.strip().splitlines()[-1]
    found = re.search(r"(\d+) passed in ", last)
    assert found, printed
    return int(found[1])
