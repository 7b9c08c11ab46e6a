"""Faults that are armed, and which of them apply to a request. Only used on the loop.

The `kind` of a fault is the method of `FaultControl` that arms it.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar, TypeVar

from poolse.sandbox.clock import Clock

__all__ = [
    "Armed",
    "BroadcastFaults",
    "CapPages",
    "CutDownload",
    "CutUpload",
    "Drip",
    "Drop",
    "Fail",
    "Fault",
    "Faults",
    "ForgetKeys",
    "Hang",
    "Latency",
    "LostAnswer",
    "Match",
    "RateLimit",
    "RefuseHandshake",
    "RefuseJoin",
    "Replacement",
    "SelectedFaults",
    "UrlExpired",
]

_PAGES = re.compile(r".*/(messages|replies)", re.DOTALL)
"""Paths whose response is a page."""


@dataclass(frozen=True)
class Fail:
    """Respond with an error instead of carrying out the request."""

    kind: ClassVar[str] = "fail"
    status: int
    code: str
    message: str
    retry_after: float | None = None


@dataclass(frozen=True)
class UrlExpired(Fail):
    """Respond as to a signed URL that has expired."""

    kind: ClassVar[str] = "expire_urls"


@dataclass(frozen=True)
class Drop:
    """Cut the connection instead of responding."""

    kind: ClassVar[str] = "drop"
    executed: bool
    """Whether the request is carried out before."""


@dataclass(frozen=True)
class LostAnswer(Drop):
    """Carry the request out, and cut the connection."""

    kind: ClassVar[str] = "lose_answers"
    executed: bool = True


@dataclass(frozen=True)
class Hang:
    """Do nothing until it is released."""

    kind: ClassVar[str] = "hang"
    released: asyncio.Event


@dataclass(frozen=True)
class Drip:
    """Send the body one byte at a time."""

    kind: ClassVar[str] = "drip"
    interval: float


@dataclass(frozen=True)
class CutUpload:
    """Cut the connection once that many bytes of the request's body were read."""

    kind: ClassVar[str] = "cut_uploads"
    after: int


@dataclass(frozen=True)
class CutDownload:
    """End the connection once that many bytes of the response's body were sent."""

    kind: ClassVar[str] = "cut_downloads"
    after: int


@dataclass
class RateLimit:
    """Refuse what is more than so many requests in so many seconds, by the sandbox's clock."""

    kind: ClassVar[str] = "limit_rate"
    requests: int
    seconds: float
    ends: float = -math.inf
    """When the present span is over. The next one begins with the first request after it."""
    left: int = 0

    def take(self, now: float) -> Fail | None:
        """Return the refusal of one request more, if it is too many."""
        if now >= self.ends:
            self.ends, self.left = now + self.seconds, self.requests
        if self.left:
            self.left -= 1
            return None
        message = f"injected rate limit: {self.requests} requests in {self.seconds:g} s"
        return Fail(429, "rate_limited", message, retry_after=float(math.ceil(self.ends - now)))


@dataclass(frozen=True)
class Latency:
    """Respond later, whatever other faults apply."""

    kind: ClassVar[str] = "latency"
    seconds: float


@dataclass(frozen=True)
class CapPages:
    """Put no more items into a page than this."""

    kind: ClassVar[str] = "cap_pages"
    rows: int


@dataclass(frozen=True)
class ForgetKeys:
    """Ignore the idempotency key."""

    kind: ClassVar[str] = "forget_idempotency"


@dataclass(frozen=True)
class RefuseJoin:
    """Refuse to join a channel. What `Match` calls the path is the topic."""

    kind: ClassVar[str] = "refuse_joins"
    reason: str


@dataclass(frozen=True)
class RefuseHandshake:
    """Refuse a handshake with an HTTP status."""

    kind: ClassVar[str] = "refuse_handshakes"
    status: int


Replacement = Fail | Drop | Hang | Drip | CutUpload | CutDownload
"""Replaces or breaks the response: at most one applies to a request."""

Fault = Replacement | RateLimit | Latency | CapPages | ForgetKeys | RefuseJoin | RefuseHandshake

F = TypeVar("F", bound=Fault)


@dataclass(frozen=True)
class Match:
    """Which requests are meant."""

    path: str | None = None
    """A shell pattern; None for all."""
    method: str | None = None
    """In whatever case; None for all."""

    def fits(self, method: str, path: str) -> bool:
        """Return whether a request is one of them."""
        if self.method is not None and self.method.upper() != method:
            return False
        return self.path is None or fnmatchcase(path, self.path)


@dataclass(eq=False)
class Armed:
    """A fault, and to which requests it applies."""

    id: int
    fault: Fault
    times: int | None
    """To how many more requests it applies; None for all until `clear`."""
    match: Match


