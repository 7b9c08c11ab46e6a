"""In CI no test may be skipped unless `allowed_skips.txt` names it. A pytest plugin.

A skipped test is a test that nobody runs: it has to be agreed on, not to happen. Expected failures
count as skips too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests import left_out_elsewhere

ALLOWED = Path(__file__).with_name("allowed_skips.txt")

SKIPPED: pytest.StashKey[dict[str, str]] = pytest.StashKey()


def allowed_skips(text: str) -> set[str]:
    """The node ids in the list: one a line, `#` begins a comment."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return {line for line in lines if line}


def unexpected(skipped: dict[str, str], allowed: set[str]) -> dict[str, str]:
    """Skips that are not allowed, by node id. An id without its parameters allows them all."""
    elsewhere = left_out_elsewhere.REASON if sys.platform in left_out_elsewhere.LEFT_OUT else None
    return {
        node: reason
        for node, reason in skipped.items()
        if node not in allowed
        and node.partition("[")[0] not in allowed
        and not (elsewhere and reason.startswith(elsewhere))
    }


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why it was skipped, in one line."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(getattr(report, "wasxfail", "expected to fail"))


class SkipGate:
    """Collects skips, and judges them when the session ends."""

    def __init__(self) -> None:
        self.skipped: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            self.skipped[report.nodeid] = reason_of(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped[report.nodeid] = reason_of(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if os.environ.get("CI") and self.unexpected() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        unexpected = self.unexpected()
        line = f"skipped: {len(self.skipped)}, of which not allowed: {len(unexpected)}"
        terminalreporter.write_line(line, red=bool(unexpected))
        for node, reason in sorted(unexpected.items()):
            terminalreporter.write_line(f"  {node}: {reason}")

    def unexpected(self) -> dict[str, str]:
        return unexpected(self.skipped, allowed_skips(ALLOWED.read_text("utf-8")))


def pytest_configure(config: pytest.Config) -> None:
    # With xdist the workers report to the controller, which alone sees everything.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipGate())
