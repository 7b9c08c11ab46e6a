"""The task that owns a socket of the async body, and one more for as long as a transport lives.

The first carries out what the brain wants; the second opens the transport and reads from it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from websockets.exceptions import ConnectionClosed, InvalidStatus

from poolse._realtime.async_connect import open_socket
from poolse._realtime.async_transport import AsyncTransport
from poolse._realtime.client import RealtimeClient
from poolse._realtime.effects import Close, Command, Failure, Open
from poolse._realtime.handshake import (
    failure_of,
    refused,
    token_failure,
)
from poolse._realtime.socket import Socket

__all__ = ["AsyncDriver", "AsyncGetToken"]

AsyncGetToken = Callable[[str | None], Awaitable[str | None]]

_LOG: Final = logging.getLogger("poolse.realtime")

# Seconds. When commands took longer, what was sent late has its time from then on.
_HELD_UP: Final = 0.1

_NO_CLOSE_FRAME: Final = 1006


class _NotOpened(Exception):  # noqa: N818  (carries the reason to the brain)
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class AsyncDriver:
    """Carries out what the brain wants of one socket."""

    def __init__(self, hub: RealtimeClient, link: Socket, get_token: AsyncGetToken) -> None:
        self._hub = hub
        self._link = link
        self._get_token = get_token
        self._token: str | None = None
        self._transports: dict[int, asyncio.Task[int]] = {}
        self._open: dict[int, AsyncTransport] = {}
        self._is_full = False
        self._changed = asyncio.Event()
        self._sending: tuple[int, asyncio.Timeout] | None = None
        self._close_by: float | None = None
        link.wake = self._wake

    def _wake(self) -> None:
        self._changed.set()
        if self._sending is not None:
            self._shorten(*self._sending)

    def _shorten(self, generation: int, sending: asyncio.Timeout) -> None:
        """Wait no longer for a server that reads nothing, once the socket is to be closed."""
        leaving = self._hub.has_ended(self._link) or generation in self._link.connection.closing
        limit = sending.when()
        if leaving and limit is not None and not sending.expired():
            now = asyncio.get_running_loop().time()
            # One limit for all that is still to be sent.
            self._close_by = self._close_by or now + self._hub.settings.close_timeout
            sending.reschedule(min(limit, self._close_by))

    async def run(self) -> None:
        """Own the socket until realtime is closed, or the socket is not needed any more."""
        try:
            while not await self._turn():
                await self._pause()
        except BaseException as error:
            self._hub.broken(self._link, error)
            if not isinstance(error, Exception):
                raise
            _LOG.exception("the task of a socket failed")
        finally:
            await self._end()

    async def _turn(self) -> bool:
        """Carry out what is to be done now; True when it was the last thing."""
        with self._hub.turn(self._link) as now:
            for generation, ws in self._open.items():
                self._look_at(ws, generation, now)
            self._link.tick(now)
            commands = self._link.take_commands()
        if commands:
            # What has come is read before anything is sent: where that fails, asyncio throws it
            # away, and the close code with it. One round finds it, the next one comes after it.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        began = time.monotonic()
        for command in commands:
            await self._carry_out(command)
        if time.monotonic() - began > _HELD_UP:
            with self._hub.turn(self._link) as now:
                self._link.held_up(now)
        return self._hub.has_ended(self._link)

    def _look_at(self, ws: AsyncTransport, generation: int, now: float) -> None:
        """Tell the link what holds up the reply to a heartbeat, in either direction."""
        was_full, self._is_full = self._is_full, ws.unread > 0
        self._link.hears(generation, now if self._is_full else ws.heard_at)
        if was_full and not self._is_full:
            self._link.held_up(now)

    async def _pause(self) -> None:
        """Wait for a wake or for the next deadline."""
        deadline = self._link.next_deadline()
        try:
            async with asyncio.timeout(None if deadline is None else deadline - time.monotonic()):
                await self._changed.wait()
        except TimeoutError:
            pass
        self._changed.clear()

    async def _carry_out(self, command: Command) -> None:
        generation = command.generation
        match command:
            case Open():
                self._close_by = None
                name = f"poolse-transport-{generation}"
                task = asyncio.create_task(self._carry(generation, command.refresh), name=name)
                task.add_done_callback(partial(self._carried, generation))
                self._transports[generation] = task
            case Close():
                self._stop(generation)
            case _:
                if generation in self._open:
                    await self._send(self._open[generation], generation, command.data)

    def _stop(self, generation: int) -> None:
        """End a transport, once: the second cancellation would cut its goodbye short."""
        task = self._transports.get(generation)
        if task is not None and not task.cancelling():
            task.cancel()

    async def _send(self, ws: AsyncTransport, generation: int, data: str | bytes) -> None:
        left = ws.unread + len(data)
        sending = ws.send(data)
        try:
            while not await self._sent(sending, generation):
                # A large frame takes longer. There is a limit for each part, not for the whole.
                if self._close_by is not None or ws.unread >= left:
                    self._stop(generation)
                    return
                left = ws.unread
                sending = ws.taken()
        except ConnectionClosed:
            # Whoever reads from it notices too, and knows the code.
            pass
        finally:
            self._sending = None

    async def _sent(self, sending: Awaitable[None], generation: int) -> bool:
        """Whether it was sent within the limit."""
        try:
            async with asyncio.timeout(self._hub.settings.heartbeat_timeout) as limit:
                self._sending = generation, limit
                self._shorten(generation, limit)
                await sending
        except TimeoutError:
            return False
        return True

    async def _carry(self, generation: int, refresh: bool) -> int:
        """One transport from start to end.

        Returns:
            Its close code.
        """
        try:
            ws = await self._connect(refresh)
        except _NotOpened as refusal:
            with self._hub.turn(self._link) as now:
                self._link.failed(generation, refusal.failure, now)
            return _NO_CLOSE_FRAME
        self._open[generation] = ws
        try:
            with self._hub.turn(self._link) as now:
                self._link.opened(generation, now)
            while True:
                messages = await ws.messages()
                self._hub.received(self._link, generation, messages)
                await asyncio.sleep(0)
        except ConnectionClosed as closed:
            frame = closed.rcvd or closed.sent
            return frame.code if frame else _NO_CLOSE_FRAME
        finally:
            del self._open[generation]
            await self._hang_up(ws)

    async def _hang_up(self, ws: AsyncTransport) -> None:
        """Close a transport. The library would wait for ever for a server that reads nothing."""
        try:
            async with asyncio.timeout(self._hub.settings.close_timeout):
                await ws.hang_up()
        except TimeoutError:
            ws.drop()
            await ws.wait_closed()

    def _carried(self, generation: int, task: asyncio.Task[int]) -> None:
        del self._transports[generation]
        code = _NO_CLOSE_FRAME
        if not task.cancelled():
            if error := task.exception():
                _LOG.error("the task of a transport failed", exc_info=error)
                self._hub.broken(self._link, error)
                return
            code = task.result()
        with self._hub.turn(self._link) as now:
            self._link.closed(generation, code, now)

    async def _connect(self, refresh: bool) -> AsyncTransport:
        settings = self._hub.settings
        try:
            async with asyncio.timeout(settings.token_timeout):
                self._token = await self._get_token(self._token if refresh else None)
        except Exception as error:
            raise _NotOpened(token_failure(error)) from None
        try:
            return await open_socket(settings, self._token)
        except InvalidStatus as error:
            answer = error.response
            wait = answer.headers.get("Retry-After")
            raise _NotOpened(refused(answer.status_code, wait, time.time())) from None
        except Exception as error:
            raise _NotOpened(failure_of(error, settings.connect_timeout)) from None

    async def _end(self) -> None:
        for generation in self._transports:
            self._stop(generation)
        if self._transports:
            await asyncio.wait(self._transports.values())
