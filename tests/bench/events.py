"""Targets 6, 7 and 10: events to one handler, against reading and parsing the same frames."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import cycle
from typing import Final

from tests.bench.canned_rows import JWT, conversation_of
from tests.bench.canned_socket import BURST
from tests.bench.worker import Measure, Prepared

__all__ = ["BURST", "asynchronous"]

BURSTS: Final = 40
"""Of one measurement: 10,000 events."""

LONGEST: Final = 60.0


class Taker:
    """Counts events, and asks for more while the last burst is still coming."""

    def __init__(
        self, ask: Callable[[], object], over: Callable[[], object], bursts: int = BURSTS
    ) -> None:
        self._bursts = bursts
        self._ask = ask
        self._over = over
        self._taken = 0

    def take(self, event: object) -> object:
        self._taken += 1
        if self._taken % BURST:
            return None
        if self._taken < BURST * (self._bursts - 1):
            return self._ask()
        if self._taken == BURST * self._bursts:
            self._taken = 0
            self._over()
        return None


def bare_websockets(base: str) -> Prepared:
    """`websockets`: `orjson.loads(await ws.recv())`."""
    return _bare(f"{base.replace('http', 'ws')}/socket/websocket?vsn=2.0.0")


def async_handler(base: str) -> Prepared:
    """`AsyncPoolse`, one channel, `on_message`."""
    return asynchronous(base, 1)


def async_handler_alone(base: str) -> Prepared:
    """The same, as seconds for one event."""
    return _inverted(asynchronous(base, 1))


def async_handlers(base: str) -> Prepared:
    """As before with 1,000 channels, the events on 40 of them in turn."""
    return _inverted(asynchronous(base, 1000))


def sync_handler(base: str) -> Prepared:
    """`Poolse`, one channel, `on_message`."""
    return _sync(base, 1)


@contextmanager
def _inverted(prepared: Prepared) -> Generator[Measure]:
    with prepared as rate:
        yield lambda: 1 / rate()


@contextmanager
def _bare(url: str) -> Generator[Measure]:
    import orjson
    from websockets.asyncio.client import ClientConnection, connect

    frame = f'["1",null,"conversation:{conversation_of(1)}","typing",{{}}]'

    async def opened() -> ClientConnection:
        return await connect(url, proxy=None)

    async def measure() -> float:
        start = time.perf_counter()
        await ws.send(frame)
        for _ in range(BURSTS - 1):
            await ws.send(frame)
            for _ in range(BURST):
                orjson.loads(await ws.recv())
        for _ in range(BURST):
            orjson.loads(await ws.recv())
        return BURST * BURSTS / (time.perf_counter() - start)

    with asyncio.Runner() as runner:
        ws = runner.run(opened())
        yield lambda: runner.run(measure())
        runner.run(ws.close())


@contextmanager
def asynchronous(base: str, count: int, bursts: int = BURSTS) -> Generator[Measure]:
    """Events to handlers of so many channels, which take turns."""
    from poolse import AsyncConversationChannel, AsyncPoolse

    chat = AsyncPoolse(token=JWT, api_url=base)
    done = asyncio.Event()

    async def joined() -> list[AsyncConversationChannel]:
        channels = [chat.realtime.conversation(conversation_of(n + 1)) for n in range(count)]
        for channel in channels:
            await channel.wait_joined(LONGEST)
            channel.on_message(taker.take)
        return channels

    async def measure() -> float:
        done.clear()
        start = time.perf_counter()
        await next(turns).send_typing()
        await next(turns).send_typing()
        async with asyncio.timeout(LONGEST):
            await done.wait()
        return BURST * bursts / (time.perf_counter() - start)

    taker = Taker(lambda: next(turns).send_typing(), done.set, bursts)
    with asyncio.Runner() as runner:
        channels = runner.run(joined())
        turns = cycle(channels[:: max(1, count // BURSTS)])
        yield lambda: runner.run(measure())
        runner.run(chat.aclose())


@contextmanager
def _sync(base: str, count: int) -> Generator[Measure]:
    from poolse import Poolse

    done = threading.Event()

    def measure() -> float:
        done.clear()
        start = time.perf_counter()
        next(turns).send_typing()
        next(turns).send_typing()
        if not done.wait(LONGEST):
            raise TimeoutError
        return BURST * BURSTS / (time.perf_counter() - start)

    with Poolse(token=JWT, api_url=base) as chat:
        channels = [chat.realtime.conversation(conversation_of(n + 1)) for n in range(count)]
        turns = cycle(channels[:: max(1, count // BURSTS)])
        taker = Taker(lambda: next(turns).send_typing(), done.set)
        for channel in channels:
            channel.wait_joined(LONGEST)
            channel.on_message(taker.take)
        yield measure
