"""What happens to broadcasts on their way. Only touched on the loop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["BroadcastFaults"]


@dataclass
class BroadcastFaults:
    """How much goes wrong. Shares are between 0 and 1, of all broadcasts to all sockets."""

    lost: float = 0.0
    doubled: float = 0.0
    delayed: float = 0.0
    """Come up to `seconds` later, so that others overtake them."""
    seconds: float = 0.0
    random: Callable[[], float] = random.random

    def clear(self) -> None:
        """Let all arrive again."""
        self.lost = self.doubled = self.delayed = 0.0

    def carry(self, event: str, send: Callable[[], None]) -> None:
        """Let one broadcast go out to one socket: not at all, once or twice, now or later."""
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
