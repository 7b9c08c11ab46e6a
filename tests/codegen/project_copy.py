"""Copies of the project, to be changed and regenerated as a maintainer would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).parents[2]


@attrs.frozen
class Tree:
    """A copy of all that is needed to generate the client and to use it."""

    path: Path

    def python(self, *arguments: str, expect: int | None = 0) -> str:
        """What Python prints in it, on its way out or on its way to fail."""
        done = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=self.path,
            env={**os.environ, "PYTHONPATH": str(self.path), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert expect in (None, done.returncode), done.stdout + done.stderr
        return done.stdout + (done.stderr if expect else "")

    def generate(self) -> list[str]:
        """Regenerate. Returns what was written, and what was removed, by its path in the tree."""
        lines = self.python("-m", "codegen").splitlines()
        return [line.replace(f"{self.path.resolve()}/", "") for line in lines]

    def diff(self, *arguments: str, expect: int = 0) -> str:
        """What is told of the changes."""
        return self.python("-m", "codegen", "diff", *arguments, expect=expect)

    def git(self, *arguments: str) -> str:
        """A command of git."""
        identity = ("-c", "user.name=T", "-c", "user.email=t@localhost", "-c", "core.hooksPath=")
        command = ["git", *identity, *arguments]
        done = subprocess.run(
            command, cwd=self.path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(self, name: str) -> None:
        """Keep all as it is now under a tag."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", name)
        self.git("tag", name)

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace something that is in a file exactly once."""
        path = self.path / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), "utf-8")


def plant(folder: Path, *, spec: Path = ROOT / "spec", git: bool = False) -> Tree:
    """Copy the project.

    Args:
        folder: Where to.
        spec: The folder of the spec that it gets.
        git: Whether to make it a repository, with a tag `start`.
    """
    ignore = shutil.ignore_patterns("__pycache__", "x-sdk.schema.json")
    for name in ("codegen", "poolse"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    shutil.copytree(spec, folder / "spec")
    shutil.copy(ROOT / "spec" / "x-sdk.schema.json", folder / "spec")
    tree = Tree(folder)
    if git:
        tree.git("init", "--quiet")
        tree.commit("start")
    return tree
