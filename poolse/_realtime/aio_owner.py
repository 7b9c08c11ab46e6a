"""The task that owns a socket of the async body, and one more for as long as a transport lives.

The first carries out what the brain wants; the second opens the transport and reads from it.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from functools import cache, partial
from typing import Final, cast
from urllib.request import getproxies, proxy_bypass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event, State
from websockets.typing import Subprotocol

from poolse._realtime.effects import Close, Command, Failure, Open
from poolse._realtime.fleet import Link
from poolse._realtime.handshake import (
    address,
    choose_proxy,
    failure_of,
    is_secure,
    refused,
    token_failure,
)
from poolse._realtime.hub import Hub
from poolse._realtime.settings import RealtimeSettings

__all__ = ["AsyncGetToken", "AsyncOwner"]

AsyncGetToken = Callable[[str | None], Awaitable[str | None]]

_LOG: Final = logging.getLogger("poolse")

# At DEBUG it would write down the handshake, and with it the token.
_WEBSOCKETS_LOG: Final = logging.getLogger("poolse.websockets")
_WEBSOCKETS_LOG.setLevel(logging.WARNING)

_NO_CLOSE_FRAME: Final = 1006

# So many events are handed on before their handlers get their turn. With more of them alive at a
# time, Python's garbage collector takes as long as all the rest.
_BATCH: Final = 32


class _Connect(connect):
    """Follows no redirects: the server that they name is none that the user named."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _Connection(ClientConnection):
    """Hands out what has come all at once: a task that is woken for each message is slow.

    It does not wait for a server that said goodbye, but stays on the line. Without this, it would
    only be noticed when the next heartbeat is sent.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._messages: list[bytes] = []
        self._parts: list[bytes] = []
        self._news = asyncio.Event()
        self._is_deaf = False

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            self._take(event)
            return
        super().process_event(event)
        if self.protocol.close_expected():
            self.loop.call_later(self.close_timeout or 0.0, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._news.set()

    async def messages(self) -> list[bytes]:
        """What has come since the last time, once there is anything.

        Raises:
            ConnectionClosed: There is nothing, and nothing will come.
        """
        await self._news.wait()
        if not self._messages:
            # Nothing was left to it but to say how the connection ended.
            await self.recv()
        batch, self._messages = self._messages[:_BATCH], self._messages[_BATCH:]
        if not self._messages and self.protocol.state is not State.CLOSED:
            self._news.clear()
        return batch

    async def hang_up(self) -> None:
        """Close it. What still comes is not for anybody."""
        self._is_deaf = True
        await self.close()

    def _take(self, frame: Frame) -> None:
        if self._is_deaf:
            return
        message = bytes(frame.data)
        if self._parts or not frame.fin:
            self._parts.append(message)
            if not frame.fin:
                return
            message = b"".join(self._parts)
            self._parts.clear()
        if not self._messages:
            self._news.set()
        self._messages.append(message)


class _NotOpened(Exception):  # noqa: N818  (carries the reason to the brain)
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class AsyncOwner:
    """Carries out what the brain wants of one socket."""

    def __init__(self, hub: Hub, link: Link, get_token: AsyncGetToken) -> None:
        self._hub = hub
        self._link = link
        self._get_token = get_token
        self._token: str | None = None
        self._transports: dict[int, asyncio.Task[int]] = {}
        self._open: dict[int, _Connection] = {}
        self._changed = asyncio.Event()
        link.wake = self._changed.set
        self.task = asyncio.create_task(self._run(), name="poolse-socket")

    async def _run(self) -> None:
        try:
            while not await self._turn():
                await self._pause()
        except BaseException as error:
            self._hub.broken(self._link, error)
            if isinstance(error, asyncio.CancelledError):
                raise
            _LOG.exception("the task of a socket failed")
        finally:
            await self._end()

    async def _turn(self) -> bool:
        """Carry out what is to be done now; True when it was the last thing."""
        with self._hub.turn(self._link) as now:
            self._link.tick(now)
        for command in self._link.take_commands():
            await self._carry_out(command)
        return self._hub.closed

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

    async def _send(self, ws: ClientConnection, generation: int, data: str | bytes) -> None:
        try:
            async with asyncio.timeout(self._hub.settings.heartbeat_timeout):
                await ws.send(data)
        except ConnectionClosed:
            # Whoever reads from it notices too, and knows the code.
            pass
        except TimeoutError:
            self._stop(generation)

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
                with self._hub.turn(self._link) as now:
                    for message in messages:
                        self._link.received(generation, message, now)
                await asyncio.sleep(0)
        except ConnectionClosed as closed:
            frame = closed.rcvd or closed.sent
            return frame.code if frame else _NO_CLOSE_FRAME
        finally:
            del self._open[generation]
            await ws.hang_up()

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

    async def _connect(self, refresh: bool) -> _Connection:
        settings = self._hub.settings
        try:
            async with asyncio.timeout(settings.token_timeout):
                self._token = await self._get_token(self._token if refresh else None)
        except Exception as error:
            raise _NotOpened(token_failure(error)) from None
        try:
            target = address(settings, self._token)
            # By `create_connection`, which the signature of `connect` does not tell.
            ws = await _Connect(
                target.url,
                subprotocols=[Subprotocol(name) for name in target.subprotocols] or None,
                additional_headers=settings.headers,
                user_agent_header=None,
                proxy=choose_proxy(settings, getproxies, proxy_bypass),
                ssl=_tls(settings) if is_secure(settings.url) else None,
                open_timeout=settings.connect_timeout,
                close_timeout=settings.close_timeout,
                ping_interval=None,
                compression=None,
                create_connection=_Connection,
                max_size=settings.max_frame,
                logger=_WEBSOCKETS_LOG,
            )
            return cast(_Connection, ws)
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


def _tls(settings: RealtimeSettings) -> ssl.SSLContext:
    return settings.ssl_context or _default_tls()


@cache
def _default_tls() -> ssl.SSLContext:
    """Reading the system's certificates takes a while, so it is done once."""
    return ssl.create_default_context()
