"""Realtime for asyncio: tasks for each socket, and one that calls the user's functions."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from poolse._one_loop import OneLoop
from poolse._realtime.aio_owner import AsyncGetToken, AsyncOwner
from poolse._realtime.aio_waits import until, wait
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
from poolse.cancel import CancelToken
from poolse.errors import PoolseError

__all__ = ["AsyncChannel", "AsyncEvents", "AsyncRealtime"]

_LOG: Final = logging.getLogger("poolse.realtime")


class AsyncChannel(BaseChannel[E]):
    """A channel, joined for as long as somebody has a claim on it.

    As a context manager it is joined when the block begins, and left when it ends.

    Callbacks are called one after the other, those of all channels by one task: one that takes
    long delays the others, but neither the sockets nor any iterator. At most 1,000 calls wait.
    When more come the oldest are given up, `on_socket_error` is told of it by a `SlowConsumer`,
    and `dropped` of realtime counts them.
    """

    _awaits = True

    def events(
        self, timeout: float | None = None, *, cancel: CancelToken | None = None
    ) -> AsyncEvents[E]:
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
        return AsyncEvents(self._hub, self._session, timeout, cancel)

    async def wait_joined(
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
        if not await wait(self._hub, self._session.wakes, self._is_joined, timeout, cancel):
            raise self._not_in_time(timeout)

    async def push(
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
            await wait(self._hub, self._session.wakes, lambda: push.is_done, timeout, cancel)
        finally:
            self._hub.withdraw(self._session, push)
        return push.result()

    async def leave(self) -> None:
        """Give one claim back. With the last one, the channel is left and no more events come.

        Waits until the server knows, a few seconds at most. Calling it again does nothing.
        """
        self._hub.release(self._session)
        await wait(self._hub, self._session.wakes, self._has_left, self._hub.settings.leave_timeout)

    async def __aenter__(self) -> Self:
        try:
            await self.wait_joined()
        except BaseException:
            await self.leave()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.leave()


class AsyncEvents(BaseEvents[E]):
    """The events of a channel, for one consumer. At most 1,000 wait, see `dropped`."""

    def __init__(
        self, hub: Hub, session: Session, timeout: float | None, cancel: CancelToken | None
    ) -> None:
        self._arrived = asyncio.Event()
        super().__init__(hub, session, timeout, cancel, self._arrived.set)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        if not await until(self._hub, self._arrived, self._ready, self._timeout, self._cancel):
            raise StopAsyncIteration
        try:
            return self._take()
        except QueueEnded:
            raise StopAsyncIteration from None


class AsyncRealtime(BaseRealtime):
    """The sockets of a client, and the channels on them. It belongs to one event loop."""

    _awaits = True

    def __init__(
        self,
        settings: RealtimeSettings,
        token: AsyncGetToken,
        on_error: Callable[[PoolseError], object] | None = None,
    ) -> None:
        """Make it; the first socket is opened with the first channel, or by `connect`.

        Args:
            settings: Where to, and how.
            token: Asked for a token before each handshake, with the one that was refused or None.
            on_error: Told of everything that goes wrong and ends nothing. It may be async.
        """
        self._token = token
        self._due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._home = OneLoop()
        self._hub = Hub(
            settings,
            clock=time.monotonic,
            random=random.random,
            # Whatever runs in one event loop is never interrupted in the middle of a change.
            guard=self._home,
            process=os.getpid,
            start=self._start,
            wake_calls=self._due.set,
            on_error=on_error or log_error(_LOG.warning),
        )

    async def connect(self) -> None:
        """Open the sockets, and keep them open. Returns at once; see `status` and `on_status`."""
        self._bind()
        self._hub.connect()

    async def disconnect(self) -> None:
        """Close the sockets until `connect`. The channels join again then."""
        self._hub.disconnect()
        await wait(self._hub, self._hub.wakes, self._hub.is_quiet, PATIENCE)

    async def leave(self, id: str) -> None:
        """Give all claims back on the channels with this id. Waits as `leave` of a channel does."""
        for session in self._hub.release_all(id):
            await wait(self._hub, session.wakes, session.is_left, self._hub.settings.leave_timeout)

    async def aclose(self) -> None:
        """Leave all channels and close all sockets, for good. Calling it again does nothing.

        Nothing of it runs any more when it returns, unless a callback or `get_token` takes longer
        than a few seconds. A callback may call it.
        """
        if self._hub.is_elsewhere or self._is_over:
            return
        self._hub.close()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=PATIENCE)
            for task in late:
                task.cancel()

    @property
    def _is_running(self) -> bool:
        return bool(self._tasks) and not (
            self._is_over or self._hub.closed or self._hub.is_elsewhere
        )

    @property
    def _is_over(self) -> bool:
        return self._home.is_over

    def _bind(self) -> None:
        with self._hub.guard:
            self._home.settle()

    def _start(self, link: Link) -> None:
        """Called by the hub for each socket, which is the first sign that a task is needed."""
        if not self._tasks:
            self._tasks.append(asyncio.create_task(self._make_calls(), name="poolse-calls"))
        self._tasks.append(AsyncOwner(self._hub, link, self._token).task)

    async def _make_calls(self) -> None:
        try:
            await self._call_all()
        except BaseException as error:
            self._hub.crashed(error)
            if isinstance(error, asyncio.CancelledError):
                raise
            _LOG.exception("the task of the callbacks failed")

    async def _call_all(self) -> None:
        calls = self._hub.calls
        while True:
            try:
                call = calls.next()
            except QueueEnded:
                return
            if call is None:
                self._due.clear()
                await self._due.wait()
                continue
            try:
                subscription, argument = call
                result = subscription.target(argument)
                if result is not None and inspect.isawaitable(result):
                    await result
            # It may have awaited what somebody else cancelled. Only our own end ends this task.
            except (Exception, asyncio.CancelledError) as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                _LOG.exception("a callback failed")
                self._hub.callback_failed(call, error)
