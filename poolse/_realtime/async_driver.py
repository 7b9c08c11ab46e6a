"""The tasks of realtime: one drives each socket, and one calls the user's functions.

A driver has one more task while a transport lives. The first executes commands and ticks; the
second opens the transport and reads from it.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import nullcontext, suppress
from contextvars import Context, copy_context
from functools import partial
from types import coroutine
from typing import Any, Final

from websockets.exceptions import ConnectionClosed, InvalidStatus

from poolse._realtime.async_transport import AsyncTransport, open_socket
from poolse._realtime.client import RealtimeClient, log_error
from poolse._realtime.effects import Close, Command, Open
from poolse._realtime.handshake import NotOpened, failure_of, refused, token_failure
from poolse._realtime.queues import Call, QueueEnded
from poolse._realtime.reconnect_policy import NO_CLOSE_FRAME
from poolse._realtime.settings import CLOSE_WAIT, RealtimeSettings
from poolse._realtime.socket import Socket
from poolse._support.event_loop import BoundLoop
from poolse.errors import PoolseError

__all__ = ["AsyncDriver", "AsyncGetToken", "AsyncWakeup", "AsyncWorkers"]

AsyncGetToken = Callable[[str | None], Awaitable[str | None]]

_LOG: Final = logging.getLogger("poolse.realtime")

# Seconds. When commands took longer, what was sent late has its time from then on.
_HELD_UP: Final = 0.1

# So many messages are handled before other tasks get their turn. With more events alive at a time,
# Python's garbage collector takes as long as all the rest.
_BATCH: Final = 64


class AsyncDriver:
    """Does the I/O of one socket."""

    def __init__(self, client: RealtimeClient, socket: Socket, get_token: AsyncGetToken) -> None:
        self._client = client
        self._socket = socket
        self._get_token = get_token
        self._token: str | None = None
        self._tasks: dict[int, asyncio.Task[int]] = {}
        self._open: dict[int, AsyncTransport] = {}
        self._is_full = False
        self._changed = asyncio.Event()
        self._sending: tuple[int, asyncio.Timeout] | None = None
        self._close_by: float | None = None
        socket.wake = self._wake

    def _wake(self) -> None:
        self._changed.set()
        if self._sending is not None:
            self._shorten(*self._sending)

    def _shorten(self, generation: int, sending: asyncio.Timeout) -> None:
        """Wait no longer for a server that reads nothing, once the socket is to be closed."""
        socket, limit = self._socket, sending.when()
        leaving = socket.is_over or generation in socket.connection.closing
        if leaving and limit is not None and not sending.expired():
            now = asyncio.get_running_loop().time()
            # One limit for all that is still to be sent.
            self._close_by = self._close_by or now + self._client.settings.close_timeout
            sending.reschedule(min(limit, self._close_by))

    async def run(self) -> None:
        """Drive the socket until realtime is closed, or the socket is not needed any more."""
        try:
            while not self._socket.is_over:
                await self._step()
                deadline = self._socket.deadline
                left = None if deadline is None else deadline - time.monotonic()
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._changed.wait()
                self._changed.clear()
            await self._step()
        except BaseException as error:
            self._client.driver_failed(self._socket, error)
            if not isinstance(error, Exception):
                raise
            _LOG.exception("the task of a socket failed")
        finally:
            await self._close_all()

    async def _step(self) -> None:
        """Execute what is to be done now."""
        with self._client.step(self._socket) as now:
            for generation, transport in self._open.items():
                # What holds up the reply to a heartbeat, in either direction.
                was_full, self._is_full = self._is_full, transport.unread > 0
                received_at = now if self._is_full else transport.received_at
                self._socket.connection.received_part(generation, received_at)
                if was_full and not self._is_full:
                    self._socket.held_up(now)
            self._socket.tick(now)
            commands = self._socket.take_commands()
        if commands:
            # What has come is read before anything is sent: where that fails, asyncio throws it
            # away, and the close code with it. One round finds it, the next one comes after it.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        began = time.monotonic()
        for command in commands:
            await self._execute(command)
        if time.monotonic() - began > _HELD_UP:
            with self._client.step(self._socket) as now:
                self._socket.held_up(now)

    async def _execute(self, command: Command) -> None:
        generation = command.generation
        match command:
            case Open():
                self._close_by = None
                name = f"poolse-transport-{generation}"
                work = self._run_transport(generation, command.refresh)
                task = asyncio.create_task(work, name=name)
                task.add_done_callback(partial(self._closed, generation))
                self._tasks[generation] = task
            case Close():
                self._stop(generation)
            case _:
                if generation in self._open:
                    await self._send(self._open[generation], generation, command.data)

    def _stop(self, generation: int) -> None:
        """End a transport, once: the second cancellation would cut its goodbye short."""
        task = self._tasks.get(generation)
        if task is not None and not task.cancelling():
            task.cancel()

    async def _send(self, transport: AsyncTransport, generation: int, data: str | bytes) -> None:
        left = transport.unread + len(data)
        sending = transport.send(data)
        try:
            while not await self._sent(sending, generation):
                # A large frame takes longer. There is a limit for each part, not for the whole.
                if self._close_by is not None or transport.unread >= left:
                    self._stop(generation)
                    return
                left = transport.unread
                sending = transport.flushed()
        except ConnectionClosed:
            # The task that reads from it notices too, and knows the code.
            pass
        finally:
            self._sending = None

    async def _sent(self, sending: Awaitable[None], generation: int) -> bool:
        """Return whether it was sent within the limit."""
        try:
            async with asyncio.timeout(self._client.settings.heartbeat_timeout) as limit:
                self._sending = generation, limit
                self._shorten(generation, limit)
                await sending
        except TimeoutError:
            return False
        return True

    async def _run_transport(self, generation: int, refresh: bool) -> int:
        """Open a transport and read from it to its end.

        Returns:
            Its close code.
        """
        client, socket = self._client, self._socket
        try:
            transport = await self._connect(refresh)
        except NotOpened as error:
            with client.step(socket) as now:
                socket.connection.failed(generation, error.failure, now)
            return NO_CLOSE_FRAME
        self._open[generation] = transport
        try:
            with client.step(socket) as now:
                socket.connection.opened(generation, now)
            count = 0
            while True:
                client.receive(socket, generation, await transport.recv(decode=False))
                count += 1
                if count % _BATCH == 0:
                    await asyncio.sleep(0)
        except ConnectionClosed as closed:
            frame = closed.rcvd or closed.sent
            return frame.code if frame else NO_CLOSE_FRAME
        finally:
            del self._open[generation]
            await transport.hang_up()

    def _closed(self, generation: int, task: asyncio.Task[int]) -> None:
        del self._tasks[generation]
        code = NO_CLOSE_FRAME
        if not task.cancelled():
            if error := task.exception():
                _LOG.error("the task of a transport failed", exc_info=error)
                self._client.driver_failed(self._socket, error)
                return
            code = task.result()
        with self._client.step(self._socket) as now:
            self._socket.connection.closed(generation, code, now)

    async def _connect(self, refresh: bool) -> AsyncTransport:
        settings = self._client.settings
        try:
            async with asyncio.timeout(settings.token_timeout):
                self._token = await self._get_token(self._token if refresh else None)
        except Exception as error:
            raise NotOpened(token_failure(error)) from None
        try:
            return await open_socket(settings, self._token)
        except InvalidStatus as error:
            response = error.response
            wait = response.headers.get("Retry-After")
            raise NotOpened(refused(response.status_code, wait, time.time())) from None
        except Exception as error:
            raise NotOpened(failure_of(error, settings.connect_timeout)) from None

    async def _close_all(self) -> None:
        for generation in self._tasks:
            self._stop(generation)
        if self._tasks:
            await asyncio.wait(self._tasks.values())


class AsyncWakeup:
    """Wakes one task. Set before it waits, it ends the next wait."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.set = self._event.set

    async def wait(self, timeout: float | None = None) -> None:
        """Wait for `set`, for so many seconds at most."""
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()


