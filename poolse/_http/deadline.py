"""The deadline of one attempt of a sync call, and the tokens that cancel it."""

from __future__ import annotations

import math
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from poolse._rest.http_messages import RequestBody
from poolse._rest.request_io import run_sync
from poolse._support.fork_safety import renew_after_fork
from poolse._support.interruptible_event import InterruptibleEvent
from poolse.cancel import CancelToken, any_of, told
from poolse.errors import RequestTimeout

if TYPE_CHECKING:
    from poolse._network.nested_tls import NestedTls

__all__ = ["NEVER", "Deadline", "Limit", "current", "moment", "pieces_of"]

T = TypeVar("T")

# Polling needs no descriptor of its own; where there is no poll, select does the same.
Selector: type[selectors.BaseSelector] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)


# The system calls count milliseconds in 31 bits. The caller waits again after that.
LONGEST_WAIT = 1_000_000.0


class Limit(NamedTuple):
    """When a wait is over, and what is raised then."""

    moment: float
    late: type[Exception]


NEVER = Limit(math.inf, TimeoutError)


def moment(seconds: float | None) -> float:
    """Return the end of a timeout on the monotonic clock; infinity for None."""
    return math.inf if seconds is None else time.monotonic() + seconds


class Deadline:
    """The deadline and the cancel tokens of an attempt, while it runs in this thread.

    As a context manager it is `current`, where the sockets of the connection pool find it.
    """

    def __init__(
        self, total: float | None, cancel: CancelToken | None, closing: CancelToken | None = None
    ) -> None:
        """Begin an attempt.

        Args:
            total: Seconds that it may take; None for no limit.
            cancel: The caller's token, which also ends a wait for a socket.
            closing: Ends every other wait. A client that closes also closes its sockets, so that
                these need no descriptors to be woken by.
        """
        self._total = total
        self._ends = math.inf if total is None else time.monotonic() + total
        self._cancel = cancel
        self._stop = closing if cancel is None else any_of(closing, cancel)
        self._wakeup: _Wakeup | None = None
        self._forget_wakeup: Callable[[], None] | None = None
        self.connect_by = math.inf
        self.method = ""
        """That of the request."""
        self.has_head = False
        """Whether status and headers of the response have come."""
        self.is_spoilt = False
        """Whether the connection has bytes that belong to no response."""
        self._head_by: float | None = None

    def __enter__(self) -> Self:
        if self._stop is not None:
            self._stop.raise_if_cancelled()
        self._outer = current.set(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        current.reset(self._outer)
        if self._forget_wakeup is not None:
            self._forget_wakeup()
        if self._wakeup is not None:
            self._wakeup.close()

    @property
    def can_be_cancelled(self) -> bool:
        """Whether there is a token that may end it."""
        return self._cancel is not None

    def check(self) -> None:
        """Raise `Cancelled`, `UsageError` once the client is closed, or `RequestTimeout`."""
        if self._stop is not None:
            self._stop.raise_if_cancelled()
        if self._total is not None and time.monotonic() >= self._ends:
            raise RequestTimeout("total", self._total)

    def sent(self) -> None:
        """Note that bytes were sent, so that the timeout of the response starts over."""
        self._head_by = None

    def response_by(self, timeout: float | None, late: type[Exception]) -> Limit:
        """Return the limit by which the next bytes of the response have to come.

        Its head has one limit in all, or a server could send headers and 1xx for ever.
        """
        if self.has_head:
            return Limit(moment(timeout), late)
        if self._head_by is None:
            self._head_by = moment(timeout)
        elif self._head_by < time.monotonic():
            raise late
        return Limit(self._head_by, late)

    def telling(self, callback: Callable[[], object]) -> AbstractContextManager[None]:
        """Call the callback on cancellation, and on close, inside the block."""
        return told(self._stop, callback)

    def wait_for(self, sock: socket.socket | NestedTls, events: int, until: Limit) -> int:
        """Block until the socket is ready, at most until then. Return what it is ready for."""
        with Selector() as selector:
            selector.register(sock, events)
            if self._cancel is not None:
                selector.register(self._waker(self._cancel), selectors.EVENT_READ)
            while not (ready := selector.select(self._left(until))):
                pass
        self.check()
        for key, event in ready:
            if key.fileobj is sock:
                return event
        return 0

    def outcome(self, future: Future[T], until: Limit) -> T:
        """Block until another thread has done it, at most until then. It may continue alone."""
        done = InterruptibleEvent()
        future.add_done_callback(lambda _: done.set())
        with self.telling(done.set):
            while not future.done():
                done.wait(self._left(until))
        self.check()
        return future.result()

    def wait_on(self, event: InterruptibleEvent, until: Limit) -> None:
        """Block until the event is set, and at most `until` then."""
        event.wait(self._left(until))

    def _waker(self, cancel: CancelToken) -> _Wakeup:
        """Return what the token sets. Created for the first wait: it takes two descriptors.

        The callers of `wait_for` know what an OSError means: there may be none left.
        """
        if self._wakeup is None:
            self._wakeup = _Wakeup()
            self._forget_wakeup = cancel.on_cancel(self._wakeup.set)
        return self._wakeup

    def _left(self, until: Limit) -> float | None:
        """Return the seconds that are left for a wait. Raise if there are none."""
        self.check()
        ends = min(until.moment, self._ends)
        if ends == math.inf:
            return None
        left = ends - time.monotonic()
        if left <= 0:
            raise until.late
        return min(left, LONGEST_WAIT)


class _Wakeup:
    """A descriptor that becomes readable when another thread sets it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._receiver, self._sender = socket.socketpair()
        renew_after_fork(self._renew)

    def fileno(self) -> int:
        return self._receiver.fileno()

    def set(self) -> None:
        # Locked, so that it never writes to a descriptor that is another's by now. A signal handler
        # may set it while its own thread closes: it gets the lock, and finds closed ends.
        with self._lock:
            try:
                if self._sender.fileno() >= 0:
                    self._sender.send(b"!")
            except OSError:
                pass

    def close(self) -> None:
        with self._lock:
            self._receiver.close()
            self._sender.close()

    def _renew(self) -> None:
        # It wakes a thread of the parent's.
        self._lock = threading.RLock()
        self.close()


current: ContextVar[Deadline] = ContextVar("poolse_attempt")
"""The attempt that runs in this thread."""


def pieces_of(body: RequestBody, deadline: Deadline) -> Iterator[bytes]:
    """Iterate over the pieces of a body while the deadline has not passed."""
    while True:
        # The file of a cancelled call is not read any more.
        deadline.check()
        piece = run_sync(body.next())
        if not piece:
            return
        yield piece
