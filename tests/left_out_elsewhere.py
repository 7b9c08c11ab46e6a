"""Tests that an operating system cannot run, and why. A pytest plugin.

On Linux every test runs. What is left out elsewhere stands here, so it counts as agreed on
(`tests/skip_gate.py`): a whole file where it imports what the system does not have, else a test.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]

FORK, SIGNALS, TERMINAL = "forked processes", "signals of POSIX", "a pseudo-terminal"
LIMITS, MODES, PROC = "limits for a process", "file modes of POSIX", "/proc"

LEFT_OUT: Final[Mapping[str, Mapping[str, str]]] = {
    "darwin": {
        "tests/concurrency/test_forks.py::test_each_process_has_connections_of_its_own": PROC,
        "tests/files/test_transfer_cleanup.py::test_a_full_disk_ends_a_download": "/dev/full",
    },
    "win32": {
        "tests/chaos/test_chaos.py": LIMITS,
        "tests/cli/test_demo.py": SIGNALS,
        "tests/cli/test_exit_codes.py": SIGNALS,
        "tests/cli/test_export.py": SIGNALS,
        "tests/cli/test_listen.py": SIGNALS,
        "tests/cli/test_live_view.py": TERMINAL,
        "tests/cli/test_cli_docs.py": SIGNALS,
        "tests/cli/test_settings.py": MODES,
        "tests/cli/test_tail.py": SIGNALS,
        "tests/concurrency/test_event_loops.py": FORK,
        "tests/concurrency/test_forks.py": FORK,
        "tests/docs/test_frameworks.py": TERMINAL,
        "tests/docs/test_code_blocks.py": TERMINAL,
        "tests/docs/test_scripts.py": TERMINAL,
        "tests/docs/test_voice_recipe.py": SIGNALS,
        "tests/files/test_download.py::test_a_link_stays_a_link": MODES,
        "tests/files/test_download.py::test_to_a_path": MODES,
        "tests/files/test_transfer_cleanup.py": LIMITS,
        "tests/follow/test_checkpoints.py": SIGNALS,
        "tests/follow/test_end_to_end.py": SIGNALS,
        "tests/architecture/test_ci.py": "symbolic links",
        "tests/architecture/test_leak_guard.py": PROC,
        "tests/realtime/test_signals.py": SIGNALS,
        "tests/sandbox/test_cli_sandbox.py": SIGNALS,
    },
}
"""By the name of the system: files, or tests, and what they need."""

REASON: Final = f"{sys.platform} lacks "
"""How the reason of such a skip begins."""

_HERE = LEFT_OUT.get(sys.platform, {})


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what could not even be imported."""
    if not collection_path.is_relative_to(ROOT):
        return None
    return collection_path.relative_to(ROOT).as_posix() in _HERE or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip single tests."""
    for item in items:
        if needed := _HERE.get(item.nodeid.partition("[")[0]):
            item.add_marker(pytest.mark.skip(reason=REASON + needed))


def pytest_report_header() -> list[str]:
    """Say what is left out."""
    return [f"{REASON}{needed}: {name}" for name, needed in _HERE.items() if "::" not in name]
