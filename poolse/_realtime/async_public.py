"""Realtime for asyncio: tasks for each socket, and one that calls the user's functions."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, copy_context
from functools import partial
from types import TracebackType, coroutine
from typing import Any, Final, Self

from poolse._realtime.async_driver import AsyncDriver, AsyncGetToken
from poolse._realtime.async_wait import until, wait
from poolse._realtime.callback_queue import Call
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
from poolse._support.argument_checks import checked_wait
from poolse._support.event_loop import BoundLoop
from poolse._support.ids import ANY, checked_id
from poolse.cancel import CancelToken
from poolse.errors import PoolseError

__all__ = ["AsyncChannel", "AsyncEvents", "AsyncRealtime"]

_LOG: Final = logging.getLogger("poolse.realtime")


class AsyncChannel(BaseChannel[E]):
    """One holder's handle of a channel, which stays joined for as long as anybody holds it.

    Handles of the same channel are equal, and each has its own claim: `leave` ends the callbacks
    and iterators of this handle only.

    As a context manager it is joined when the block begins, and left when it ends.

    Each callback is called with its events in order, and those of one channel in the order of the
    channel; channels take turns, in one task: a callback that takes long delays the others, but
    neither the sockets nor any iterator. At most 1,000 calls wait for each callback, 20,000 for
    all of them together. When more come the oldest are dropped: `on_socket_error` is called with a
    `SlowConsumer` that names the callback, and `dropped` of realtime counts them.

    A callback is called with the context variables of where it was subscribed. What it raises is
    logged, reported to `on_socket_error`, and stops nothing, but `SystemExit` and
    `KeyboardInterrupt` are then passed on to the event loop, as from any other task.
    """

    _awaits = True

    def events(
        self, timeout: float | None = None, *, cancel: CancelToken | None = None
    ) -> AsyncEvents[E]:
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
        return AsyncEvents(self._hub, self._claim, timeout, cancel)

    async def wait_joined(
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
        if not await wait(self._hub, self._session.wakes, self._is_joined, limit, cancel):
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
        return self._result(push)

    async def leave(self) -> None:
        """Release this handle: its callbacks and iterators end. The last handle leaves the channel.

        Other handles of the same channel are not affected. With the last one it waits until the
        server knows, a few seconds at most. Calling it again does nothing.
        """
        self._hub.release(self._claim)
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
        self,
        hub: RealtimeClient,
        claim: ChannelReference,
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> None:
        self._arrived = asyncio.Event()
        super().__init__(hub, claim, timeout, cancel, self._arrived.set)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        with self._hub.guard:
            ready = self._cancel is None and self._ready()
        if not ready and not await self._arrive():
            raise StopAsyncIteration
        try:
            return self._take()
        except QueueEnded:
            raise StopAsyncIteration from None

    async def _arrive(self) -> bool:
        # Held meanwhile: a task that nobody else holds would be collected as it waits.
        self._waiting.add(self._stream)
        try:
            return await until(self._hub, self._arrived, self._ready, self._timeout, self._cancel)
        finally:
            self._waiting.discard(self._stream)


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
        self._context = copy_context()
        self._home = BoundLoop()
        self._hub = RealtimeClient(
            settings,
            clock=time.monotonic,
            random=random.random,
            # Whatever runs in one event loop is never interrupted in the middle of a change.
            guard=self._home,
            process=os.getpid,
            start=self._start,
            wake_calls=self._due.set,
            on_error=on_error or log_error(_LOG.warning),
            context=self._context.copy(),
        )

    async def connect(self) -> None:
        """Open the sockets, and keep them open. Returns at once; see `status` and `on_status`."""
        self._bind()
        self._hub.connect()

    async def disconnect(self) -> None:
        """Close the sockets until `connect`. The channels join again then."""
        self._hub.disconnect()
        await wait(self._hub, self._hub.wakes, self._hub.is_quiet, PATIENCE)

    async def leave(self, id: object) -> None:
        """Release all handles of the channels with this ID. Waits as `leave` of a channel does."""
        for session in self._hub.release_all(checked_id("id", id, ANY)):
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
            if late:
                await asyncio.wait(late, timeout=self._hub.settings.close_timeout)

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

    def _start(self, link: Socket) -> None:
        """Called by the hub for each socket, which is the first sign that a task is needed."""
        self._tasks = [task for task in self._tasks if not task.done()]
        if not self._tasks:
            self._run("poolse-calls", self._make_calls())
        self._run("poolse-socket", AsyncDriver(self._hub, link, self._token).run())

    def _run(self, name: str, work: Coroutine[object, object, None]) -> None:
        # With the context variables of where the client was made: it serves everybody.
        self._tasks.append(asyncio.create_task(work, name=name, context=self._context.copy()))

    async def _make_calls(self) -> None:
        try:
            await self._call_all()
        except BaseException as error:
            self._hub.crashed(error)
            if not isinstance(error, Exception):
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
            failure = await self._failure(call)
            if failure is not None:
                report = self._hub.callback_failed(call, failure)
                failures = [failure, report and await self._failure(report)]
                for ending in failures:
                    # As from any other task, these end the loop; not before they are reported.
                    if isinstance(ending, (SystemExit, KeyboardInterrupt)):
                        asyncio.get_running_loop().call_soon(_throw, ending)

    async def _failure(self, call: Call) -> BaseException | None:
        """What a call raises, which is logged."""
        subscription, argument = call
        try:
            result = subscription.context.run(subscription.target, argument)
            if result is not None and inspect.isawaitable(result):
                await _in_context(result, subscription.context)
        # It may have awaited what somebody else cancelled. Only our own end ends this task.
        except (Exception, SystemExit, KeyboardInterrupt, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
                raise
            _LOG.exception("a callback failed")
            return error
        return None


@coroutine
def _in_context(work: Awaitable[object], context: Context) -> Generator[object, object, None]:
    """Await something with these context variables.

    A task of its own would do that too, but costs a turn of the event loop for each callback.
    """
    steps: Any = context.run(work.__await__)
    step = partial(next, steps)
    while True:
        try:
            blocker = context.run(step)
        except StopIteration:
            return
        try:
            sent = yield blocker
        except BaseException as error:
            step = partial(steps.throw, error)
        else:
            step = partial(steps.send, sent)


def _throw(error: BaseException) -> None:
    raise error
