"""A skip that nobody agreed on makes CI red."""

from __future__ import annotations

import pytest

from tests import skip_gate
from tests.architecture.tree import ROOT

pytestmark = pytest.mark.tools

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.mark.skip(reason="not today")
def test_skipped(): ...

@pytest.mark.parametrize("number", [1, 2])
def test_half(number):
    if number == 2:
        pytest.skip("odd only")

@pytest.mark.xfail(reason="known")
def test_expected():
    assert False

def test_fine(): ...
"""

ALL = "test_it.py::test_skipped # why\n\n# more\ntest_it.py::test_half\ntest_it.py::test_expected\n"


def run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, allowed: str, *options: str
) -> pytest.RunResult:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(test_it=TESTS)
    listed = pytester.path / "allowed.txt"
    listed.write_text(allowed)
    pytester.makeconftest(
        "import pathlib\nimport tests.skip_gate\n"
        f"tests.skip_gate.ALLOWED = pathlib.Path({str(listed)!r})\n"
        "pytest_plugins = ['tests.skip_gate']\n"
    )
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_in_ci_a_skip_must_be_listed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    result = run(pytester, monkeypatch, "test_it.py::test_half[2]\n", *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "skipped: 3, of which not allowed: 2",
            "  test_it.py::test_expected: known",
            "  test_it.py::test_skipped: not today",
        ]
    )


def test_in_ci_listed_skips_pass(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    result = run(pytester, monkeypatch, ALL)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["skipped: 3, of which not allowed: 0"])


def test_elsewhere_a_skip_is_only_reported(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    result = run(pytester, monkeypatch, "")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["skipped: 3, of which not allowed: 3"])


def test_every_allowed_skip_says_why() -> None:
    lines = skip_gate.ALLOWED.read_text("utf-8").splitlines()
    assert [line for line in lines if line.strip() and "#" not in line] == []
