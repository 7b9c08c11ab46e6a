"""A call that one thread makes, and whose result it shares with all threads that wait for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from poolse._auth.single_flight import Flight, current_flight, shared
from poolse._rest.request_io import Lifetime, run_sync
from poolse._support.interruptible_event import InterruptibleEvent
from poolse.cancel import CancelToken, any_of, told

__all__ = ["SyncFlight"]

T = TypeVar("T")


class SyncFlight(Flight[T], Generic[T]):
    """A call under way in the thread that began it."""

    def __init__(self, lifetime: Lifetime, _name: str = "") -> None:
        super().__init__()
        self._lifetime = lifetime
        self._outcome: Future[T] = Future()

    @property
    def over(self) -> bool:
        return self._outcome.done()

    async def execute(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        cancel: CancelToken | None,  # noqa: ARG002  (nothing interrupts the caller's function)
    ) -> T:
        # BaseException too: those who wait for this call must not wait forever.
        try:
            result = run_sync(work())
        except BaseException as error:
            self._outcome.set_exception(error)
            raise
        self._outcome.set_result(result)
        return result

    async def ask(self, function: Callable[..., object], *arguments: object) -> object:
        with current_flight(self):
            found = function(*arguments)
        if inspect.iscoroutine(found):
            # It will be refused, and Python would complain of one that was never awaited.
            found.close()
        return found

    async def wait(self, cancel: CancelToken | None) -> T:
        stop = any_of(self._lifetime, cancel)
        ended = InterruptibleEvent()
        self._outcome.add_done_callback(lambda _: ended.set())
        with told(stop, ended.set):
            ended.wait()
        if stop is not None:
            stop.raise_if_cancelled()
        error = self._outcome.exception()
        if error is not None:
            raise shared(error)
        return self._outcome.result()
