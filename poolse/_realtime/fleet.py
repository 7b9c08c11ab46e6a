"""Which channel rides on which socket.

A server takes a limited number of channels on one connection, so a client has as many sockets as
its channels need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from poolse._realtime.events import RealtimeStatus
from poolse._realtime.history import History
from poolse._realtime.link import Link
from poolse._realtime.settings import RealtimeSettings

__all__ = ["Fleet"]

_FROM_WORST: Final[tuple[RealtimeStatus, ...]] = (
    "closed",
    "reconnecting",
    "connecting",
    "idle",
    "connected",
)


class Fleet:
    """All sockets of a client."""

    def __init__(self, settings: RealtimeSettings, random: Callable[[], float]) -> None:
        self.links: list[Link] = []
        self._settings = settings
        self._random = random
        self._history = History(settings.stable_after)

    @property
    def status(self) -> RealtimeStatus:
        """That of the worst socket."""
        found = {link.connection.status for link in self.links}
        for status in _FROM_WORST:
            if status in found:
                return status
        return "idle"

    def with_room(self) -> Link | None:
        """The first socket on which another channel fits."""
        return next((link for link in self.links if link.has_room), None)

    def add(self) -> Link:
        """One socket more."""
        link = Link(self._settings, self._random, self._history)
        self.links.append(link)
        return link
