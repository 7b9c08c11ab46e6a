"""Cancel tokens: they end calls from another thread or task."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager

from poolse._support.argument_checks import PLAIN_HINT, checked_callback, not_awaitable
from poolse._support.fork_safety import renew_after_fork
from poolse.errors import Cancelled

__all__ = ["CancelToken", "any_of", "told"]


class CancelToken:
    """Token that ends calls: `chat.me.show(options=CallOptions(cancel=token))`.

    Thread-safe. One token may be used for many calls at once; it cannot be reset. A cancelled call
    raises `Cancelled` immediately, while it waits to retry, connects, or waits for the server.

    Exception: the sync client calls `get_token` in the thread of the call, cannot interrupt it, and
    raises `Cancelled` when it returns. Use a timeout in your `get_token`. Other calls that wait for
    its result end immediately.
    """

    # No lock: a signal handler that cancels runs in the thread that it interrupts, and would wait
    # for ever for one that this thread holds. Each step is a single operation of a dict instead.

    def __init__(self) -> None:
        self._cancelled = False
        self._callbacks: dict[object, Callable[[], object]] = {}
        renew_after_fork(self._renew)

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """End all calls with this token, current and future. Calling it again has no effect.

        Safe to call from a signal handler.
        """
        self._cancelled = True
        # On a stack, so that all of them are called even if one raises.
        with ExitStack() as stack:
            while self._callbacks:
                try:
                    _, callback = self._callbacks.popitem()
                except KeyError:  # another thread, or a signal handler, took the last one
                    return
                stack.callback(_call, callback)

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` if `cancel` was called."""
        if self._cancelled:
            raise Cancelled

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` on `cancel`, in the cancelling thread; immediately if cancelled before.

        Returns:
            A function that removes the callback.

        Raises:
            UsageError: `callback` is not callable, or is async, which nothing would await.
        """
        checked_callback("callback", callback, awaits=False, hint=PLAIN_HINT)
        key = object()
        self._callbacks[key] = callback
        # Only now: `cancel` either finds the callback, or is noticed here.
        if self._cancelled and self._callbacks.pop(key, None) is not None:
            _call(callback)
        return lambda: self._forget(key)

    def _renew(self) -> None:
        """Forget the calls in progress, which are the parent's, in a forked child."""
        self._callbacks = {}

    def _forget(self, key: object) -> None:
        self._callbacks.pop(key, None)


class _AnyOf(CancelToken):
    """Several tokens as one: cancelled as soon as one of them is."""

    def __init__(self, tokens: Sequence[CancelToken]) -> None:
        # The base class is not initialized: it would register itself for forks.
        self._tokens = tokens

    @property
    def cancelled(self) -> bool:
        return any(token.cancelled for token in self._tokens)

    def cancel(self) -> None:
        for token in self._tokens:
            token.cancel()

    def raise_if_cancelled(self) -> None:
        for token in self._tokens:
            token.raise_if_cancelled()

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        with ExitStack() as stack:
            for token in self._tokens:
                stack.callback(token.on_cancel(callback))
            return stack.pop_all().close


def any_of(first: CancelToken | None, second: CancelToken | None) -> CancelToken | None:
    """Return one token that is cancelled as soon as one of these is; None when both are None.

    Its callbacks are called once for each of them that is cancelled.
    """
    if first is None or first is second:
        return second
    return first if second is None else _AnyOf((first, second))


@contextmanager
def told(token: CancelToken | None, callback: Callable[[], object]) -> Generator[None]:
    """Call the callback if the token is cancelled inside the block."""
    forget = None if token is None else token.on_cancel(callback)
    try:
        yield
    finally:
        if forget is not None:
            forget()


def _call(callback: Callable[[], object]) -> None:
    not_awaitable("callback", callback(), PLAIN_HINT)
