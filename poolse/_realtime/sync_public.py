"""Realtime for threads: one thread for each socket, and one that calls the user's functions."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Final, Self

from poolse._realtime.callback_queue import Call, Wake
from poolse._realtime.client import RealtimeClient
from poolse._realtime.public_base import (
    JOIN_WAIT,
    PATIENCE,
    REPLY_WAIT,
    BaseChannel,
    BaseEvents,
    BaseRealtime,
    E,
    log_error,
)
from poolse._realtime.push import Payload
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import Socket
from poolse._realtime.subscribers import QueueEnded
from poolse._realtime.subscription import ChannelReference
from poolse._realtime.sync_driver import Driver, GetToken
from poolse._realtime.sync_wait import Wakeup
from poolse._support.argument_checks import checked_wait, not_awaitable
from poolse._support.fork_safety import renew_after_fork
from poolse._support.ids import ANY, checked_id
from poolse.cancel import CancelToken
from poolse.errors import PoolseError

__all__ = ["Channel", "Events", "Realtime"]

_LOG: Final = logging.getLogger("poolse.realtime")


class Channel(BaseChannel[E]):
    """One holder's handle of a channel, which stays joined for as long as anybody holds it.

    All its methods are thread-safe. Handles of the same channel are equal, and each has its own
    claim: `leave` ends the callbacks and iterators of this handle only.

    As a context manager it is joined when the block begins, and left when it ends.

    Each callback is called with its events in order, and those of one channel in the order of the
    channel; channels take turns, in one thread: a callback that takes long delays the others, but
    neither the sockets nor any iterator. At most 1,000 calls wait for each callback, 20,000 for
    all of them together. When more come the oldest are dropped: `on_socket_error` is called with a
    `SlowConsumer` that names the callback, and `dropped` of realtime counts them.

    A callback is called with the context variables of where it was subscribed. What it raises is
    logged, reported to `on_socket_error`, and stops nothing. `SystemExit` does not end
    the program: it is raised in a thread, which has nobody to pass it on to.
    """

    _awaits = False

    def events(
        self, timeout: float | None = None, *, cancel: CancelToken | None = None
    ) -> Events[E]:
        """All events from now on, one after the other.

        At most 1,000 wait for the iterator. When more come, typing and presence changes are
        dropped first, then the oldest of the most frequent event, and the next step raises
        `SlowConsumer` with their number; after that it can go on.

        Args:
            timeout: Seconds of silence after which the iteration ends; None for no end.
            cancel: Ends the iteration, from any thread or task.

        Raises:
            Cancelled: By the iterator: `cancel` was cancelled.
            JoinError: By the iterator: the server refused the channel.
            ChannelClosed: By the iterator: the server closed the channel.
            AuthError: By the iterator: the token is refused, also after one refresh.
            ConnectionFailed: By the iterator: the socket was given up.
        """
        return Events(self._hub, self._claim, timeout, cancel)

    def wait_joined(
        self, timeout: float | None = JOIN_WAIT, *, cancel: CancelToken | None = None
    ) -> None:
        """Wait until the channel is joined.

        Args:
            timeout: Seconds; None waits as long as it takes.
            cancel: Ends the wait, from any thread or task, with `Cancelled`.

        Raises:
            JoinError: The server refused the channel, with its reason.
            PushTimeout: It was not joined in time; the text and `__cause__` say what was wrong.
            ChannelClosed: The channel was left, or the client closed, meanwhile.
            AuthError: The token is refused, also after one refresh.
            ConnectionFailed: The socket cannot be opened, and trying again would not help.
        """
        limit = checked_wait("timeout", timeout)
        if not _wait(self._hub, self._session.wakes, self._is_joined, limit, cancel):
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
        return self._result(push)

    def leave(self) -> None:
        """Release this handle: its callbacks and iterators end. The last handle leaves the channel.

        Other handles of the same channel are not affected. With the last one it waits until the
        server knows, a few seconds at most. Calling it again does nothing.
        """
        self._hub.release(self._claim)
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
        self,
        hub: RealtimeClient,
        claim: ChannelReference,
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> None:
        self._arrived = Wakeup()
        super().__init__(hub, claim, timeout, cancel, self._arrived.ring)

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
        self._due = Wakeup()
        self._token = token
        self._threads: list[threading.Thread] = []
        self._context = copy_context()
        self._hub = RealtimeClient(
            settings,
            clock=time.monotonic,
            random=random.random,
            guard=lock,
            process=os.getpid,
            start=self._start,
            wake_calls=self._due.ring,
            on_error=on_error or log_error(_LOG.warning),
            context=self._context.copy(),
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

    def leave(self, id: object) -> None:
        """Release all handles of the channels with this ID. Waits as `leave` of a channel does."""
        for session in self._hub.release_all(checked_id("id", id, ANY)):
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

    def _start(self, link: Socket) -> None:
        """Called by the hub for each socket, which is the first sign that a thread is needed."""
        owner = Driver(self._hub, link, self._token)
        try:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            if not self._threads:
                self._run("poolse-calls", self._make_calls)
            self._run("poolse-socket", owner.run)
        except BaseException:
            owner.abandon()
            raise

    def _run(self, name: str, work: Callable[[], None]) -> None:
        # With the context variables of where the client was made: it serves everybody.
        target = partial(self._context.copy().run, work)
        # A daemon, so that a script that forgets `close` can end.
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

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
            failure = _failure(call)
            if failure is not None:
                report = self._hub.callback_failed(call, failure)
                if report is not None:
                    _failure(report)


def _failure(call: Call) -> BaseException | None:
    """What a call raises, which is logged."""
    subscription, argument = call
    try:
        result = subscription.context.run(subscription.target, argument)
        not_awaitable("the callback", result)
    # Also SystemExit: a callback ends neither this thread nor the ones that follow.
    except BaseException as error:
        _LOG.exception("a callback failed")
        return error
    return None


def _wait(
    hub: RealtimeClient,
    wakes: list[Wake],
    ready: Callable[[], bool],
    timeout: float | None,
    cancel: CancelToken | None = None,
) -> bool:
    """Wait until something holds; False when it did not in time."""
    changed, guard = Wakeup(), hub.guard
    with guard:
        wakes.append(changed.ring)
    try:
        return changed.until(guard, ready, timeout, cancel)
    finally:
        with guard:
            wakes.remove(changed.ring)