class AsyncWorkers:
    """The core of realtime, and the tasks that run it. They belong to one event loop."""

    def __init__(
        self,
        settings: RealtimeSettings,
        get_token: AsyncGetToken,
        on_error: Callable[[PoolseError], object] | None,
    ) -> None:
        self._get_token = get_token
        self._due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._context = copy_context()
        self._loop = BoundLoop()
        self.client: RealtimeClient = RealtimeClient(
            settings,
            clock=time.monotonic,
            random=random.random,
            # Whatever runs in one event loop is never interrupted in the middle of a change.
            lock=nullcontext(),
            check_caller=self._loop.__enter__,
            process=os.getpid,
            start=self._start,
            wake_callbacks=self._due.set,
            on_error=on_error or log_error(_LOG.warning),
            context=self._context.copy(),
        )

    @property
    def is_running(self) -> bool:
        """Whether there are tasks that only `close` ends."""
        client = self.client
        return bool(self._tasks) and not (self.is_over or client.closed or client.is_forked)

    @property
    def is_over(self) -> bool:
        """Whether the event loop is closed."""
        return self._loop.is_over

    def bind(self) -> None:
        """Work in the running event loop from now on."""
        _ = self.client.lock
        self._loop.settle()

    async def close(self) -> None:
        """End all tasks, but for one that calls this. Doing it again does nothing."""
        if self.client.is_forked or self.is_over:
            return
        self.client.close()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_WAIT)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=self.client.settings.close_timeout)

    def _start(self, socket: Socket) -> None:
        """Start the driver of a new socket, which is the first sign that a task is needed."""
        self._tasks = [task for task in self._tasks if not task.done()]
        if not self._tasks:
            self._run("poolse-calls", self._make_calls())
        self._run("poolse-socket", AsyncDriver(self.client, socket, self._get_token).run())

    def _run(self, name: str, work: Coroutine[object, object, None]) -> None:
        # With the context variables of where the client was created, since it serves all callers.
        self._tasks.append(asyncio.create_task(work, name=name, context=self._context.copy()))

    async def _make_calls(self) -> None:
        callbacks = self.client.callbacks
        try:
            while True:
                call = callbacks.next()
                if call is None:
                    self._due.clear()
                    await self._due.wait()
                elif (failure := await _call(call)) is not None:
                    await self._report(call, failure)
        except QueueEnded:
            return
        except BaseException as error:
            self.client.callbacks_failed(error)
            if not isinstance(error, Exception):
                raise
            _LOG.exception("the task of the callbacks failed")

    async def _report(self, call: Call, failure: BaseException) -> None:
        report = self.client.callback_failed(call, failure)
        for error in (failure, report and await _call(report)):
            # As from any other task, these end the loop; not before they are reported.
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                asyncio.get_running_loop().call_soon(_throw, error)


async def _call(call: Call) -> BaseException | None:
    """Call a user's function, and return what it raises, which is logged."""
    subscriber, argument = call
    try:
        result = subscriber.context.run(subscriber.target, argument)
        if result is not None and inspect.isawaitable(result):
            await _in_context(result, subscriber.context)
    # It may have awaited something that was cancelled. Only our own cancellation ends this task.
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
