"""Which channel rides on which socket.

A server takes a limited number of channels on one connection, so a client has as many sockets as
its channels need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from poolse._realtime.connection_history import ConnectionHistory
from poolse._realtime.events import RealtimeStatus
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import Socket

__all__ = ["SocketPool"]

_FROM_WORST: Final[tuple[RealtimeStatus, ...]] = (
    "closed",
    "reconnecting",
    "connecting",
    "idle",
    "connected",
)


class SocketPool:
    """All sockets of a client."""

    def __init__(self, settings: RealtimeSettings, random: Callable[[], float]) -> None:
        self.links: list[Socket] = []
        self.retired_reconnects: int = 0
        """How often sockets were opened again that are here no more."""
        self._settings = settings
        self._random = random
        self._created = 0
        self._history = ConnectionHistory(settings.stable_after)

    @property
    def status(self) -> RealtimeStatus:
        """That of the worst socket."""
        found = {link.connection.status for link in self.links}
        for status in _FROM_WORST:
            if status in found:
                return status
        return "idle"

    def with_room(self) -> Socket | None:
        """The first socket on which another channel fits."""
        return next((link for link in self.links if link.has_room), None)

    @property
    def usable(self) -> list[Socket]:
        """Sockets that somebody looks after."""
        return [link for link in self.links if not link.is_broken]

    def new(self) -> Socket:
        """A socket that does not belong here yet: first see that it works, then `add` it."""
        self._created += 1
        return Socket(self._settings, self._random, self._history, self._created)

    def add(self, link: Socket) -> None:
        """One socket more. It takes the place of those that nobody looks after."""
        for broken in [other for other in self.links if other.is_broken]:
            self.remove(broken)
        self.links.append(link)

    def remove(self, link: Socket) -> None:
        """One socket less."""
        self.links.remove(link)
        self.retired_reconnects += max(0, link.opened_times - 1)
