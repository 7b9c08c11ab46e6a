"""Realtime for threads: one thread for each socket, and one that calls the user's functions."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from poolse._checks import not_awaitable
from poolse._forks import renew_after_fork
from poolse._realtime.calls import Wake
from poolse._realtime.fanout import QueueEnded
from poolse._realtime.handles import (
    JOIN_WAIT,
    PATIENCE,
    REPLY_WAIT,
    BaseChannel,
    BaseEvents,
    BaseRealtime,
    E,
    log_error,
)
from poolse._realtime.hub import Hub
from poolse._realtime.link import Link
from poolse._realtime.pushes import Payload
from poolse._realtime.session import Session
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.sync_bell import Bell
from poolse._realtime.sync_owner import GetToken, Owner
from poolse.cancel import CancelToken
from poolse.errors import PoolseError

__all__ = ["Channel", "Events", "Realtime"]

_LOG: Final = logging.getLogger("poolse.realtime")


class Channel(BaseChannel[E]):
    """A channel, joined for as long as somebody has a claim on it. All its methods are thread-safe.

    As a context manager it is joined when the block begins, and left when it ends.

    Callbacks are called one after the other, those of all channels by one thread: one that takes
    long delays the others, but neither the sockets nor any iterator. At most 1,000 calls wait.
    When more come the oldest are given up, `on_socket_error` is told of it by a `SlowConsumer`,
    and `dropped` of realtime counts them.
    """

    _awaits = False

    def events(
        self, timeout: float | None = None, *, cancel: CancelToken | None = None
    ) -> Events[E]:
        """All events from now on, one after the other.

        At most 1,000 wait for the iterator. When more come, the oldest are dropped, and the next
        step raises `SlowConsumer` with their number; after that it can go on.

        Args:
            timeout: Seconds of silence after which the iteration ends; None for no end.
            cancel: Ends the iteration, from any thread or task.

        Raises:
            Cancelled: By the iterator: `cancel` was cancelled.
            JoinError: By the iterator: the server refused the channel.
            ChannelClosed: By the iterator: the server closed the channel.
            AuthError: By the iterator: the token is refused, also after one refresh.
        """
        return Events(self._hub, self._session, timeout, cancel)

    def wait_joined(
        self, timeout: float | None = JOIN_WAIT, *, cancel: CancelToken | None = None
    ) -> None:
        """Wait until the server has let us in.

        Args:
            timeout: Seconds; None waits as long as it takes.
            cancel: Ends the wait, from any thread or task, with `Cancelled`.

        Raises:
            JoinError: The server refused the channel, with its reason.
            PushTimeout: It was not joined in time.
            ChannelClosed: The channel was left, or the client closed, meanwhile.
            AuthError: The token is refused, also after one refresh.
            ConnectionFailed: The socket cannot be opened, and trying again would not help.
        """
        if not _wait(self._hub, self._session.wakes, self._is_joined, timeout, cancel):
            raise self._not_in_time(timeout)

    def push(
        self,
        event: str,
        payload: Payload | None = None,
        timeout: float | None = REPLY_WAIT,
        *,
        cancel: CancelToken | None = None,
    ) -> object:
        """Push an event that this release has no method for, and wait for the server's reply.

        It is sent as soon as the channel is joined, once, and never again. An event that the
        server does not know makes the channel crash there; it is joined again by itself.

        Args:
            event: Its name on the wire.
            payload: A JSON object, or bytes for a binary frame; None is an empty object.
            timeout: Seconds for everything together; None waits as long as it takes.
            cancel: Ends the wait with `Cancelled`, from any thread or task. What is sent is sent.

        Returns:
            The response in the server's reply, as parsed JSON, or bytes.

        Raises:
            PushError: The server answered with an error.
            PushTimeout: No reply came in time.
            PushOutcomeUnknown: The connection or the channel was lost before the reply came.
            ChannelClosed: The channel was left, or realtime disconnected, meanwhile.
            RealtimeError: 1,000 pushes wait already.
            UsageError: JSON cannot say the payload.
        """
        push = self._ask(event, payload, timeout)
        try:
            # The brain keeps the time too, but its thread may be held up by `get_token`.
            _wait(self._hub, self._session.wakes, lambda: push.is_done, timeout, cancel)
        finally:
            self._hub.withdraw(self._session, push)
        return push.result()

    def leave(self) -> None:
        """Give one claim back. With the last one, the channel is left and no more events come.

        Waits until the server knows, a few seconds at most. Calling it again does nothing.
        """
        self._hub.release(self._session)
        _wait(self._hub, self._session.wakes, self._has_left, self._hub.settings.leave_timeout)

    def __enter__(self) -> Self:
        try:
            self.wait_joined()
        except BaseException:
            self.leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()


class Events(BaseEvents[E]):
    """The events of a channel, for one consumer. At most 1,000 wait, see `dropped`."""

    def __init__(
        self, hub: Hub, session: Session, timeout: float | None, cancel: CancelToken | None
    ) -> None:
        self._arrived = Bell()
        super().__init__(hub, session, timeout, cancel, self._arrived.ring)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> E:
        guard = self._hub.guard
        if not self._arrived.until(guard, self._ready, self._timeout, self._cancel):
            raise StopIteration
        with guard:
            try:
                return self._take()
            except QueueEnded:
                raise StopIteration from None


class Realtime(BaseRealtime):
    """The sockets of a client, and the channels on them. All its methods are thread-safe."""

    _awaits = False

    def __init__(
        self,
        settings: RealtimeSettings,
        token: GetToken,
        on_error: Callable[[PoolseError], object] | None = None,
    ) -> None:
        """Make it; the first socket is opened with the first channel, or by `connect`.

        Args:
            settings: Where to, and how.
            token: Asked for a token before each handshake, with the one that was refused or None.
            on_error: Told of everything that goes wrong and ends nothing.
        """
        # Callbacks may subscribe, leave and close, and those take it too.
        lock = threading.RLock()
        self._due = Bell()
        self._token = token
        self._threads: list[threading.Thread] = []
        self._hub = Hub(
            settings,
            clock=time.monotonic,
            random=random.random,
            guard=lock,
            process=os.getpid,
            start=self._start,
            wake_calls=self._due.ring,
            on_error=on_error or log_error(_LOG.warning),
        )
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child: what has begun in the parent says so in the child."""
        self._hub.renew(threading.RLock())

    @property
    def _is_running(self) -> bool:
        return bool(self._threads) and not (self._hub.closed or self._hub.is_elsewhere)

    def connect(self) -> None:
        """Open the sockets, and keep them open. Returns at once; see `status` and `on_status`."""
        self._hub.connect()

    def disconnect(self) -> None:
        """Close the sockets until `connect`. The channels join again then."""
        self._hub.disconnect()
        _wait(self._hub, self._hub.wakes, self._hub.is_quiet, PATIENCE)

    def leave(self, id: str) -> None:
        """Give all claims back on the channels with this id. Waits as `leave` of a channel does."""
        for session in self._hub.release_all(id):
            _wait(self._hub, session.wakes, session.is_left, self._hub.settings.leave_timeout)

    def close(self) -> None:
        """Leave all channels and close all sockets, for good. Calling it again does nothing.

        Nothing of it runs any more when it returns, unless a callback or `get_token` takes longer
        than a few seconds. A callback may call it.
        """
        if self._hub.is_elsewhere:
            return
        self._hub.close()
        deadline = time.monotonic() + PATIENCE
        with self._hub.guard:
            threads = [t for t in self._threads if t is not threading.current_thread()]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start(self, link: Link) -> None:
        """Called by the hub for each socket, which is the first sign that a thread is needed."""
        if not self._threads:
            self._run(threading.Thread(target=self._make_calls, name="poolse-calls", daemon=True))
        self._run(Owner(self._hub, link, self._token).thread)

    def _run(self, thread: threading.Thread) -> None:
        self._threads.append(thread)
        thread.start()

    def _make_calls(self) -> None:
        try:
            self._call_all()
        except BaseException as error:
            _LOG.exception("the thread of the callbacks failed")
            self._hub.crashed(error)

    def _call_all(self) -> None:
        calls, guard = self._hub.calls, self._hub.guard
        while True:
            try:
                with guard:
                    call = calls.next()
            except QueueEnded:
                return
            if call is None:
                self._due.until(guard, lambda: calls.ready, None)
                continue
            try:
                subscription, argument = call
                not_awaitable("the callback", subscription.target(argument))
            # Also SystemExit: a callback ends neither this thread nor the ones that follow.
            except BaseException as error:
                _LOG.exception("a callback failed")
                self._hub.callback_failed(call, error)


def _wait(
    hub: Hub,
    wakes: list[Wake],
    ready: Callable[[], bool],
    timeout: float | None,
    cancel: CancelToken | None = None,
) -> bool:
    """Wait until something holds; False when it did not in time."""
    changed, guard = Bell(), hub.guard
    with guard:
        wakes.append(changed.ring)
    try:
        return changed.until(guard, ready, timeout, cancel)
    finally:
        with guard:
            wakes.remove(changed.ring)
