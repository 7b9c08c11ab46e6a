"""The thread that drives a socket of the sync client.

It alone receives, sends and closes: a thread that reads while another one sends breaks TLS. Other
threads leave commands with the core and wake it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, cast

from websocket import (
    ABNF,
    WebSocket,
    WebSocketConnectionClosedException,
    WebSocketException,
)

from poolse._realtime.client import RealtimeClient
from poolse._realtime.effects import Close, Command, Failure, Open, Send
from poolse._realtime.handshake import NotOpened, token_failure
from poolse._realtime.reconnect_policy import NO_CLOSE_FRAME
from poolse._realtime.socket import Socket
from poolse._realtime.sync_connect import open_socket
from poolse._realtime.sync_frames import Frames, InvalidFragment, Reassembler
from poolse._realtime.sync_transport import Interrupted, InterruptPipe, TooLarge, Transport

__all__ = ["Driver", "GetToken"]

GetToken = Callable[[str | None], str | None]

_LOG: Final = logging.getLogger("poolse.realtime")

# Longer waits are no use to anybody, and some systems refuse very long ones.
_LONGEST_WAIT: Final = 3600.0

# Seconds. When commands took longer, what was sent late has its time from then on.
_HELD_UP: Final = 0.1

# So many frames are taken in one go before commands and timers get their turn.
_BATCH: Final = 32

_DATA: Final = (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY, ABNF.OPCODE_CONT)

# TLS says nothing of how far it came before it has sent all that it was given.
_PIECE: Final = 65536

_LONGEST_PING: Final = 125

_NO_CODE: Final = 1005
_TOO_LARGE: Final = 1009

_BROKEN = (OSError, WebSocketException, InvalidFragment)


class _Closed(Exception):  # noqa: N818  (how a connection ends)
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Driver:
    """Does the I/O of one socket."""

    def __init__(self, client: RealtimeClient, socket: Socket, get_token: GetToken) -> None:
        self._client = client
        self._socket = socket
        self._get_token = get_token
        self._token: str | None = None
        self._generation = 0
        self._open: tuple[WebSocket, Transport] | None = None
        self._messages = Reassembler(0)
        self._close_by: float | None = None
        self._interrupt = InterruptPipe()
        socket.wake = self._interrupt.wake

    def abandon(self) -> None:
        """Free everything: no thread will ever `run` it."""
        self._interrupt.close()

    def run(self) -> None:
        """Drive the socket until realtime is closed, or the socket is not needed any more."""
        try:
            while not self._client.has_ended(self._socket):
                self._step()
                self._wait()
            self._step()
        except BaseException as error:
            _LOG.exception("the thread of a socket failed")
            self._client.driver_failed(self._socket, error)
        finally:
            self._drop()
            self._interrupt.close()

    def _step(self) -> None:
        """Execute what is to be done now, if anything is."""
        socket = self._socket
        # Read without the lock: each change of these is followed by a wake.
        if not socket.connection.commands and self._seconds_left() > 0:
            return
        with self._client.step(socket) as now:
            socket.tick(now)
            commands = socket.take_commands()
        began = time.monotonic()
        for command in commands:
            self._execute(command)
        if time.monotonic() - began > _HELD_UP:
            with self._client.step(socket) as now:
                socket.held_up(now)

    def _seconds_left(self) -> float:
        """How long the next deadline is away."""
        deadline = self._socket.deadline
        return _LONGEST_WAIT if deadline is None else deadline - time.monotonic()

    def _execute(self, command: Command) -> None:
        if isinstance(command, Open):
            self._connect(command)
        elif self._open is not None and command.generation == self._generation:
            if isinstance(command, Send):
                self._send(*self._open, command)
            else:
                self._close(*self._open, command)

    def _wait(self) -> None:
        """Wait for messages, for a wake, or for the next deadline, and handle what has come."""
        # The wake for this may have been spent on a wait in the middle of a command.
        if self._socket.connection.commands or self._client.has_ended(self._socket):
            return
        left = min(max(0.0, self._seconds_left()), _LONGEST_WAIT)
        if self._open is None:
            self._interrupt.wait(left)
            return
        ws, transport = self._open
        transport.wait(left)
        self._receive(ws, transport)

    def _receive(self, ws: WebSocket, transport: Transport) -> bool:
        """Handle what has come; False when there is no more, or the connection is gone."""
        client, socket, generation = self._client, self._socket, self._generation
        self._renew_deadline(transport)
        before, is_part, more = transport.received, True, True
        try:
            for _ in range(_BATCH):
                message = self._message(ws, cast(Any, ws).recv_frame())
                if message is not None:
                    client.receive(socket, generation, message)
                    is_part = False
        except BlockingIOError:
            more = False
        except _Closed as closed:
            self._closed(closed.code)
            return False
        except TooLarge:
            self._closed(_TOO_LARGE)
            return False
        except _BROKEN:
            self._closed(NO_CLOSE_FRAME)
            return False
        if is_part and transport.received > before:
            # A part of a large message, behind which the reply to a heartbeat may come.
            with client.step(socket) as now:
                socket.connection.received_part(generation, now)
        return more

    def _message(self, ws: WebSocket, frame: ABNF) -> bytes | None:
        """Return the message that a frame is the end of; answer a frame that is none."""
        # The library's own types are incomplete.
        data, opcode = cast(bytes, frame.data), frame.opcode
        if opcode in _DATA:
            first, last = opcode != ABNF.OPCODE_CONT, bool(frame.fin)
            return self._messages.add(data, first=first, last=last)
        if opcode == ABNF.OPCODE_CLOSE:
            # The connection may be gone already. The code is what counts.
            with suppress(*_BROKEN):
                cast(Any, ws).send_close()
            raise _Closed(int.from_bytes(data[:2], "big") or _NO_CODE)
        if opcode == ABNF.OPCODE_PING:
            # A close frame may lie behind a ping that cannot be answered any more.
            with suppress(ConnectionError, WebSocketConnectionClosedException):
                # Longer ones are against the rules, and the library does not look.
                ws.pong(data[:_LONGEST_PING])
        return None

    def _connect(self, command: Open) -> None:
        self._generation = command.generation
        self._close_by = None
        failure = self._try(command.refresh)
        with self._client.step(self._socket) as now:
            if failure is None:
                self._socket.connection.opened(self._generation, now)
            else:
                self._socket.connection.failed(self._generation, failure, now)

    def _try(self, refresh: bool) -> Failure | None:
        try:
            self._token = self._get_token(self._token if refresh else None)
        # Also SystemExit: like a callback, it does not end this thread.
        except BaseException as error:
            return token_failure(error)
        settings = self._client.settings
        try:
            ws, transport = open_socket(settings, self._token, self._interrupt, self._is_wanted)
        except NotOpened as error:
            return error.failure
        except Interrupted:
            return Failure(reason="it was not wanted any more")
        transport.wanted = self._may_wait
        self._messages = cast(Frames, ws.frame_buffer).messages
        self._open = ws, transport
        return None

    def _is_wanted(self) -> bool:
        with self._client.lock:
            return self._socket.connection.is_opening(self._generation)

    def _may_wait(self) -> bool:
        """Shorten a wait for a server that reads nothing, once the socket is to be closed."""
        socket = self._socket
        leaving = self._client.has_ended(socket) or self._generation in socket.connection.closing
        if leaving and self._open is not None:
            # One limit for all that is still to be sent.
            if self._close_by is None:
                self._close_by = time.monotonic() + self._client.settings.close_timeout
            transport = self._open[1]
            transport.deadline = min(transport.deadline, self._close_by)
        return True

    def _send(self, ws: WebSocket, transport: Transport, command: Send) -> None:
        binary = isinstance(command.data, bytes)
        opcode = ABNF.OPCODE_BINARY if binary else ABNF.OPCODE_TEXT
        left = memoryview(ABNF.create_frame(command.data, opcode).format())
        try:
            while left:
                # There is a limit for each part, not for the whole.
                self._renew_deadline(transport)
                self._may_wait()
                left = left[transport.send(left[:_PIECE]) :]
        except TimeoutError:
            self._closed(NO_CLOSE_FRAME)
        except _BROKEN:
            self._receive_rest(ws, transport)

    def _renew_deadline(self, transport: Transport) -> None:
        transport.deadline = time.monotonic() + self._client.settings.heartbeat_timeout

    def _receive_rest(self, ws: WebSocket, transport: Transport) -> None:
        """Nothing can be sent any more. What came before that is read, the close code too."""
        until = time.monotonic() + self._client.settings.close_timeout
        while time.monotonic() < until and self._receive(ws, transport):
            pass
        if self._open is not None:
            self._closed(NO_CLOSE_FRAME)

    def _close(self, ws: WebSocket, transport: Transport, command: Close) -> None:
        """Say goodbye, and wait a moment for the reply."""
        transport.deadline = time.monotonic() + self._client.settings.close_timeout
        ws.settimeout(None)
        try:
            ws.send_close(command.code)
            while time.monotonic() < transport.deadline:
                if cast(Any, ws).recv_frame().opcode == ABNF.OPCODE_CLOSE:
                    break
        except (*_BROKEN, TooLarge):
            pass
        self._closed(command.code)

    def _closed(self, code: int) -> None:
        self._drop()
        with self._client.step(self._socket) as now:
            self._socket.connection.closed(self._generation, code, now)

    def _drop(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None
