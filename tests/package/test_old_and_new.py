"""Clients of each release against sandboxes of each release, as wheels: neither is harmed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.package.environments import Environment
from tests.package.past_releases import RELEASES, release_wheel

pytestmark = pytest.mark.package

HERE = Path(__file__).parent
SERVER = """
from poolse.testing import Sandbox

with Sandbox() as sandbox:
    print(sandbox.url, sandbox.api_key, flush=True)
    input()
"""
EXPECTED = {
    "me": "ann",
    "members": ["member", "owner"],
    "type": "group",
    "event": "MessageNew",
    "is_sent": True,
    "delivered": "hello",
}
TODAY = "today"
CROSSED = [(old, TODAY) for old in RELEASES] + [(TODAY, old) for old in RELEASES]


@pytest.fixture(scope="module")
def releases(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Environment]:
    """An environment for each release, and one for the wheel of this tree."""
    folder = tmp_path_factory.mktemp("releases")
    wheels = {version: release_wheel(version, folder / version) for version in RELEASES}
    made: dict[str, Environment] = {}
    for name, artefact in {**wheels, TODAY: wheel}.items():
        made[name] = Environment(folder / "venvs" / name, "3.11")
        made[name].install(f"{artefact}[testing]")
    return made


@contextmanager
def sandbox(environment: Environment) -> Generator[list[str]]:
    """A sandbox in a process of its own; its address and its API key."""
    process = subprocess.Popen(
        [environment.python, "-c", SERVER],
        cwd=environment.work,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process.stdout.readline().split()
        process.communicate("\n", timeout=30)


@pytest.mark.parametrize(("client", "server"), CROSSED)
def test_they_work_together(client: str, server: str, releases: dict[str, Environment]) -> None:
    with sandbox(releases[server]) as address:
        program = HERE / "old_and_new_client.py"
        printed = releases[client].run("-W", "error", program, *address)
    assert json.loads(printed) == [EXPECTED, EXPECTED]