@dataclass(frozen=True)
class SelectedFaults:
    """The faults that apply to one request."""

    replacement: Replacement | None = None
    latency: float = 0.0
    page_cap: int | None = None
    key_ignored: bool = False


@dataclass
class BroadcastFaults:
    """Faults of broadcasts. Shares are between 0 and 1, of all broadcasts to all sockets."""

    lost: float = 0.0
    doubled: float = 0.0
    delayed: float = 0.0
    """Come up to `seconds` later, so that others overtake them."""
    seconds: float = 0.0
    random: Callable[[], float] = random.random

    def clear(self) -> None:
        """Deliver all broadcasts again."""
        self.lost = self.doubled = self.delayed = 0.0

    def deliver(self, event: str, send: Callable[[], None]) -> None:
        """Send one broadcast to one socket: not at all, once or twice, now or later."""
        if event.startswith("presence_"):
            send()
            return
        if self.random() < self.lost:
            return
        for _ in range(2 if self.random() < self.doubled else 1):
            if self.random() < self.delayed:
                asyncio.get_running_loop().call_later(self.random() * self.seconds, send)
            else:
                send()


class Faults:
    """What goes wrong next: a list of armed faults, each with its number of times and its match."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.sending: asyncio.Event = asyncio.Event()
        """Cleared while the sockets are mute."""
        self._released = asyncio.Event()
        self.newest: int = 0
        """Number of the fault that was armed last, 0 before the first."""
        self.broadcasts: BroadcastFaults = BroadcastFaults()
        """What happens to broadcasts."""
        self.clear()

    def clear(self) -> None:
        """Disarm everything; what hangs continues."""
        self._armed: list[Armed] = []
        self.broadcasts.clear()
        self.sending.set()
        self.release()

    def arm(self, fault: Fault, times: int | None, match: Match) -> None:
        """Apply a fault to the next requests that match, or to all if `times` is None."""
        if times is None or times > 0:
            self.newest += 1
            self._armed.append(Armed(self.newest, fault, times, match))

    def armed(self) -> list[Armed]:
        """Return what is armed, the oldest first."""
        return list(self._armed)

    def disarm_one(self, number: int) -> bool:
        """Disarm one fault; return False if it is not armed."""
        before = len(self._armed)
        self._armed = [armed for armed in self._armed if armed.id != number]
        return len(self._armed) < before

    def disarm(self, kind: type[Fault]) -> None:
        """Disarm the faults of one kind."""
        self._armed = [armed for armed in self._armed if not isinstance(armed.fault, kind)]

    def hang(self, times: int | None, match: Match) -> None:
        """Let the next requests that fit hang until `release`."""
        self.arm(Hang(self._released), times, match)

    def release(self) -> None:
        """Let everything that hangs continue, and no more requests hang."""
        self._released.set()
        self._released = asyncio.Event()
        self.disarm(Hang)

    def select(self, method: str, path: str, *, has_key: bool) -> SelectedFaults:
        """Return the faults that apply to a request, and count them.

        Of the faults that replace the response the one that was armed first; of each other kind
        the one that was armed last.
        """
        newest = self._armed[::-1]
        latency = self._take(Latency, newest, method, path)
        cap = None
        if method == "GET" and _PAGES.fullmatch(path):
            cap = self._take(CapPages, newest, method, path)
        return SelectedFaults(
            replacement=self._replacement(method, path),
            latency=0.0 if latency is None else latency.seconds,
            page_cap=None if cap is None else cap.rows,
            key_ignored=has_key and self._take(ForgetKeys, newest, method, path) is not None,
        )

    def refuse_join(self, topic: str) -> str | None:
        """Return why a join is refused, or None."""
        refusal = self._take(RefuseJoin, self._armed, "", topic)
        return None if refusal is None else refusal.reason

    def refuse_handshake(self) -> int | None:
        """Return the status that the next handshake is refused with, or None."""
        refusal = self._take(RefuseHandshake, self._armed, "GET", "")
        return None if refusal is None else refusal.status

    def _replacement(self, method: str, path: str) -> Replacement | None:
        for armed in self._armed:
            if not armed.match.fits(method, path):
                continue
            fault: Fault | None = armed.fault
            if isinstance(fault, RateLimit):
                fault = fault.take(self._clock.now())
            if isinstance(fault, Replacement):
                self._count(armed)
                return fault
        return None

    def _take(self, kind: type[F], among: Iterable[Armed], method: str, path: str) -> F | None:
        for armed in among:
            if isinstance(armed.fault, kind) and armed.match.fits(method, path):
                self._count(armed)
                return armed.fault
        return None

    def _count(self, armed: Armed) -> None:
        if armed.times is not None:
            armed.times -= 1
            if not armed.times:
                self._armed.remove(armed)
