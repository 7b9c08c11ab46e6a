"""Releases of the past: they can be built and installed, so that later ones can be compared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import poolse
from tests.architecture.tree import ROOT
from tests.package.environments import Environment
from tests.package.past_releases import RELEASES, release_tree, release_wheel

SHOW = "import poolse; poolse.Poolse, poolse.AsyncPoolse; print(poolse.version)"


@pytest.mark.package
@pytest.mark.parametrize("version", RELEASES)
def test_a_release_can_be_built_and_imported(version: str, tmp_path: Path) -> None:
    wheel = release_wheel(version, tmp_path)
    assert wheel.name == f"poolse-{version}-py3-none-any.whl"
    theirs = Environment(tmp_path / "venv", sys.executable)
    theirs.install(wheel)
    assert theirs.run("-W", "error", "-c", SHOW) == f"{version}\n"


def test_the_changelog_has_each_release() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = [line.split()[1] for line in text.splitlines() if line.startswith("## ")]
    assert headings[0] in {"Unreleased", poolse.version}
    assert [name for name in reversed(headings) if name in RELEASES] == list(RELEASES)


def test_a_shallow_clone_says_how_to_get_the_rest(tmp_path: Path) -> None:
    clone = ("git", "clone", "-q", "--depth", "1", ROOT.as_uri(), tmp_path / "clone")
    subprocess.run(clone, check=True)
    with pytest.raises(RuntimeError, match=r"0\.1\.0 is commit 987eeb1.* git fetch --unshallow"):
        release_tree("0.1.0", tmp_path / "tree", tmp_path / "clone")
