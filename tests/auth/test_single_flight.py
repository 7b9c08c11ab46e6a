"""Calls under way: one for each key, and none that waits for itself."""

from __future__ import annotations

from typing import Any

import pytest

from poolse import UsageError
from poolse._auth.single_flight import SingleFlight
from tests.auth.scripted_flights import Leg, leg_of

Fleet = SingleFlight[str, Any]


def fleet() -> Fleet:
    return Fleet(Leg, lambda: UsageError("asked itself"))


def join(flights: Fleet, key: str, within: Leg | None = None) -> Leg:
    return leg_of(flights.join(key, within).flight)


def test_all_who_ask_for_the_same_share_one_flight() -> None:
    flights = fleet()
    first, again, other = (flights.join(key, None) for key in "aab")
    assert (first.begins, again.begins, other.begins) == (True, False, True)
    assert again.flight is first.flight
    assert other.flight is not first.flight


def test_a_flight_that_is_over_is_not_shared() -> None:
    flights = fleet()
    first = join(flights, "a")
    first.ended = True
    assert "a" not in flights
    claim = flights.join("a", None)
    assert claim.begins
    assert claim.flight is not first


def test_a_forgotten_flight_does_not_count_when_it_lands() -> None:
    flights = fleet()
    first = join(flights, "a")
    assert flights.forget("a")
    assert not flights.forget("a")
    second = join(flights, "a")
    assert not flights.complete("a", first)
    assert flights.complete("a", second)
    assert not flights.complete("a", second)


def test_a_call_that_asks_for_itself_is_refused() -> None:
    flights = fleet()
    first = join(flights, "a")
    with pytest.raises(UsageError, match="asked itself"):
        join(flights, "a", first)


def test_two_calls_that_wait_for_each_other_are_refused() -> None:
    flights = fleet()
    first, second, third = (join(flights, key) for key in "abc")
    join(flights, "b", first)
    join(flights, "c", second)
    with pytest.raises(UsageError, match="asked itself"):
        join(flights, "a", third)


@pytest.mark.parametrize("end", ["over", "left"])
def test_who_waits_no_longer_is_in_nobodys_way(end: str) -> None:
    flights = fleet()
    first, second = (join(flights, key) for key in "ab")
    join(flights, "b", first)
    if end == "over":
        first.ended = True
    else:
        first.stop_waiting_for(second)
    assert (join(flights, "a", second) is first) is (end == "left")


def test_calls_of_different_kinds_wait_for_each_other_too() -> None:
    flights = fleet()
    others = fleet()
    token = join(flights, "token")
    profile = join(others, "user", token)
    with pytest.raises(UsageError, match="asked itself"):
        join(flights, "token", profile)
