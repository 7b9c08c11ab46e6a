"""Faults that are armed, and who takes them. Only touched on the loop."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from fnmatch import fnmatchcase

from poolse.sandbox.clock import Clock
from poolse.sandbox.losses import Losses

__all__ = [
    "CutDownload",
    "CutUpload",
    "Drip",
    "Drop",
    "Fail",
    "Fault",
    "Faults",
    "Hang",
    "Match",
]


@dataclass(frozen=True)
class Fail:
    """Answer with an error instead of doing what was asked."""

    status: int
    code: str
    message: str
    retry_after: float | None = None


@dataclass(frozen=True)
class Drop:
    """Cut the connection instead of answering."""

    executed: bool
    """Do first what was asked."""


@dataclass(frozen=True)
class Hang:
    """Do nothing until it is released."""

    released: asyncio.Event


@dataclass(frozen=True)
class Drip:
    """Send the body one byte at a time."""

    interval: float


@dataclass(frozen=True)
class CutUpload:
    """Cut the connection once that many bytes of the request's body were read."""

    after: int


@dataclass(frozen=True)
class CutDownload:
    """End the connection once that many bytes of the answer's body were sent."""

    after: int


Fault = Fail | Drop | Hang | Drip | CutUpload | CutDownload


@dataclass(frozen=True)
class Match:
    """Which requests are meant."""

    path: str | None = None
    """A shell pattern; None for all."""
    method: str | None = None
    """In whatever case; None for all."""

    def fits(self, method: str, path: str) -> bool:
        """Whether a request is one of them."""
        if self.method is not None and self.method.upper() != method:
            return False
        return self.path is None or fnmatchcase(path, self.path)


@dataclass
class _Armed:
    fault: Fault
    times: int
    match: Match


@dataclass
class _Latency:
    seconds: float
    times: int | None
    match: Match


@dataclass
class _RateLimit:
    """So many requests in so many seconds, by the sandbox's clock."""

    requests: int
    seconds: float
    match: Match
    ends: float = -math.inf
    """When the present span is over. The next one begins with the first request after it."""
    left: int = 0

    def take(self, now: float) -> Fail | None:
        """The refusal of one request more, if it is too many."""
        if now >= self.ends:
            self.ends, self.left = now + self.seconds, self.requests
        if self.left:
            self.left -= 1
            return None
        told = f"the sandbox was told to take {self.requests} requests in {self.seconds:g} s"
        return Fail(429, "rate_limited", told, retry_after=float(math.ceil(self.ends - now)))


class Faults:
    """What goes wrong next."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.sending: asyncio.Event = asyncio.Event()
        """Cleared while the sockets are mute."""
        self._released = asyncio.Event()
        self.losses: Losses = Losses()
        """What happens to broadcasts and pages."""
        self.clear()

    def clear(self) -> None:
        """Let all be well again; what hangs goes on."""
        self._armed: list[_Armed] = []
        self._latencies: list[_Latency] = []
        self._rate_limit: _RateLimit | None = None
        self._join_refusals: list[str] = []
        self._handshake_refusals: list[int] = []
        self.losses.clear()
        self.sending.set()
        self.release()

    def arm(self, fault: Fault, times: int, match: Match) -> None:
        """Let the next requests that fit meet a fault."""
        if times > 0:
            self._armed.append(_Armed(fault, times, match))

    def delay(self, seconds: float, times: int | None, match: Match) -> None:
        """Let answers to requests that fit come later; to all of them when `times` is None."""
        if times is None or times > 0:
            self._latencies.append(_Latency(seconds, times, match))

    def limit_rate(self, requests: int, seconds: float, match: Match) -> None:
        """Refuse requests that fit when there are more of them than this."""
        self._rate_limit = _RateLimit(requests, seconds, match)

    def hang(self, times: int, match: Match) -> None:
        """Let the next requests that fit hang until `release`."""
        self.arm(Hang(self._released), times, match)

    def release(self) -> None:
        """Let go what hangs, and let no more requests hang."""
        self._released.set()
        self._released = asyncio.Event()
        self._armed = [armed for armed in self._armed if not isinstance(armed.fault, Hang)]

    def refuse_joins(self, reason: str, times: int) -> None:
        """Refuse the next joins."""
        self._join_refusals += [reason] * times

    def refuse_handshakes(self, status: int, times: int) -> None:
        """Refuse the next handshakes."""
        self._handshake_refusals += [status] * times

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that a request meets: of those that fit, the one that was armed first."""
        limit = self._rate_limit
        if limit and limit.match.fits(method, path):
            refusal = limit.take(self._clock.now())
            if refusal is not None:
                return refusal
        for armed in self._armed:
            if armed.match.fits(method, path):
                armed.times -= 1
                if not armed.times:
                    self._armed.remove(armed)
                return armed.fault
        return None

    def take_latency(self, method: str, path: str) -> float:
        """Seconds that an answer is late: of all latencies that fit, the one armed last."""
        for latency in reversed(self._latencies):
            if latency.match.fits(method, path):
                if latency.times is not None:
                    latency.times -= 1
                    if not latency.times:
                        self._latencies.remove(latency)
                return latency.seconds
        return 0.0

    def take_join_refusal(self) -> str | None:
        """Why the next join is refused, or None."""
        return self._join_refusals.pop(0) if self._join_refusals else None

    def take_handshake_refusal(self) -> int | None:
        """The status that the next handshake is refused with, or None."""
        return self._handshake_refusals.pop(0) if self._handshake_refusals else None
