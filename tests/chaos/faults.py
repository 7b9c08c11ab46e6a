"""What goes wrong, and when: drawn from a seed, so that a run can be repeated."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Literal

import attrs

__all__ = ["Fault", "Kind", "Plan", "Walk", "Way"]

Kind = Literal["cut", "half-open", "latency", "reset", "slow loris"]
Way = Literal["up", "down"]

SHARES: dict[Kind, int] = {"cut": 6, "latency": 4, "reset": 2, "slow loris": 2, "half-open": 1}


@attrs.frozen(kw_only=True)
class Fault:
    """One thing that goes wrong with one exchange: a request and its answer."""

    kind: Kind
    way: Way = "up"
    """For a cut: whose bytes are counted."""
    at: int = 0
    """For a cut: the connection ends after so many of them."""
    seconds: float = 0.0
    """How late bytes come, or how long a half-open connection stays silent before it ends."""
    abrupt: bool = False
    """Whether a cut is a reset rather than a goodbye in the middle."""


class Walk:
    """A cut position that goes over every byte offset of requests, and over those of answers."""

    def __init__(self, stride: int, start: int = 0) -> None:
        self.longest: dict[Way, int] = {"up": 0, "down": 0}
        """The last offset reached so far."""
        self.rounds: dict[Way, int] = {"up": 0, "down": 0}
        """How often it has come to the end."""
        self._stride = stride
        self._start = start
        self._next: dict[Way, int] = {"up": start, "down": start}

    def step(self, way: Way) -> int:
        """The next position."""
        at = self._next[way]
        self._next[way] = at + self._stride
        return at

    def reached(self, way: Way, at: int) -> None:
        """The exchange had as many bytes as that."""
        self.longest[way] = max(self.longest[way], at)

    def ended(self, way: Way) -> None:
        """The exchange was over before the position was reached: begin again."""
        self.rounds[way] += 1
        self._next[way] = self._start


class Plan:
    """Which exchange meets which fault. Used by one thread."""

    def __init__(self, seed: str, *, rate: float, longest_silence: float, stride: int = 1) -> None:
        """Draw from this seed.

        Args:
            seed: Another one gives other faults.
            rate: The part of all exchanges that meet one.
            longest_silence: Seconds that a half-open connection lasts at most.
            stride: Of the cut position.
        """
        self.injected = Counter[Kind]()
        """Those that took effect."""
        self.walk = Walk(stride)
        self._random = Random(seed)
        self._rate = rate
        self._silence = longest_silence
        self._armed: Fault | None = None

    @property
    def draws(self) -> bool:
        """Whether faults are drawn, and not only armed."""
        return self._rate > 0

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self._rate = 0.0

    def arm(self, fault: Fault) -> None:
        """Let the next exchange meet this one, whatever was drawn."""
        self._armed = fault

    def next(self) -> Fault | None:
        """The fault of an exchange that begins, or None."""
        if self._armed is not None:
            armed, self._armed = self._armed, None
            return armed
        if self._random.random() >= self._rate:
            return None
        (kind,) = self._random.choices(list(SHARES), list(SHARES.values()))
        way: Way = self._random.choice(("up", "down"))
        seconds = {"half-open": self._silence, "latency": 0.3, "slow loris": 0.01}.get(kind, 0.0)
        return Fault(
            kind=kind,
            way=way,
            at=self.walk.step(way) if kind == "cut" else 0,
            seconds=seconds * self._random.random(),
            abrupt=self._random.random() < 0.5,
        )
