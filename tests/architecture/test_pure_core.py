"""The cores are pure. Clock, randomness, IDs and effects come in as arguments.

Checked twice: by ruff, which reads the source, and by importing the core with a guard that sees
every import. Both use the list in pyproject.toml.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, banned_modules, core_files, module_of

GUARD = ROOT / "tests/architecture/banned_imports.py"


def banned_imports(modules: list[str], banned: list[str], path: Path = ROOT) -> list[str]:
    """What the modules import of the banned ones, in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, GUARD],
        input=json.dumps({"modules": modules, "banned": banned}),
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def ruff_bans(statement: str, path: str) -> bool:
    """Whether `make check` would refuse the statement in that file."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select=TID251", f"--stdin-filename={path}", "-"],
        input=f"from __future__ import annotations\n\n{statement}\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    return done.returncode == 1


def test_the_cores_import_nothing_that_acts() -> None:
    modules = [module_of(path) for path in core_files()]
    assert "poolse._rest.call" in modules
    assert banned_imports(modules, banned_modules()) == [""]


@pytest.mark.parametrize(
    "statement",
    ["import os", "import os.path", "from os import path", "def f():\n    import os\nf()"],
)
def test_the_guard_finds_every_way_to_import(statement: str, tmp_path: Path) -> None:
    (tmp_path / "pure.py").write_text(f"import json\n{statement}\n")
    assert len(banned_imports(["pure"], ["os"], tmp_path)) == 1


def test_the_guard_lets_others_import(tmp_path: Path) -> None:
    (tmp_path / "pure.py").write_text("import shell\nfrom shell import path\n")
    (tmp_path / "shell.py").write_text("from os import path\n")
    assert banned_imports(["pure"], ["os"], tmp_path) == [""]


def test_the_list_is_complete() -> None:
    names = (
        "httpx websockets websocket asyncio threading queue socket os time random uuid secrets "
        "logging"
    )
    assert set(names.split()) <= set(banned_modules())


@pytest.mark.parametrize(
    ("path", "banned"),
    [
        ("poolse/_rest/call.py", True),
        ("poolse/_rest/retry.py", True),
        ("poolse/_observe/observers.py", False),
        ("poolse/_realtime/connection.py", True),
        ("poolse/_realtime/sync_driver.py", False),
        ("poolse/_realtime/sync_transport.py", False),
        ("poolse/_realtime/async_public.py", False),
        ("poolse/_follow/feed_protocol.py", True),
        ("poolse/_http/sync_sender.py", False),
        ("poolse/_network/proxies.py", True),
        ("poolse/_network/trust.py", False),
        ("poolse/_network/async_sockets.py", False),
        ("poolse/client.py", False),
        ("codegen/write.py", False),
    ],
)
def test_ruff_bans_it_in_the_cores_and_nowhere_else(path: str, banned: bool) -> None:
    assert ruff_bans("import os", path) is banned
    assert ruff_bans("from datetime import datetime\n\ndatetime.now()", path) is banned
