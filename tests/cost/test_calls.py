"""What a REST call, a row and an event may cost, counted in calls of Python functions.

The bounds are what was counted on Python 3.11, and a tenth more. Whoever makes a hot path longer
meets them here on any machine; whoever has a good reason raises them.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.bench import decoding
from tests.cost.counting import Count

BOUNDS = {"sync call": 77, "async call": 72, "row": 10, "event": 28}
"""Calls of functions of the library itself."""

LIGHTER = 0.85
"""Bytes of rows, to those of the same as dicts."""


@pytest.fixture(scope="module")
def counts() -> dict[str, Count]:
    command = [sys.executable, "-m", "tests.cost.count_operations"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name: Count(**count) for name, count in json.loads(done.stdout).items()}


@pytest.mark.parametrize("work", BOUNDS)
def test_work_of_the_library(counts: dict[str, Count], work: str) -> None:
    assert counts[work].ours <= BOUNDS[work]


def test_a_sync_call_is_two_thirds_of_the_work_with_httpx_alone(counts: dict[str, Count]) -> None:
    assert counts["sync call"].all <= counts["httpx"].all * 2 / 3


def test_idle_connections_are_no_work(counts: dict[str, Count]) -> None:
    assert counts["call among idle connections"].all <= counts["sync call"].all


def test_an_async_call_is_a_third_of_the_work_with_httpx_alone(counts: dict[str, Count]) -> None:
    assert counts["async call"].all <= counts["async httpx"].all / 3


def test_rows_are_lighter_than_dicts() -> None:
    with decoding.rows_weight("") as rows, decoding.dicts_weight("") as dicts:
        assert rows() <= LIGHTER * dicts()
