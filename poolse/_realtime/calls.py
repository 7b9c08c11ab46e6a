"""The user's functions that are to be called: handlers of events and status, and error reports.

They wait in one bounded queue, in the order in which things happened, so that neither a slow nor
a raising function can hold up a socket. A body takes them out one by one and calls them without
holding any lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import attrs

from poolse._realtime.fanout import EventQueue, Subscription
from poolse.errors import PoolseError, RealtimeError, SlowConsumer

__all__ = ["Call", "Calls", "Handler", "Wake"]

Handler = Callable[[object], object]
Wake = Callable[[], object]


# Not frozen, like `Frame`: there is one for each event.
@attrs.define(eq=False)
class Call:
    """A function, and what to call it with."""

    function: Handler
    argument: object
    subscription: Subscription[Any] | None = None
    """What it was subscribed by. Taken back meanwhile, it is not called any more."""
    is_report: bool = False
    """Whether it is told of an error. If it fails itself, nobody is left to tell."""


class Calls:
    """The queue of a client."""

    def __init__(self, limit: int, wake: Wake, on_error: Callable[[PoolseError], object]) -> None:
        self._queue = EventQueue[Call](limit)
        self._wake = wake
        self._on_error = cast(Handler, on_error)

    @property
    def ready(self) -> bool:
        """Whether `next` has something to say."""
        return self._queue.ready

    def put(self, handler: Handler, argument: object, subscription: Subscription[Any]) -> None:
        """Let a handler be called with something."""
        # A queue that holds something already is looked at again before anybody waits.
        if self._queue.put(Call(handler, argument, subscription)):
            self._wake()

    def report(self, error: PoolseError) -> None:
        """Let the user be told of an error that ends nothing."""
        if self._queue.put(self._reporting(error)):
            self._wake()

    def tell(self, observer: Callable[[Any], object], info: object) -> None:
        """Let an observer be told of something."""
        self._queue.put(Call(observer, info, is_report=True))
        self._wake()

    def __len__(self) -> int:
        return len(self._queue)

    def next(self) -> Call | None:
        """The next call; None when its subscription was taken back meanwhile. Ask when `ready`.

        Raises:
            QueueEnded: There will be none any more.
        """
        try:
            call = self._queue.get()
        except SlowConsumer as lost:
            return self._reporting(lost)
        wanted = call.subscription is None or call.subscription.active
        return call if wanted else None

    def failed(self, call: Call, cause: BaseException) -> None:
        """A call raised."""
        if not call.is_report:
            name = getattr(call.function, "__qualname__", type(call.function).__name__)
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

    def _reporting(self, error: PoolseError) -> Call:
        return Call(self._on_error, error, is_report=True)
