"""The threads of realtime: one drives each socket, and one calls the user's functions.

A driver alone receives, sends and closes: a thread that reads while another one sends breaks TLS.
Other threads leave commands with the core and wake it.

A thread waits so that Ctrl-C can end the wait at any point. `threading.Condition` enters and leaves
its lock in Python code: a KeyboardInterrupt that is raised there leaves the lock taken for ever,
and with it every other thread. So locks are taken by their own `with` only, which nothing
interrupts, and never while waiting.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Final

from websocket import ABNF, WebSocketProtocolException

from poolse._realtime.client import RealtimeClient, log_error
from poolse._realtime.effects import Close, Failure, Open, Send
from poolse._realtime.handshake import NotOpened, failure_of, token_failure
from poolse._realtime.queues import Call, QueueEnded
from poolse._realtime.reconnect_policy import NO_CLOSE_FRAME
from poolse._realtime.settings import CLOSE_WAIT, RealtimeSettings
from poolse._realtime.socket import Socket
from poolse._realtime.sync_frames import Frames, Incomplete, TooLarge, WebSocketFrame
from poolse._realtime.sync_transport import Interrupted, InterruptPipe, Transport, open_socket
from poolse._support.argument_checks import not_awaitable
from poolse._support.fork_safety import renew_after_fork
from poolse.errors import PoolseError

__all__ = ["Driver", "GetToken", "Wakeup", "Workers"]

GetToken = Callable[[str | None], str | None]

_LOG: Final = logging.getLogger("poolse.realtime")

# Longer waits are no use to anybody, and some systems refuse very long ones.
_LONGEST_WAIT: Final = 3600.0

# Seconds. A Ctrl-C in the very moment in which a lock begins to wait is looked at when it is done
# waiting, and on Windows any is.
_LONGEST_LOCK: Final = 1.0

# Seconds. When commands took longer, what was sent late has its time from then on.
_HELD_UP: Final = 0.1

# TLS says nothing of how far it came before it has sent all that it was given.
_PIECE: Final = 65536

_NO_CODE: Final = 1005
_BROKEN_PROTOCOL: Final = 1002
_TOO_LARGE: Final = 1009


class Driver:
    """Does the I/O of one socket."""

    def __init__(self, client: RealtimeClient, socket: Socket, get_token: GetToken) -> None:
        self._client = client
        self._socket = socket
        self._get_token = get_token
        self._token: str | None = None
        self._generation = 0
        self._transport: Transport | None = None
        self._frames = Frames(0)
        self._close_by: float | None = None
        self._interrupt = InterruptPipe()
        socket.wake = self._interrupt.wake

    def abandon(self) -> None:
        """Free everything: no thread will ever `run` it."""
        self._interrupt.close()

    def run(self) -> None:
        """Drive the socket until realtime is closed, or the socket is not needed any more."""
        socket = self._socket
        try:
            while not socket.is_over:
                # Read without the lock: each change of these is followed by a wake.
                deadline = socket.deadline
                left = _LONGEST_WAIT if deadline is None else deadline - time.monotonic()
                if socket.connection.commands or left <= 0:
                    self._step()
                elif (transport := self._transport) is None:
                    self._interrupt.wait(min(left, _LONGEST_WAIT))
                else:
                    data = transport.receive(min(left, _LONGEST_WAIT))
                    if data is not None:
                        self._receive(transport, data)
            self._step()
        except BaseException as error:
            _LOG.exception("the thread of a socket failed")
            self._client.driver_failed(socket, error)
        finally:
            if self._transport is not None:
                self._transport.close()
            self._interrupt.close()

    def _step(self) -> None:
        """Execute what is to be done now."""
        socket = self._socket
        with self._client.step(socket) as now:
            socket.tick(now)
            commands = socket.take_commands()
        began = time.monotonic()
        for command in commands:
            transport = self._transport
            if isinstance(command, Open):
                self._generation = command.generation
                self._close_by = None
                failure = self._open(command.refresh)
                with self._client.step(socket) as now:
                    if failure is None:
                        socket.connection.opened(command.generation, now)
                    else:
                        socket.connection.failed(command.generation, failure, now)
            elif transport is None or command.generation != self._generation:
                # Of a transport that is gone.
                pass
            elif isinstance(command, Send):
                self._send(transport, command)
            else:
                self._close(transport, command)
        if time.monotonic() - began > _HELD_UP:
            with self._client.step(socket) as now:
                socket.held_up(now)

    def _receive(self, transport: Transport, data: bytes) -> bool:
        """Handle what has come; False when the connection is gone."""
        client, socket, frames = self._client, self._socket, self._frames
        if not data:
            self._closed(NO_CLOSE_FRAME)
            return False
        frames.add(data)
        # Whether this is a part of a message, behind which the reply to a heartbeat may come.
        is_part = True
        try:
            while True:
                frame = frames.take()
                if frame.opcode >= ABNF.OPCODE_CLOSE:
                    is_part = False
                    if (code := self._control(transport, frame)) is not None:
                        self._closed(code)
                        return False
                    continue
                message = frames.join(frame)
                if message is not None:
                    client.receive(socket, self._generation, message)
                    is_part = False
        except Incomplete:
            pass
        except (TooLarge, WebSocketProtocolException) as error:
            code = _TOO_LARGE if isinstance(error, TooLarge) else _BROKEN_PROTOCOL
            with suppress(OSError):
                self._write(transport, ABNF.OPCODE_CLOSE, code.to_bytes(2, "big"))
            self._closed(code)
            return False
        if is_part:
            with client.step(socket) as now:
                socket.connection.received_part(self._generation, now)
        return True

    def _control(self, transport: Transport, frame: WebSocketFrame) -> int | None:
        """Reply to a control frame; return the close code if the connection ends."""
        data = frame.data
        if frame.opcode == ABNF.OPCODE_CLOSE:
            # The connection may be gone already. The code is what counts.
            with suppress(OSError):
                self._write(transport, ABNF.OPCODE_CLOSE, data)
            return int.from_bytes(data[:2], "big") or _NO_CODE
        if frame.opcode == ABNF.OPCODE_PING:
            try:
                self._write(transport, ABNF.OPCODE_PONG, data)
            except TimeoutError:
                return NO_CLOSE_FRAME
            except OSError:
                # A close frame may be behind a ping to which no reply can be sent any more.
                pass
        return None

    def _open(self, refresh: bool) -> Failure | None:
        """Open a transport and a WebSocket on it, or stop when it is not wanted any more."""
        settings = self._client.settings
        try:
            self._token = self._get_token(self._token if refresh else None)
        # Also SystemExit: like a callback, it does not end this thread.
        except BaseException as error:
            return token_failure(error)
        until = time.monotonic() + settings.connect_timeout
        transport = Transport(self._interrupt, self._is_wanted, until)
        try:
            open_socket(transport, settings, self._token)
        except BaseException as error:
            transport.close()
            match error:
                case NotOpened():
                    return error.failure
                case Interrupted():
                    return Failure(reason="it was no longer needed")
                case Exception():
                    return failure_of(error, settings.connect_timeout)
                case _:
                    raise
        self._transport, self._frames = transport, Frames(settings.max_frame)
        transport.wanted = self._may_wait
        return None

    def _is_wanted(self) -> bool:
        # Read without the lock: each change of these is followed by a wake.
        connection = self._socket.connection
        return connection.generation == self._generation and connection.state == "connecting"

    def _may_wait(self) -> bool:
        """Shorten a wait for a server that reads nothing, once the socket is to be closed."""
        socket = self._socket
        leaving = socket.is_over or self._generation in socket.connection.closing
        if leaving and self._transport is not None:
            # One limit for all that is still to be sent.
            if self._close_by is None:
                self._close_by = time.monotonic() + self._client.settings.close_timeout
            self._transport.deadline = min(self._transport.deadline, self._close_by)
        return True

    def _send(self, transport: Transport, command: Send) -> None:
        data = command.data
        try:
            if isinstance(data, str):
                self._write(transport, ABNF.OPCODE_TEXT, data.encode())
            else:
                self._write(transport, ABNF.OPCODE_BINARY, data)
        except TimeoutError:
            self._closed(NO_CLOSE_FRAME)
        except OSError:
            # Nothing can be sent any more. What came before that is read, the close code too.
            until = time.monotonic() + self._client.settings.close_timeout
            while time.monotonic() < until and (came := transport.receive(0)) is not None:
                if not self._receive(transport, came):
                    return
            self._closed(NO_CLOSE_FRAME)

    def _write(self, transport: Transport, opcode: int, data: bytes) -> None:
        left = memoryview(ABNF.create_frame(data, opcode).format())
        while left:
            # There is a limit for each part, not for the whole.
            transport.deadline = time.monotonic() + self._client.settings.heartbeat_timeout
            self._may_wait()
            left = left[transport.send(left[:_PIECE]) :]

    def _close(self, transport: Transport, command: Close) -> None:
        """Say goodbye, and wait a moment for the reply."""
        until = transport.deadline = time.monotonic() + self._client.settings.close_timeout
        goodbye = ABNF.create_frame(command.code.to_bytes(2, "big"), ABNF.OPCODE_CLOSE)
        frames, opcode = self._frames, -1
        with suppress(OSError, TooLarge, WebSocketProtocolException):
            transport.send_all(goodbye.format())
            # Further frames are not needed, nor replies to pings among them.
            while opcode != ABNF.OPCODE_CLOSE and (left := until - time.monotonic()) > 0:
                try:
                    opcode = frames.take().opcode
                except Incomplete:
                    if (data := transport.receive(left)) == b"":
                        break
                    frames.add(data or b"")
        self._closed(command.code)

    def _closed(self, code: int) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        with self._client.step(self._socket) as now:
            self._socket.connection.closed(self._generation, code, now)


class Wakeup:
    """Wakes one thread. Set before it waits, it ends the next wait."""

    def __init__(self) -> None:
        self._is_clear = threading.Lock()
        self._is_clear.acquire()

    def set(self) -> None:
        """Wake the thread. A signal handler may do it, and any number of threads at a time."""
        try:
            self._is_clear.release()
        except RuntimeError:  # it is set, and there was no wait since
            pass

    def wait(self, timeout: float | None = None) -> None:
        """Wait for `set`, for so many seconds at most. It may end earlier."""
        limit = _LONGEST_LOCK if timeout is None else min(timeout, _LONGEST_LOCK)
        self._is_clear.acquire(timeout=limit)


class Workers:
    """The core of realtime, and the threads that run it."""

    is_over: Final = False
    """Threads do not belong to an event loop that could be closed."""

    def __init__(
        self,
        settings: RealtimeSettings,
        get_token: GetToken,
        on_error: Callable[[PoolseError], object] | None,
    ) -> None:
        self._get_token = get_token
        self._due = Wakeup()
        self._threads: list[threading.Thread] = []
        self._context = copy_context()
        self.client: RealtimeClient = RealtimeClient(
            settings,
            clock=time.monotonic,
            random=random.random,
            # Callbacks may subscribe, leave and close, and those take it too.
            lock=threading.RLock(),
            process=os.getpid,
            start=self._start,
            wake_callbacks=self._due.set,
            on_error=on_error or log_error(_LOG.warning),
            context=self._context.copy(),
        )
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Let waits that started in the parent raise in a forked child."""
        self.client.renew(threading.RLock())

    @property
    def is_running(self) -> bool:
        """Whether there are threads that only `close` ends."""
        return bool(self._threads) and not (self.client.closed or self.client.is_forked)

    def close(self) -> None:
        """End all threads, but for one that calls this. Doing it again does nothing."""
        if self.client.is_forked:
            return
        self.client.close()
        deadline = time.monotonic() + CLOSE_WAIT
        with self.client.lock:
            threads = [t for t in self._threads if t is not threading.current_thread()]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start(self, socket: Socket) -> None:
        """Start the driver of a new socket, which is the first sign that a thread is needed."""
        driver = Driver(self.client, socket, self._get_token)
        try:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            if not self._threads:
                self._run("poolse-calls", self._make_calls)
            self._run("poolse-socket", driver.run)
        except BaseException:
            driver.abandon()
            raise

    def _run(self, name: str, work: Callable[[], None]) -> None:
        # With the context variables of where the client was created, since it serves all callers.
        target = partial(self._context.copy().run, work)
        # A daemon, so that a script that forgets `close` can end.
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _make_calls(self) -> None:
        client, callbacks, lock = self.client, self.client.callbacks, self.client.lock
        report: Call | None = None
        try:
            while True:
                call = report
                if call is None:
                    with lock:
                        call = callbacks.next()
                report = None
                if call is None:
                    self._due.wait()
                    continue
                subscriber, argument = call
                try:
                    result = subscriber.context.run(subscriber.target, argument)
                    if result is not None:
                        not_awaitable("the callback", result)
                # Also SystemExit: a callback ends neither this thread nor the ones that follow.
                except BaseException as error:
                    _LOG.exception("a callback failed")
                    report = client.callback_failed(call, error)
        except QueueEnded:
            return
        except BaseException as error:
            _LOG.exception("the thread of the callbacks failed")
            client.callbacks_failed(error)
