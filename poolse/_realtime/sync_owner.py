"""The thread that owns a socket of the sync body.

It alone receives, sends and closes: a thread that reads while another one sends breaks TLS. The
other threads leave commands with the brain and wake it.
"""

from __future__ import annotations

import logging
import struct
import threading
import time
from collections.abc import Callable

from websocket import ABNF, WebSocket, WebSocketException

from poolse._realtime.effects import Close, Command, Open, Send
from poolse._realtime.fleet import Link
from poolse._realtime.handshake import token_failure
from poolse._realtime.hub import Hub
from poolse._realtime.sync_open import NotOpened, open_socket
from poolse._realtime.sync_wire import Interrupted, Waker, Wire

__all__ = ["GetToken", "Owner"]

GetToken = Callable[[str | None], str | None]

_LOG = logging.getLogger("poolse")

# Longer waits are no use to anybody, and some systems refuse very long ones.
_LONGEST_WAIT = 3600.0

# So many messages are taken in one go before commands and timers get their turn.
_BATCH = 100

_NO_CLOSE_FRAME = 1006
_NO_CODE = 1005


class _Gone(Exception):  # noqa: N818  (how a connection ends)
    """The other side is gone."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Owner:
    """Carries out what the brain wants of one socket."""

    def __init__(self, hub: Hub, link: Link, get_token: GetToken) -> None:
        self._hub = hub
        self._link = link
        self._get_token = get_token
        self._token: str | None = None
        self._generation = 0
        self._ws: WebSocket | None = None
        self._wire: Wire | None = None
        self._waker = Waker()
        link.wake = self._waker.wake
        # A daemon, so that a script that forgets `close` can end.
        self.thread = threading.Thread(target=self._run, name="poolse-socket", daemon=True)

    def _run(self) -> None:
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
            commands, closed = self._link.take_commands(), self._hub.closed
        for command in commands:
            self._carry_out(command)
        return not closed

    def _listen(self) -> None:
        """Wait for messages, for a wake, or for the next deadline."""
        with self._hub.guard:
            if self._link.commands or self._hub.closed:
                return
            deadline = self._link.next_deadline()
        left = _LONGEST_WAIT if deadline is None else max(0.0, deadline - time.monotonic())
        if self._wire is None:
            self._waker.wait(min(left, _LONGEST_WAIT))
            return
        self._wire.wait(min(left, _LONGEST_WAIT))
        try:
            messages = self._receive()
        except _Gone as gone:
            self._lost(gone.code)

    def _carry_out(self, command: Command) -> None:
        if isinstance(command, Open):
            self._open(command)
        elif command.generation != self._generation or self._ws is None:
            return
        elif isinstance(command, Send):
            self._send(command)
        else:
            self._close(command)
