"""The thread that owns a socket of the sync body.

It alone receives, sends and closes: a thread that reads while another one sends breaks TLS. The
other threads leave commands with the brain and wake it.
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
from poolse._realtime.fragments import InvalidFragment, Reassembler, TooLarge
from poolse._realtime.handshake import token_failure
from poolse._realtime.socket import Socket
from poolse._realtime.sync_connect import NotOpened, open_socket
from poolse._realtime.sync_frames import Frames
from poolse._realtime.sync_transport import Interrupted, InterruptPipe, Transport

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
_NO_CLOSE_FRAME: Final = 1006
_TOO_LARGE: Final = 1009

_BROKEN = (OSError, WebSocketException, InvalidFragment)


class _Gone(Exception):  # noqa: N818  (how a connection ends)
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Driver:
    """Carries out what the brain wants of one socket."""

    def __init__(self, hub: RealtimeClient, link: Socket, get_token: GetToken) -> None:
        self._hub = hub
        self._link = link
        self._get_token = get_token
        self._token: str | None = None
        self._generation = 0
        self._open: tuple[WebSocket, Transport] | None = None
        self._messages = Reassembler(0)
        self._end: float | None = None
        self._waker = InterruptPipe()
        link.wake = self._waker.wake

    def abandon(self) -> None:
        """Free everything: no thread will ever `run` it."""
        self._waker.close()

    def run(self) -> None:
        """Own the socket until realtime is closed, or the socket is not needed any more."""
        try:
            while self._turn():
                self._listen()
        except BaseException as error:
            _LOG.exception("the thread of a socket failed")
            self._hub.broken(self._link, error)
        finally:
            self._drop()
            self._waker.close()

    def _turn(self) -> bool:
        """Carry out what is to be done now; False when it was the last thing."""
        with self._hub.turn(self._link) as now:
            self._link.tick(now)
            commands, over = self._link.take_commands(), self._hub.has_ended(self._link)
        began = time.monotonic()
        for command in commands:
            self._carry_out(command)
        if time.monotonic() - began > _HELD_UP:
            with self._hub.turn(self._link) as now:
                self._link.held_up(now)
        return not over

    def _carry_out(self, command: Command) -> None:
        if isinstance(command, Open):
            self._connect(command)
        elif self._open is not None and command.generation == self._generation:
            if isinstance(command, Send):
                self._send(*self._open, command)
            else:
                self._close(*self._open, command)

    def _listen(self) -> None:
        """Wait for messages, for a wake, or for the next deadline."""
        with self._hub.guard:
            # The wake for this may have been spent on a wait in the middle of a command.
            if self._link.commands or self._hub.has_ended(self._link):
                return
            deadline = self._link.next_deadline()
        left = _LONGEST_WAIT if deadline is None else deadline - time.monotonic()
        left = min(max(0.0, left), _LONGEST_WAIT)
        if self._open is None:
            self._waker.wait(left)
            return
        ws, wire = self._open
        wire.wait(left)
        self._take(ws, wire)

    def _take(self, ws: WebSocket, wire: Transport) -> bool:
        """Hand on what has come; False when there is no more, or the connection is gone."""
        self._give_time(wire)
        messages: list[bytes] = []
        before = wire.taken
        try:
            more = self._receive(ws, messages)
        except _Gone as gone:
            self._deliver(messages)
            self._lost(gone.code)
            return False
        self._deliver(messages)
        if wire.taken > before and not messages:
            # A part of a large message, behind which the reply to a heartbeat may come.
            with self._hub.turn(self._link) as now:
                self._link.hears(self._generation, now)
        return more

    def _receive(self, ws: WebSocket, messages: list[bytes]) -> bool:
        """Take what has come, without waiting for more; False when that was all."""
        try:
            for _ in range(_BATCH):
                message = self._taken(ws, _next(ws))
                if message is not None:
                    messages.append(message)
        except BlockingIOError:
            return False
        except TooLarge:
            raise _Gone(_TOO_LARGE) from None
        except _BROKEN:
            raise _Gone(_NO_CLOSE_FRAME) from None
        return True

    def _taken(self, ws: WebSocket, frame: ABNF) -> bytes | None:
        """What becomes of a frame: a message when it is the end of one."""
        # The library's own types are incomplete.
        data, opcode = cast(bytes, frame.data), frame.opcode
        if opcode in _DATA:
            first, last = opcode != ABNF.OPCODE_CONT, bool(frame.fin)
            return self._messages.add(data, first=first, last=last)
        if opcode == ABNF.OPCODE_CLOSE:
            # The connection may be gone already. The code is what counts.
            with suppress(*_BROKEN):
                cast(Any, ws).send_close()
            raise _Gone(int.from_bytes(data[:2], "big") or _NO_CODE)
        if opcode == ABNF.OPCODE_PING:
            # A close frame may lie behind a ping that cannot be answered any more.
            with suppress(ConnectionError, WebSocketConnectionClosedException):
                # Longer ones are against the rules, and the library does not look.
                ws.pong(data[:_LONGEST_PING])
        return None

    def _deliver(self, messages: list[bytes]) -> None:
        if messages:
            self._hub.received(self._link, self._generation, messages)

    def _connect(self, command: Open) -> None:
        self._generation = command.generation
        self._end = None
        failure = self._try(command.refresh)
        with self._hub.turn(self._link) as now:
            if failure is None:
                self._link.opened(self._generation, now)
            else:
                self._link.failed(self._generation, failure, now)

    def _try(self, refresh: bool) -> Failure | None:
        try:
            self._token = self._get_token(self._token if refresh else None)
        # Also SystemExit: like a callback, it does not end this thread.
        except BaseException as error:
            return token_failure(error)
        try:
            ws, wire = open_socket(self._hub.settings, self._token, self._waker, self._is_wanted)
        except NotOpened as refusal:
            return refusal.failure
        except Interrupted:
            return Failure(reason="it was not wanted any more")
        wire.wanted = self._may_wait
        self._messages = cast(Frames, ws.frame_buffer).messages
        self._open = ws, wire
        return None

    def _is_wanted(self) -> bool:
        with self._hub.guard:
            return self._link.connection.is_opening(self._generation)

    def _may_wait(self) -> bool:
        """Shorten a wait for a server that reads nothing, once the socket is to be closed."""
        link = self._link
        with self._hub.guard:
            leaving = self._hub.has_ended(link) or self._generation in link.connection.closing
        if leaving and self._open is not None:
            # One limit for all that is still to be sent.
            self._end = self._end or time.monotonic() + self._hub.settings.close_timeout
            self._open[1].deadline = min(self._open[1].deadline, self._end)
        return True

    def _send(self, ws: WebSocket, wire: Transport, command: Send) -> None:
        binary = isinstance(command.data, bytes)
        opcode = ABNF.OPCODE_BINARY if binary else ABNF.OPCODE_TEXT
        try:
            self._write(wire, ABNF.create_frame(command.data, opcode).format())
        except TimeoutError:
            self._lost(_NO_CLOSE_FRAME)
        except _BROKEN:
            self._hear_out(ws, wire)

    def _write(self, wire: Transport, data: bytes) -> None:
        """Send all of it. There is a limit for each part, not for the whole."""
        left = memoryview(data)
        while left:
            self._give_time(wire)
            self._may_wait()
            left = left[wire.send(left[:_PIECE]) :]

    def _give_time(self, wire: Transport) -> None:
        wire.deadline = time.monotonic() + self._hub.settings.heartbeat_timeout

    def _hear_out(self, ws: WebSocket, wire: Transport) -> None:
        """Nothing can be sent any more. What came before that is read, the close code too."""
        until = time.monotonic() + self._hub.settings.close_timeout
        while time.monotonic() < until and self._take(ws, wire):
            pass
        if self._open is not None:
            self._lost(_NO_CLOSE_FRAME)

    def _close(self, ws: WebSocket, wire: Transport, command: Close) -> None:
        """Say goodbye, and wait a moment for the answer."""
        wire.deadline = time.monotonic() + self._hub.settings.close_timeout
        ws.settimeout(None)
        try:
            ws.send_close(command.code)
            while time.monotonic() < wire.deadline:
                if cast(Any, ws).recv_frame().opcode == ABNF.OPCODE_CLOSE:
                    break
        except (*_BROKEN, TooLarge):
            pass
        self._lost(command.code)

    def _lost(self, code: int) -> None:
        self._drop()
        with self._hub.turn(self._link) as now:
            self._link.closed(self._generation, code, now)

    def _drop(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


def _next(ws: WebSocket) -> ABNF:
    untyped: Any = ws
    frame: ABNF = untyped.recv_frame()
    return frame
