"""The command, ready to be called."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolse import Poolse
from poolse.testing import Sandbox
from tests.cli.run_command import Command


@pytest.fixture
def command(
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """For alice, in a folder of its own."""
    sandbox.user_id("bob")
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        row = chat.conversations.create(type="group", name="Team", member_external_ids=["bob"])
    for name in ("POOLSE_CONFIG", "POOLSE_PROFILE", "POOLSE_TOKEN_FILE", "POOLSE_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Command(sandbox, row.id, tmp_path, monkeypatch, capsys)
