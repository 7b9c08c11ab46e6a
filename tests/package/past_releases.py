"""The releases so far, built again from the commits that they were made of."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from tests.architecture.tree import ROOT
from tests.package.artefacts import build

__all__ = ["RELEASES", "release_tree", "release_wheel"]

RELEASES: Final = {
    "0.1.0": "987eeb12e2fe40d731db0ee1e8e2c265da0721b0",
    "0.2.0": "12d488bb38396b19b5a03b4465467e155b79279e",
}
"""The commit of each release, oldest first. 0.3.0 to 0.5.0 have none: they reached main as one
commit, together with what came after them."""


def release_tree(version: str, folder: Path, repository: Path = ROOT) -> Path:
    """Unpack the tree of a release into a folder, and return that.

    Raises:
        RuntimeError: The clone does not have the commit.
    """
    commit = RELEASES[version]
    git = ("git", "-C", repository)
    known = subprocess.run(
        [*git, "cat-file", "-e", f"{commit}^{{commit}}"], capture_output=True, check=False
    )
    if known.returncode:
        raise RuntimeError(
            f"release {version} is commit {commit}, which this clone does not have. "
            "A shallow clone gets it by: git fetch --unshallow"
        )
    tar = subprocess.run([*git, "archive", "--format=tar", commit], capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(tar.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def release_wheel(version: str, folder: Path) -> Path:
    """Build the wheel of a release below a folder."""
    return build("wheel", folder / "dist", release_tree(version, folder / "tree"))
