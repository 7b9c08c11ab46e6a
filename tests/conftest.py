"""What every test gets: guards against leaks, a gate for skips, and a backend to talk to."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

import poolse

if TYPE_CHECKING:
    from poolse.testing import Sandbox

pytest_plugins = [
    "tests.event_loops",
    "tests.leak_guard",
    "tests.secret_guard",
    "tests.left_out_elsewhere",
    "tests.skip_gate",
]

# A project of its own, with a configuration of its own; tests/package runs it.
collect_ignore = ["example_project"]


# How long an example takes is a matter of the machine; on CI, every run tries the same examples.
hypothesis.settings.register_profile("poolse", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("poolse")


def pytest_configure(config: pytest.Config) -> None:
    # An editable install may point at another tree, and then green would mean nothing here.
    here = Path(__file__).parents[1]
    if Path(poolse.__file__).parents[1] != here:
        raise pytest.UsageError(f"these tests are of {here}, but import {poolse.__file__}")
    # What a shell starts in the background ignores Ctrl-C, and so does all that it starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # What nohup starts ignores the end of its terminal, too.
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is signal.SIG_IGN:
        signal.signal(hangup, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_assertrepr_compare() -> Generator[None, list[str] | None, list[str] | None]:
    """Tell where two values differ, but not line by line.

    On CI pytest prints the whole difference, which takes minutes for a megabyte of bytes: a red
    test would look like one that hangs.
    """
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("CI", raising=False)
        return (yield)


OF_THE_LIBRARY = (
    "tests/codegen/test_deprecated_names_at_runtime.py",
    "tests/codegen/test_generated_unions.py",
    "tests/codegen/test_spec_is_valid.py",
)
"""Tests beside those of the generator that are about what it has generated."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/interop/"):
            item.add_marker(pytest.mark.interop)
        elif item.nodeid.startswith("tests/browser/"):
            item.add_marker(pytest.mark.browser)
        elif item.nodeid.startswith("tests/codegen/") and not item.nodeid.startswith(
            OF_THE_LIBRARY
        ):
            item.add_marker(pytest.mark.tools)


@pytest.fixture(autouse=True)
def answers_are_as_the_spec_says() -> Iterator[None]:
    """Responses, events, pushes and replies of this test's sandboxes, apart from their faults."""
    from poolse.sandbox.response_validation import watch

    breaches: list[str] = []
    with watch(breaches.append):
        yield
    assert breaches == []


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A whole local backend over http and ws, for one test."""
    from poolse.testing import Sandbox

    with Sandbox() as server:
        yield server


@pytest.fixture
def tls_sandbox() -> Iterator[Sandbox]:
    """The same over https and wss: use its `ssl_context()`."""
    from poolse.testing import Sandbox

    with Sandbox(tls=True) as server:
        yield server
