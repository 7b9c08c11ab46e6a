"""A proxy below HTTP that does to connections what networks do, whatever they carry.

With `connect=True` it is a proxy that clients know of: it opens the tunnels that they ask for.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.chaos.faults import Fault, Plan, Way

__all__ = ["FaultyProxy"]

PAUSE = 0.05
"""Seconds of silence after which what the server says is taken for something new: a push."""

DRIP = 100
"""So many bytes of an answer come one by one at most; it must end before the client gives up."""

RESET = struct.pack("ii", 1, 0)


class _Over(Exception):  # noqa: N818  (how a connection ends)
    def __init__(self, *, abrupt: bool) -> None:
        super().__init__()
        self.abrupt = abrupt


class _Line:
    """One connection, both ways."""

    def __init__(self, plan: Plan, below: StreamWriter, above: StreamWriter) -> None:
        self.fault: Fault | None = None
        self._plan = plan
        self._ends = (below, above)
        self._passed: dict[Way, int] = {"up": 0, "down": 0}
        self._way: Way = "down"
        self._at = 0.0
        self._silent = False

    async def pump(self, way: Way, source: StreamReader, sink: StreamWriter) -> None:
        """Carry bytes one way, until that side has no more."""
        while data := await source.read(65_536):
            if not self._silent:
                self._look(way)
                await self._carry(way, data, sink)
                self._passed[way] += len(data)

    def end(self, *, abrupt: bool) -> None:
        """Close both sides; abruptly is with a reset."""
        for writer in self._ends:
            if abrupt:
                sock: socket.socket = writer.get_extra_info("socket")
                if sock.fileno() >= 0:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()
            else:
                writer.close()

    def over(self) -> None:
        """The exchange is over. A cut that is still here was not reached."""
        if self.fault is not None and self.fault.kind == "cut":
            self._plan.walk.ended(self.fault.way)

    def _look(self, way: Way) -> None:
        """Whether something new begins: a request, or what the server says by itself."""
        now = asyncio.get_running_loop().time()
        # Where faults are armed one by one, each is for a request and the whole of its answer.
        turned, paused = way != self._way, now - self._at > PAUSE and self._plan.draws
        is_new = turned if way == "up" else paused and not turned
        self._way, self._at = way, now
        if is_new:
            self._begin()

    def _begin(self) -> None:
        self.over()
        self.fault = self._plan.next()
        self._passed = {"up": 0, "down": 0}

    async def _carry(self, way: Way, data: bytes, sink: StreamWriter) -> None:
        fault = self.fault
        if fault is None:
            pass
        elif fault.kind == "cut":
            data = self._cut(fault, way, data, sink)
        elif fault.kind == "reset":
            self._plan.injected["reset"] += 1
            raise _Over(abrupt=True)
        elif fault.kind == "half-open":
            self._plan.injected["half-open"] += 1
            self._silent = True
            asyncio.get_running_loop().call_later(fault.seconds, lambda: self.end(abrupt=True))
            return
        elif fault.kind == "latency":
            self._plan.injected["latency"] += self._passed[way] == 0
            await asyncio.sleep(fault.seconds)
        elif way == "down" and self._passed[way] < DRIP:
            self._plan.injected["slow loris"] += self._passed[way] == 0
            for byte in data[:DRIP]:
                await _pass(bytes([byte]), sink)
                await asyncio.sleep(fault.seconds)
            data = data[DRIP:]
        await _pass(data, sink)

    def _cut(self, fault: Fault, way: Way, data: bytes, sink: StreamWriter) -> bytes:
        room = fault.at - self._passed[way]
        if way != fault.way or len(data) < room:
            return data
        self._plan.injected["cut"] += 1
        self._plan.walk.reached(way, fault.at)
        self.fault = None
        sink.write(data[:room])
        raise _Over(abrupt=fault.abrupt)


class FaultyProxy:
    """Relays connections from a thread of its own, inside a `with` block."""

    def __init__(self, plan: Plan, upstream: Callable[[], int], *, connect: bool = False) -> None:
        """Say where to.

        Args:
            plan: What goes wrong.
            upstream: A port of this machine, once it is needed.
            connect: Ask each client for its CONNECT, and relay there instead.
        """
        self.plan = plan
        self.port = 0
        self.connections = 0
        self._upstream = upstream
        self._connect = connect
        self._lines = set[_Line]()
        self._handlers: dict[asyncio.Task[None], StreamWriter] = {}
        self._is_ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="faulty-proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def calm(self) -> None:
        """Let nothing go wrong from now on; what goes wrong just now is over."""

        is_calm = threading.Event()

        def calm() -> None:
            self.plan.calm()
            for line in list(self._lines):
                if line.fault is not None:
                    line.end(abrupt=True)
            is_calm.set()

        self._loop.call_soon_threadsafe(calm)
        is_calm.wait()

    def arm(self, fault: Fault) -> None:
        """Let the next exchange meet this fault."""
        self._loop.call_soon_threadsafe(self.plan.arm, fault)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._is_ready.set()
        await self._stop.wait()
        server.close()
        # Not cancelled: asyncio's streams complain of handlers that are.
        for writer in self._handlers.values():
            writer.transport.abort()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _handle(self, reader: StreamReader, writer: StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers[handler] = writer
        self.connections += 1
        try:
            host, port = await _asked(reader) if self._connect else ("127.0.0.1", self._upstream())
            above = await asyncio.open_connection(host, port)
            if self._connect:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await self._relay(reader, writer, *above)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            del self._handlers[handler]

    async def _relay(
        self, reader: StreamReader, writer: StreamWriter, up: StreamReader, down: StreamWriter
    ) -> None:
        line = _Line(self.plan, writer, down)
        self._lines.add(line)
        pumps = [
            asyncio.create_task(line.pump("up", reader, down)),
            asyncio.create_task(line.pump("down", up, writer)),
        ]
        abrupt = False
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._lines.discard(line)
            line.over()
            for pump in pumps:
                pump.cancel()
            for end in await asyncio.gather(*pumps, return_exceptions=True):
                abrupt = abrupt or (isinstance(end, _Over) and end.abrupt)
            line.end(abrupt=abrupt)


async def _pass(data: bytes, sink: StreamWriter) -> None:
    if sink.transport.is_closing():
        raise _Over(abrupt=True)
    sink.write(data)
    await sink.drain()


async def _asked(reader: StreamReader) -> tuple[str, int]:
    head = await reader.readuntil(b"\r\n\r\n")
    host, _, port = head.split(b" ")[1].decode().rpartition(":")
    return host, int(port)
