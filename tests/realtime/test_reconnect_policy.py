"""When to come back, and when not to."""

from __future__ import annotations

import pytest

from poolse._realtime.reconnect_policy import (
    HANDSHAKES,
    PAUSES,
    FinalAfter,
    Pause,
    Policy,
    Streak,
    close_verdict,
    reconnect_delay,
    rejoin_delay,
)
from poolse._realtime.settings import RealtimeSettings

RECONNECT = RealtimeSettings(url="ws://h").reconnect_delays
REJOIN = RealtimeSettings(url="ws://h").rejoin_delays
NONE = Pause(0.0, 0.0)


def test_reconnects_by_the_table_and_then_doubles() -> None:
    spans = [reconnect_delay(RECONNECT, attempt, NONE, 1.0) for attempt in range(6)]
    assert spans == [2.0, 5.0, 10.0, 20.0, 30.0, 30.0]
    spans = [reconnect_delay((0.01, 0.05), attempt, NONE, 1.0) for attempt in range(4)]
    assert spans == [0.01, 0.05, 5.0, 10.0]


def test_reconnect_waits_a_random_part() -> None:
    assert reconnect_delay(RECONNECT, 0, NONE, 0.0) == 0.0
    assert reconnect_delay(RECONNECT, 0, NONE, 0.25) == 0.5
    assert reconnect_delay(RECONNECT, 10**9, NONE, 0.5) == 15.0


def test_a_pause_comes_before_the_random_part_and_widens_it() -> None:
    assert reconnect_delay(RECONNECT, 0, Pause(1.0, 4.0), 0.5) == 3.0
    assert reconnect_delay(RECONNECT, 4, Pause(1.0, 4.0), 0.5) == 16.0


def test_rejoins_by_the_table_with_at_least_half_of_it() -> None:
    assert [rejoin_delay(REJOIN, n, 1.0) for n in range(6)] == [1.0, 2.0, 5.0, 10.0, 10.0, 10.0]
    assert [rejoin_delay(REJOIN, n, 0.0) for n in range(4)] == [0.5, 1.0, 2.5, 5.0]


@pytest.mark.parametrize(
    ("code", "least", "most"),
    [
        (1000, 0.0, 5.0),
        (1001, 0.5, 5.0),
        (1002, 0.0, 5.0),
        (1005, 0.0, 5.0),
        (1006, 0.0, 2.0),
        (1011, 0.0, 5.0),
        (1012, 0.0, 5.0),
        (1013, 5.0, 10.0),
        (4000, 0.0, 5.0),
    ],
)
def test_how_long_a_close_keeps_us_away(code: int, least: float, most: float) -> None:
    pause = PAUSES.get(code, Policy().pause)
    assert reconnect_delay(RECONNECT, 0, pause, 0.0) == least
    assert reconnect_delay(RECONNECT, 0, pause, 1.0) == most


def test_refusals_last_when_they_are_many_and_over_some_time() -> None:
    limit, streak = FinalAfter(3, 10.0), Streak()
    found: list[bool] = []
    for now in (100.0, 101.0, 102.0, 109.9, 110.0):
        streak.add(now)
        found.append(streak.lasts(limit, now))
    assert found == [False, False, False, False, True]
    late = Streak()
    for now in (100.0, 5000.0):
        late.add(now)
    assert not late.lasts(limit, 5000.0), "two refusals an hour apart say nothing of the hour"
    assert not streak.lasts(None, 10**9)


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
    assert close_verdict(HANDSHAKES, status) == expected
