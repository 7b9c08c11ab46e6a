"""Who is told when the status changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from poolse._realtime.calls import Calls, Handler
from poolse._realtime.events import RealtimeStatus
from poolse._realtime.fanout import Fanout, Subscription

__all__ = ["StatusWatch"]

_STATUS: Final = "status"


class StatusWatch:
    """The handlers of a client, and what they were told last."""

    def __init__(self) -> None:
        self._told: RealtimeStatus = "idle"
        self._handlers = Fanout[Handler, RealtimeStatus]()

    def subscribe(self, handler: Callable[[RealtimeStatus], object]) -> Subscription[Handler]:
        """Let a handler be called with each new status."""
        # It is given a status, and nothing else.
        subscription, _ = self._handlers.subscribe(_STATUS, cast(Handler, handler))
        return subscription

    def unsubscribe(self, subscription: Subscription[Handler]) -> None:
        """Take a handler back. Doing it again does nothing."""
        self._handlers.unsubscribe(subscription)

    def tell(self, status: RealtimeStatus, calls: Calls) -> None:
        """Say what the status is now. Only a change is passed on."""
        if status != self._told:
            self._told = status
            for subscription in self._handlers.takers(_STATUS):
                calls.put(subscription, status)
