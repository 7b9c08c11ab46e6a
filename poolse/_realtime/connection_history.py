"""What the sockets of a client remember together, longer than one socket or channel lives.

A user's error handler may connect again, or acquire a channel again, each time that one fails. The
wait that was due must survive that, or the handler makes a hot loop of the backoff.
"""

from __future__ import annotations

import attrs

__all__ = ["ConnectionHistory", "Rejoin"]


@attrs.frozen
class Rejoin:
    """When a topic may be joined again after a failure, and how many failures there were."""

    attempt: int
    due: float


class ConnectionHistory:
    """Shared by all sockets of a client."""

    def __init__(self, remembered_for: float) -> None:
        """Create an empty one.

        Args:
            remembered_for: Seconds after the end of its wait for which a failure counts.
        """
        self.has_connected = False
        """Whether the server has accepted a socket of this client before."""
        self._remembered_for = remembered_for
        self._rejoins: dict[str, Rejoin] = {}

    def join_failed(self, topic: str, rejoin: Rejoin, now: float) -> None:
        """Remember the wait of a topic."""
        # At the end, so that the oldest are in front, and go when their time is over.
        self._rejoins.pop(topic, None)
        self._rejoins[topic] = rejoin
        while self._is_over(next(iter(self._rejoins.values())), now):
            del self._rejoins[next(iter(self._rejoins))]

    def joined(self, topic: str) -> None:
        """Forget the failures of a topic."""
        self._rejoins.pop(topic, None)

    def rejoin(self, topic: str, now: float) -> Rejoin:
        """Return the wait of a topic, with no failures when there is none."""
        found = self._rejoins.get(topic)
        return Rejoin(0, now) if found is None or self._is_over(found, now) else found

    def _is_over(self, rejoin: Rejoin, now: float) -> bool:
        return now > rejoin.due + self._remembered_for
