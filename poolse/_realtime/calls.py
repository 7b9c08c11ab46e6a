"""The user's functions that are to be called: handlers of events and status, and error reports.

They wait in one bounded queue, in the order in which things happened, so that neither a slow nor
a raising function can hold up a socket. A body takes them out one by one and calls them without
holding any lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from poolse._realtime.fanout import EventQueue, Subscription
from poolse.errors import PoolseError, RealtimeError, SlowConsumer

__all__ = ["Call", "Calls", "Handler", "Wake"]

Handler = Callable[[object], object]
Wake = Callable[[], object]


Call = tuple[Subscription[Handler], object]
"""Whose function to call, and what with. Taken back meanwhile, it is not called any more."""


class Listener(Subscription[Handler]):
    """Whoever is told of errors and news. If it fails itself, nobody is left to tell."""


class Calls:
    """The queue of a client."""

    def __init__(self, limit: int, wake: Wake, on_error: Callable[[PoolseError], object]) -> None:
        self._queue = EventQueue[Call](limit)
        self._wake = wake
        self._errors = Listener(None, cast(Handler, on_error))

    @property
    def ready(self) -> bool:
        """Whether a call waits, or there will be none any more."""
        return self._queue.ready

    def put(self, subscription: Subscription[Any], argument: object) -> None:
        """Let the handler of a subscription be called with something."""
        # A queue that holds something already is looked at again before anybody waits.
        if self._queue.put((subscription, argument)):
            self._wake()

    def report(self, error: PoolseError) -> None:
        """Let the user be told of an error that ends nothing."""
        self.put(self._errors, error)

    def tell(self, observer: Callable[[Any], object], info: object) -> None:
        """Let an observer be told of something."""
        self.put(Listener(None, observer), info)

    def __len__(self) -> int:
        return len(self._queue)

    def next(self) -> Call | None:
        """The next call; None when none waits.

        Raises:
            QueueEnded: There will be none any more.
        """
        while True:
            try:
                call = self._queue.get()
            except SlowConsumer as lost:
                return self._errors, lost
            except IndexError:
                return None
            if call[0].active:
                return call

    def failed(self, call: Call, cause: BaseException) -> None:
        """A call raised."""
        subscription, _ = call
        if not isinstance(subscription, Listener):
            function = subscription.target
            name = getattr(function, "__qualname__", type(function).__name__)
            error = RealtimeError(f"the callback {name} failed: {type(cause).__name__}")
            error.__cause__ = cause
            self.report(error)

    @property
    def dropped(self) -> int:
        """How many were not made, because functions took longer than events took to come."""
        return self._queue.dropped

    def close(self) -> None:
        """Take no more calls. Those that wait are still made."""
        self._queue.close()
        self._wake()
