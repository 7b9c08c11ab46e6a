"""Faults that are armed, and who takes them. Only touched on the loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from fnmatch import fnmatchcase

__all__ = ["Drip", "Drop", "Fail", "Fault", "Faults", "Hang"]


@dataclass(frozen=True)
class Fail:
    """Answer with an error instead of doing what was asked."""

    status: int
    code: str
    retry_after: float | None


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


Fault = Fail | Drop | Hang | Drip


@dataclass
class _Armed:
    fault: Fault
    times: int
    path: str | None


class Faults:
    """What goes wrong next."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._join_refusals: list[str] = []
        self._handshake_refusals: list[int] = []
        self._released = asyncio.Event()
        self.sending = asyncio.Event()
        """Cleared while the sockets are mute."""
        self.sending.set()

    def arm(self, fault: Fault, times: int, path: str | None = None) -> None:
        """Let the next requests, or those whose path matches a shell pattern, meet a fault."""
        if times > 0:
            self._armed.append(_Armed(fault, times, path))

    def hang(self, times: int) -> None:
        """Let the next requests hang until `release`."""
        self.arm(Hang(self._released), times)

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

    def take(self, path: str) -> Fault | None:
        """The fault that a request meets: of those that fit, the one that was armed first."""
        for armed in self._armed:
            if armed.path is None or fnmatchcase(path, armed.path):
                armed.times -= 1
                if not armed.times:
                    self._armed.remove(armed)
                return armed.fault
        return None

    def take_join_refusal(self) -> str | None:
        """Why the next join is refused, or None."""
        return self._join_refusals.pop(0) if self._join_refusals else None

    def take_handshake_refusal(self) -> int | None:
        """The status that the next handshake is refused with, or None."""
        return self._handshake_refusals.pop(0) if self._handshake_refusals else None
