"""Rounds of one flavour, one after the other, in a process of their own."""

from __future__ import annotations

import itertools
import time

from tests.chaos.report import Result
from tests.chaos.round import play
from tests.chaos.world import SETTINGS, Size

__all__ = ["LONG", "rounds"]

LONG = Size(senders=4, sends=250, others=250, rate=0.12, silence=20.0, stride=1, pause=0.12)
"""About two minutes."""


def rounds(flavour: str, seed: str, minutes: float) -> list[Result]:
    """Play rounds; the last one begins before the time is up."""
    ends = time.monotonic() + 60 * minutes
    results: list[Result] = []
    for number in itertools.count():
        setting = SETTINGS[number % len(SETTINGS)]
        results.append(play(flavour, setting, LONG, f"{seed}.{number}"))
        print(results[-1].line, flush=True)
        if time.monotonic() >= ends:
            return results
    raise AssertionError
