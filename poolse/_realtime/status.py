"""Who is told when the status changes."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import Final, cast

from poolse._realtime.callback_queue import CallbackQueue, Handler
from poolse._realtime.events import RealtimeStatus
from poolse._realtime.subscribers import Subscribers, Subscription

__all__ = ["StatusListeners"]

_STATUS: Final = "on_status"


class StatusListeners:
    """The handlers of a client, and what they were told last."""

    def __init__(self) -> None:
        self._told: RealtimeStatus = "idle"
        self._handlers = Subscribers[Handler, RealtimeStatus]()

    def subscribe(
        self,
        handler: Callable[[RealtimeStatus], object],
        context: Context | None,
        calls: CallbackQueue,
    ) -> Subscription[Handler]:
        """Let a handler be called with each new status."""
        # It is given a status, and nothing else.
        subscription, _ = self._handlers.subscribe(_STATUS, cast(Handler, handler), context=context)
        calls.general.backlogs.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription[Handler], calls: CallbackQueue) -> None:
        """Take a handler back. Doing it again does nothing."""
        if subscription.active:
            self._handlers.unsubscribe(subscription)
            calls.remove(calls.general, subscription)

    def tell(self, status: RealtimeStatus, calls: CallbackQueue) -> None:
        """Say what the status is now. Only a change is passed on."""
        if status != self._told:
            self._told = status
            for subscription in self._handlers.takers(_STATUS):
                calls.put(calls.general, subscription, status)
