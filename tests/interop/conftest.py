"""The packages of the JavaScript client, and a user who talks to it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from poolse.testing import Sandbox
from tests.interop.official import HERE
from tests.sandbox.raw_clients import User, users_of


@pytest.fixture(scope="session")
def packages() -> None:
    """Install what the lock file names, unless that has been done. Without node, skip."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    done = HERE / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=HERE, check=True, capture_output=True)


@pytest.fixture
def alice(sandbox: Sandbox) -> Iterator[User]:
    """A user with a raw client."""
    with users_of(sandbox) as new_user:
        yield new_user("alice")
