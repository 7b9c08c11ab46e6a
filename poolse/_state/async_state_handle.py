"""What all states of `chat.state` offer: snapshots, listeners, and an end."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Generic, Self, TypeVar, cast

from poolse._realtime.async_public import wait_changed
from poolse._realtime.channel_references import fresh
from poolse._state.async_state_core import AsyncStateCore
from poolse._state.snapshots import StateStatus
from poolse._support.argument_checks import checked_callback, checked_wait
from poolse.cancel import CancelToken
from poolse.errors import ChannelClosed, PoolseError, PushTimeout

__all__ = ["AsyncSnapshots", "AsyncStateHandle"]

S = TypeVar("S")
C = TypeVar("C")

_AWAITS = True  # sync: _AWAITS = False


class AsyncStateHandle(Generic[S, C]):
    """A state that is kept current in the background, from its creation until it is closed.

    As a context manager it waits until the state is loaded, and closes it at the end. Handles of
    the same state share it: it ends with the last one.
    """

    def __init__(self, core: AsyncStateCore[Any]) -> None:
        self._core = core
        self._client = core.client
        self._removers: list[Callable[[], None]] = []
        self._is_closed = False
        with self._client.lock:
            core.claims += 1

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.snapshot!r}>"

    @property
    def snapshot(self) -> S:
        """The state as it is now. Immutable; a change makes another one."""
        return cast(S, self._core.live.snapshot)

    @property
    def status(self) -> StateStatus:
        """Status: `loading`, `live`, `reconnecting`, `failed` or `closed`."""
        status: StateStatus = self._core.live.snapshot.status
        return "closed" if self._is_closed else status

    def subscribe(self, listener: Callable[[C], object]) -> Callable[[], None]:
        """Add a listener for changes.

        Listeners are called in the thread or task of all callbacks of the client, one at a time,
        once for every change.

        Args:
            listener: Called with what changed. May be async in an async client.

        Returns:
            A function that removes the listener.

        Raises:
            ChannelClosed: The state was closed.
            UsageError: The listener is not callable, or is async in a sync client.
        """
        checked_callback("listener", listener, awaits=_AWAITS)
        self._check_open()
        handlers = self._core.handlers
        remove = self._client.listen(handlers, "subscribe", listener, copy_context())
        removers = self._removers
        removers.append(remove)

        def remove_once() -> None:
            remove()
            if remove in removers:
                removers.remove(remove)

        return remove_once

    def snapshots(
        self, timeout: float | None = None, *, cancel: CancelToken | None = None
    ) -> AsyncSnapshots[S]:
        """Return an iterator of snapshots: the present one, then a newer one after each change.

        A consumer that is slower than the changes gets the newest snapshot only. The iteration ends
        when the state is closed.

        Args:
            timeout: Idle timeout: seconds without a change after which the iteration ends. None for
                no timeout.
            cancel: Token that ends the iteration from another thread or task.

        Raises:
            PoolseError: On iterating: what the state failed with.
            Cancelled: On iterating: `cancel` was cancelled.
        """
        return AsyncSnapshots(self, self._core, checked_wait("timeout", timeout), cancel)

    def __aiter__(self) -> AsyncSnapshots[S]:
        return self.snapshots()

    async def wait_loaded(
        self, timeout: float | None = 30.0, *, cancel: CancelToken | None = None
    ) -> None:
        """Wait until the state is loaded.

        Args:
            timeout: Seconds; None for no timeout.
            cancel: Token that ends the wait from another thread or task.

        Raises:
            PushTimeout: It was not loaded in time.
            ChannelClosed: The state or the client was closed.
            Cancelled: `cancel` was cancelled.
            PoolseError: What the state failed with: the server refused a request or the channel.
        """
        limit = checked_wait("timeout", timeout)
        if not await wait_changed(self._client, self._core.wakes, self._is_loaded, limit, cancel):
            raise PushTimeout(f"{self!r} was not loaded within {limit or 0.0:g} s")

    async def refresh(self) -> None:
        """Read again what may have changed, as after a lost connection.

        Raises:
            ChannelClosed: The state was closed.
            ApiError: The server refused a request.
            NetworkError: The server was not reached.
        """
        self._check_open()
        await self._core.refresh(is_strict=True)

    async def aclose(self) -> None:
        """Close this handle, and end its listeners and iterators. The last one leaves the channel.

        Calling it again has no effect.
        """
        with self._client.lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._core.claims -= 1
            for remove in self._removers:
                remove()
            if not self._core.claims:
                self._core.states.end(self._core)
            for wake in self._core.wakes:
                wake()

    async def __aenter__(self) -> Self:
        try:
            await self.wait_loaded()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def _check_open(self) -> None:
        if self.status == "closed":
            raise ChannelClosed("the state was closed")

    def _is_loaded(self) -> bool:
        self._check_open()
        error: PoolseError | None = self._core.live.snapshot.error
        if error is not None:
            raise fresh(error)
        return self.status != "loading"


class AsyncSnapshots(Generic[S]):
    """Iterator of the snapshots of a state, for one consumer."""

    def __init__(
        self,
        handle: AsyncStateHandle[S, Any],
        core: AsyncStateCore[Any],
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> None:
        self._handle = handle
        self._core = core
        self._timeout = timeout
        self._cancel = cancel
        self._last: object = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> S:
        core = self._core
        if not await wait_changed(
            core.client, core.wakes, self._has_changed, self._timeout, self._cancel
        ):
            raise StopAsyncIteration
        snapshot, handle = self._handle.snapshot, self._handle
        error: PoolseError | None = core.live.snapshot.error
        if error is not None:
            raise fresh(error)
        if handle.status == "closed":
            raise StopAsyncIteration
        self._last = snapshot
        return snapshot

    def _has_changed(self) -> bool:
        return self._handle.snapshot is not self._last or self._handle.status == "closed"
