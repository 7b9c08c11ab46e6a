"""Single flight: callers that need the same result at the same time share one call for it.

The call is one of a function of the user's, such as `get_token`. That may need a result itself, so
that one call waits for another. A call that waited, over however many others, for its own end would
wait for ever: it raises instead.

Nothing here calls, waits or locks: `SyncFlight` and `AsyncFlight` do.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, Generic, TypeVar

import attrs

from poolse._support.exception_copies import own_copy
from poolse.cancel import CancelToken
from poolse.errors import Cancelled, UsageError

__all__ = ["WITHIN", "Abandoned", "Flight", "SingleFlight", "Ticket", "current_flight", "shared"]

K = TypeVar("K")
T = TypeVar("T")


class Abandoned(Exception):  # noqa: N818  (caught by those who joined, never seen by a caller)
    """The thread or task that did the work was ended, for instance by SystemExit."""


def shared(error: BaseException) -> BaseException:
    """Return the error for a caller that only waited for work that failed.

    What ends the thread or the task that did the work is meant for that one alone.
    """
    if isinstance(error, Exception) and not isinstance(error, Cancelled):
        return own_copy(error)
    return Abandoned()


class Flight(Generic[T]):
    """A call in flight. Its methods are part of flows: the sync ones return without suspending."""

    def __init__(self) -> None:
        self._waits_for: list[Flight[Any]] = []

    @property
    def over(self) -> bool:
        """Whether it has ended, or will never."""
        raise NotImplementedError

    async def execute(
        self, work: Callable[[], Coroutine[Any, Any, T]], cancel: CancelToken | None
    ) -> T:
        """Do the work, now or in a task. Called once for each flight.

        Returns:
            Its outcome, returned or raised, whatever it raised.
        """
        raise NotImplementedError

    async def ask(self, function: Callable[..., object], *arguments: object) -> object:
        """Call the caller's function, as part of the work."""
        raise NotImplementedError

    async def wait(self, cancel: CancelToken | None) -> T:
        """Return or raise the outcome of the work that another caller began.

        Raises:
            Abandoned: The work ended together with the thread or task that did it.
            Cancelled: By the token. The work continues for the others.
            UsageError: The client was closed first.
        """
        raise NotImplementedError

    def needs(self, other: Flight[Any]) -> bool:
        """Return whether it cannot end before the other one has."""
        if self.over:
            return False
        return self is other or any(flight.needs(other) for flight in [*self._waits_for])

    def wait_for(self, other: Flight[Any]) -> None:
        """Note that this call waits for the result of another one."""
        self._waits_for.append(other)

    def stop_waiting_for(self, other: Flight[Any]) -> None:
        """Note that it has that result, or no longer needs it."""
        self._waits_for.remove(other)


@attrs.frozen(eq=False)
class Ticket(Generic[T]):
    """The right to the result of a flight, and maybe the duty to execute it."""

    flight: Flight[T]
    begins: bool
    """Whether it has just begun: then the holder of this ticket has to do the work."""
    within: Flight[Any] | None
    """The call that asks, if one does."""

    async def result(
        self, work: Callable[[], Coroutine[Any, Any, T]], cancel: CancelToken | None = None
    ) -> T:
        """Return or raise the outcome of the work, and do it if it has not begun.

        Raises:
            Abandoned: Join again: the task or thread that did the work has ended.
        """
        try:
            if self.begins:
                return await self.flight.execute(work, cancel)
            return await self.flight.wait(cancel)
        finally:
            if self.within is not None:
                self.within.stop_waiting_for(self.flight)


class SingleFlight(Generic[K, T]):
    """The flights that may still be shared, by key."""

    def __init__(
        self, begin: Callable[[], Flight[T]], asked_itself: Callable[[], UsageError]
    ) -> None:
        """Make an empty set of flights.

        Args:
            begin: Makes a flight.
            asked_itself: What to raise for a call that asks for its own result.
        """
        self._begin = begin
        self._asked_itself = asked_itself
        self._shared: dict[K, Flight[T]] = {}

    def __contains__(self, key: K) -> bool:
        flight = self._shared.get(key)
        return flight is not None and not flight.over

    def join(self, key: K, within: Flight[Any] | None) -> Ticket[T]:
        """Ask for the result for this key, of the flight that brings it or of a new one.

        Args:
            key: What is asked for.
            within: The call that asks, if one does.

        Raises:
            UsageError: The call asks for its own result.
        """
        flight = self._shared.get(key)
        begins = flight is None or flight.over
        if flight is None or flight.over:
            flight = self._shared[key] = self._begin()
        if within is not None:
            if flight.needs(within):
                raise self._asked_itself()
            within.wait_for(flight)
        return Ticket(flight, begins, within)

    def complete(self, key: K, flight: Flight[T]) -> bool:
        """Remove a flight that has its result. False if that no longer counts, after `forget`."""
        counts = self._shared.get(key) is flight
        if counts:
            del self._shared[key]
        return counts

    def forget(self, key: K) -> bool:
        """Share the flight for this key no more. Whether there was one."""
        known = key in self
        self._shared.pop(key, None)
        return known

    def forget_all(self) -> None:
        """Share none of them any more."""
        self._shared.clear()


# A context variable, and not the thread or the task, because a function may start tasks that ask.
WITHIN: Final = ContextVar[Flight[Any] | None]("poolse_within", default=None)
"""The call whose code is running; None outside of any."""


@contextmanager
def current_flight(flight: Flight[Any]) -> Generator[None]:
    """Note that the work of a call runs."""
    mark = WITHIN.set(flight)
    try:
        yield
    finally:
        WITHIN.reset(mark)
