"""Flights that end when a test says so."""

from __future__ import annotations

from typing import Any

from poolse._auth.single_flight import Flight


class Leg(Flight[Any]):
    """A call that carries nothing."""

    ended = False

    @property
    def over(self) -> bool:
        return self.ended


def leg_of(flight: Flight[Any]) -> Leg:
    """The flight, which a test can end."""
    assert isinstance(flight, Leg)
    return flight
