"""The recipe of docs/containers.md without a container engine: its command and its probe run."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import yaml

from poolse import PoolseBackend
from tests.architecture.tree import ROOT
from tests.docs.code_blocks import blocks_of

FOLDER = ROOT / "docs/container"
DOCKERFILE = (FOLDER / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
ADDRESS = re.compile(r"POOLSE_API_URL=.*:(\d+)")
HADOLINT = Path(sys.executable).with_name("hadolint")


def instruction(name: str) -> list[str]:
    """The list in brackets of an instruction of the Dockerfile."""
    found = re.search(rf"^(?:HEALTHCHECK .*\\\n +)?{name} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    return cast("list[str]", json.loads(found[1]))


ENTRYPOINT = instruction("ENTRYPOINT")
PROBE = instruction("CMD")


@pytest.fixture
def port(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run what the container would, on a free port."""
    assert ENTRYPOINT[0] == "poolse"
    arguments = [*ENTRYPOINT[1:], *request.param]
    arguments[arguments.index("--port") + 1] = "0"
    command = [sys.executable, "-m", "poolse.cli", *arguments]
    environ = {name: value for name, value in os.environ.items() if "POOLSE" not in name}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        yield next(found[1] for line in lines if (found := ADDRESS.search(line)))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0


def test_the_files_are_those_of_the_page() -> None:
    blocks = [block.code for block in blocks_of("docs/containers.md")]
    assert DOCKERFILE in blocks
    assert (FOLDER / "compose.yaml").read_text("utf-8") in blocks


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint has no package for this machine")
def test_hadolint_finds_nothing() -> None:
    command = [str(HADOLINT), "--no-color", str(FOLDER / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_is_not_root() -> None:
    (user,) = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert int(user) > 0
    assert f"--uid {user} " in DOCKERFILE


@pytest.mark.parametrize("port", [COMPOSE["services"]["sandbox"]["command"]], indirect=True)
def test_the_sandbox_of_the_compose_file_is_healthy(port: str) -> None:
    probe = [sys.executable, *PROBE[1:]]
    probe[-1] = probe[-1].replace(":4000/", f":{port}/")
    assert probe != [sys.executable, *PROBE[1:]]
    subprocess.run(probe, check=True, timeout=30)

    # Under another name it is the chat API only.
    url = f"http://127.0.0.1:{port}"
    other = {"host": "sandbox:4000"}
    assert httpx.get(f"{url}/_sandbox/health", headers=other).status_code == 403
    environment = COMPOSE["services"]["bot"]["environment"]
    with PoolseBackend(api_url=url, api_key=environment["POOLSE_API_KEY"]) as backend:
        assert backend.users.create(external_id="alice").external_id == "alice"


def test_the_probe_fails_without_a_sandbox(unused_port: int) -> None:
    probe = [sys.executable, *PROBE[1:]]
    probe[-1] = probe[-1].replace(":4000/", f":{unused_port}/")
    assert subprocess.run(probe, capture_output=True, check=False, timeout=30).returncode == 1


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port that nobody listens on, and nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_the_bot_waits_for_the_sandbox_and_finds_it() -> None:
    bot, sandbox = COMPOSE["services"]["bot"], COMPOSE["services"]["sandbox"]
    assert bot["depends_on"] == {"sandbox": {"condition": "service_healthy"}}
    assert "HEALTHCHECK" in DOCKERFILE
    port = ENTRYPOINT[ENTRYPOINT.index("--port") + 1]
    assert bot["environment"]["POOLSE_API_URL"] == f"http://sandbox:{port}"
    assert bot["environment"]["POOLSE_API_KEY"] in sandbox["command"]
    assert sandbox["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"EXPOSE {port}" in DOCKERFILE
