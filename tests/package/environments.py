"""Environments of their own, at the versions of `.ci/constraints.txt` or at others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT

__all__ = ["BUILD", "LOCK", "Environment", "locked", "run"]

BUILD: Final = ROOT / "build"
"""Where environments lie that are worth keeping; git ignores it."""

LOCK: Final = ROOT / ".ci" / "constraints.txt"
"""Every version that CI uses; `make lock` writes it."""

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


def locked() -> dict[str, str]:
    """The lines of the lock, by the normalized name of the package."""
    lines = LOCK.read_text("utf-8").splitlines()
    return {canonicalize_name(Requirement(line).name): line for line in lines}


class Environment:
    """An environment of its own, which knows nothing of the tree.

    Args:
        folder: Where it is created; an older one there is replaced.
        python: The interpreter.
    """

    def __init__(self, folder: Path, python: str | Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        uv = (sys.executable, "-m", "uv", "venv", "--quiet", "--clear", "--python", python)
        run(*uv, folder, folder=folder.parent)
        scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = scripts / "python"
        self.work = folder / "work"
        """An empty folder to run things in."""
        self.work.mkdir()

    def install(
        self, *requirements: str | Path, lock: bool = True, options: tuple[str, ...] = ()
    ) -> None:
        """Install from PyPI, or what a path names.

        Args:
            requirements: As pip takes them.
            lock: Whether the versions are those of `.ci/constraints.txt`.
            options: More options of `uv pip install`.
        """
        if lock:
            options = (*options, f"--constraint={LOCK}", f"--build-constraints={LOCK}")
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
        uv = (sys.executable, "-m", "uv", "pip", command, "--python", self._folder)
        run(*uv, *arguments, folder=self.work)
