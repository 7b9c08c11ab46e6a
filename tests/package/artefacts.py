"""Wheel and sdist of a tree."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path
from typing import Literal

from tests.architecture.tree import ROOT
from tests.package.environments import run

__all__ = ["build", "names_in", "passed"]


def build(kind: Literal["wheel", "sdist"], folder: Path, tree: Path = ROOT) -> Path:
    """Build what is published, with the backend that pip would use."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, folder=tree)
    return next(folder.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


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
