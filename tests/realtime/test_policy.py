"""When to come back, and when not to."""

from __future__ import annotations

import random

import pytest

from poolse._realtime.policy import (
    HANDSHAKES,
    PAUSES,
    after_close,
    reconnect_delay,
    rejoin_delay,
    verdict,
)
from poolse._realtime.settings import RealtimeSettings

RECONNECT = RealtimeSettings(url="ws://h").reconnect_delays
REJOIN = RealtimeSettings(url="ws://h").rejoin_delays


def test_reconnects_by_the_table_and_then_doubles() -> None:
    spans = [reconnect_delay(RECONNECT, attempt, 1.0) for attempt in range(14)]
    assert spans == [0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 30.0]


def test_reconnect_waits_a_random_part() -> None:
    assert reconnect_delay(RECONNECT, 8, 0.0) == 0.0
    assert reconnect_delay(RECONNECT, 8, 0.25) == 0.5
    assert reconnect_delay(RECONNECT, 10**9, 0.5) == 15.0


def test_rejoins_by_the_table_with_at_least_half_of_it() -> None:
    assert [rejoin_delay(REJOIN, n, 1.0) for n in range(6)] == [1.0, 2.0, 5.0, 10.0, 10.0, 10.0]
    assert [rejoin_delay(REJOIN, n, 0.0) for n in range(4)] == [0.5, 1.0, 2.5, 5.0]


def test_a_deploy_spreads_its_clients() -> None:
    source = random.Random(7)
    delays = sorted(
        after_close(PAUSES, 1012, 0.01 * source.random(), source.random()) for _ in range(1000)
    )
    assert delays[0] >= 0.0
    assert delays[-1] <= 5.0
    assert delays[950] - delays[50] >= 4.0


@pytest.mark.parametrize(
    ("code", "least"), [(1001, 0.5), (1013, 5.0), (1000, 0.01), (1006, 0.01), (4000, 0.01)]
)
def test_some_closes_ask_for_more_time(code: int, least: float) -> None:
    assert after_close(PAUSES, code, 0.01, 0.0) == least
    assert after_close(PAUSES, code, 30.0, 0.0) == 30.0


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, "retry"),
        (401, "refresh"),
        (403, "refresh"),
        (400, "final"),
        (404, "final"),
        (302, "final"),
        (429, "retry"),
        (500, "retry"),
        (502, "retry"),
        (503, "retry"),
    ],
)
def test_what_a_refused_handshake_means(status: int | None, expected: str) -> None:
    assert verdict(HANDSHAKES, status) == expected
