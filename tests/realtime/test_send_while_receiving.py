"""Twenty TLS connections that receive a stream while four threads send: nothing is lost.

Reading in one thread while sending in another kills TLS connections within half a second of this.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from poolse._realtime.settings import RealtimeSettings
from poolse.testing import Sandbox
from tests.realtime.channel_types import PING
from tests.realtime.raw_rest import post
from tests.realtime.sync_and_async import LIMIT, Aio, Flavour, Sync, done

CLIENTS = 20
SENDERS = 4
BROADCASTS = 60
"""All of them may be under way at once: fewer than the thousand that a queue takes."""


class Storm:
    """The shared part: who got what, and when to stop."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        sandbox.token("alice")
        group = {"type": "group"}
        self.shared: str = post(sandbox, "/v1/conversations", group)["id"]
        self.own = [post(sandbox, "/v1/conversations", group)["id"] for _ in range(CLIENTS)]
        self.got: list[list[int]] = [[] for _ in range(CLIENTS)]
        self.over = threading.Event()
        context = sandbox.ssl_context()
        self.settings = RealtimeSettings(url=f"{sandbox.ws_url}/socket", ssl_context=context)

    def clients(self, flavour: Flavour) -> list[Any]:
        token = self.sandbox.token("alice")
        return [flavour(self.settings, lambda _: token) for _ in range(CLIENTS)]

    def listen(self, clients: list[Any]) -> list[Any]:
        """Join the shared conversation and one of each client's own; the latter are returned."""
        for client, got in zip(clients, self.got, strict=True):
            room = client.realtime.room(self.shared)
            room.on(PING, partial(note, got))
        return [c.realtime.room(own) for c, own in zip(clients, self.own, strict=True)]

    def stream(self) -> None:
        """Broadcast, as fast as the sandbox can."""
        for number in range(BROADCASTS):
            text = {"text": str(number)}
            self.sandbox.broadcast(f"conversation:{self.shared}", "ping", text)
        self.over.set()

    def check(self, clients: list[Any]) -> None:
        assert self.got == [list(range(BROADCASTS))] * CLIENTS
        assert [client.errors.items for client in clients] == [[]] * CLIENTS
        assert len(self.sandbox.handshakes) == CLIENTS

    def complete(self) -> bool:
        return all(len(got) == BROADCASTS for got in self.got)


def note(got: list[int], news: Any) -> None:
    got.append(int(news.text))


@pytest.fixture
def storm() -> Iterator[Storm]:
    with Sandbox(tls=True) as sandbox:
        yield Storm(sandbox)


def eventually(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)


def test_threads(storm: Storm) -> None:
    clients = storm.clients(Sync)
    with ExitStack() as stack:
        for client in clients:
            stack.callback(client.realtime.close)
        rooms = storm.listen(clients)
        for client, room in zip(clients, rooms, strict=True):
            client.realtime.room(storm.shared).wait_joined()
            room.wait_joined()

        def send(mine: list[Any]) -> None:
            while not storm.over.is_set():
                for room in mine:
                    room.tell("typing")
                # Without it four threads that never wait would leave the others no time at all.
                time.sleep(0.005)

        threads = [threading.Thread(target=send, args=(rooms[n::SENDERS],)) for n in range(SENDERS)]
        for thread in threads:
            thread.start()
        storm.stream()
        for thread in threads:
            thread.join()
        eventually(storm.complete)
        storm.check(clients)


def test_tasks(storm: Storm) -> None:
    async def send(mine: list[Any]) -> None:
        while not storm.over.is_set():
            for room in mine:
                await room.tell("typing")
            await asyncio.sleep(0.005)

    async def scenario() -> None:
        clients = storm.clients(Aio)
        rooms = storm.listen(clients)
        try:
            for client, room in zip(clients, rooms, strict=True):
                await done(client.realtime.room(storm.shared).wait_joined())
                await done(room.wait_joined())
            senders = [asyncio.create_task(send(rooms[n::SENDERS])) for n in range(SENDERS)]
            await asyncio.to_thread(storm.stream)
            await asyncio.wait(senders)
            await asyncio.to_thread(eventually, storm.complete)
            storm.check(clients)
        finally:
            for client in clients:
                await client.close()

    asyncio.run(scenario())
