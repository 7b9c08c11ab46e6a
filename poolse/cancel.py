"""A token that ends calls from outside, from any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from poolse._checks import PLAIN_HINT, checked_callback, not_awaitable
from poolse._forks import renew_after_fork
from poolse.errors import Cancelled

__all__ = ["CancelToken", "told"]


class CancelToken:
    """Ends the calls that carry it: `chat.me.show(options=CallOptions(cancel=token))`.

    Thread-safe, one-way and reusable for many calls at once. A call that is ended this way raises
    `Cancelled`, wherever it was: waiting to retry, connecting, or waiting for the server.

    A `get_token` of yours is not interrupted where it runs in the thread of the call itself: the
    sync client calls it there, and raises `Cancelled` when it returns. Give it a time limit of its
    own. Calls that only wait for its result end at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._callbacks: dict[object, Callable[[], object]] = {}
        renew_after_fork(self._renew)

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """End all calls that carry this token, now and later. Calling it again does nothing."""
        with self._lock:
            if self._cancelled:
                return
            self._cancelled = True
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
        for result in [callback() for callback in callbacks]:
            not_awaitable("callback", result, PLAIN_HINT)

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` once `cancel` was called."""
        if self._cancelled:
            raise Cancelled

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` on `cancel`, in the cancelling thread; at once if that has happened.

        Returns:
            A function that takes the callback back.

        Raises:
            UsageError: `callback` cannot be called, or is async: nothing awaits it.
        """
        checked_callback("callback", callback, awaits=False, hint=PLAIN_HINT)
        key = object()
        with self._lock:
            if not self._cancelled:
                self._callbacks[key] = callback
                return lambda: self._forget(key)
        not_awaitable("callback", callback(), PLAIN_HINT)
        return lambda: None

    def _renew(self) -> None:
        """In a forked child: the calls under way are the parent's."""
        self._lock = threading.Lock()
        self._callbacks = {}

    def _forget(self, key: object) -> None:
        with self._lock:
            self._callbacks.pop(key, None)


@contextmanager
def told(token: CancelToken | None, callback: Callable[[], object]) -> Generator[None]:
    """Have the callback called when the token is cancelled, inside the block."""
    forget = None if token is None else token.on_cancel(callback)
    try:
        yield
    finally:
        if forget is not None:
            forget()
