"""Months in ten minutes: the memory of a busy sandbox stops growing (`make soak`).

SOAK_MINUTES=4 python -m pytest -m soak tests/sandbox/test_sandbox_soak.py
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
SOCKETS = 200
ROOMS = 20
RATE = 50
"""Requests per second: reads over REST and typing over sockets, in turn."""
SETTLED = 0.3
"""Share of the time after which memory may not grow any more."""
SLACK = 1.10

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc"),
]


def memory_of(process: subprocess.Popen[str]) -> int:
    """Resident kilobytes."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


class Member:
    """A user with a socket, who has joined one conversation."""

    def __init__(self, api_url: str, name: str, room: str, token: str) -> None:
        self.room = room
        self.headers = {"authorization": f"Bearer {token}"}
        self._url = f"{api_url.replace('http', 'ws')}/socket/websocket?vsn=2.0.0&token={token}"
        self._refs = itertools.count(1)
        self._socket: ClientConnection | None = None
        self.heard = 0

    async def join(self, open_now: AsyncExitStack) -> asyncio.Task[None]:
        self._socket = await open_now.enter_async_context(
            connect(self._url, ping_interval=None, proxy=None)
        )
        await self.push("phx_join")
        return asyncio.create_task(self._read(self._socket))

    async def push(self, event: str, topic: str = "") -> None:
        assert self._socket is not None
        frame: list[Any] = [
            "1",
            str(next(self._refs)),
            topic or f"conversation:{self.room}",
            event,
            {},
        ]
        await self._socket.send(json.dumps(frame))

    async def _read(self, socket: ClientConnection) -> None:
        async for _ in socket:
            self.heard += 1


async def members_of(http: httpx.AsyncClient) -> list[Member]:
    """Users in conversations, all of them created by control."""
    names = [f"user-{number}" for number in range(SOCKETS)]
    rooms = {f"room {number}": names[number::ROOMS] for number in range(ROOMS)}
    wanted: list[dict[str, Any]] = [
        {"name": name, "members": members, "messages": [{"from": members[0], "body": "Hello"}] * 20}
        for name, members in rooms.items()
    ]
    made = (await http.post("/_sandbox/seed", json={"conversations": wanted})).json()
    found: list[Member] = []
    for name, members in rooms.items():
        for member in members:
            path = f"/_sandbox/users/{member}/tokens"
            token = (await http.post(path, json={"lifetime": 86400})).json()["token"]
            room = made["conversations"][name]
            found.append(Member(str(http.base_url).rstrip("/"), member, room, token))
    return found


@asynccontextmanager
async def joined(members: list[Member]) -> AsyncGenerator[None]:
    async with AsyncExitStack() as open_now:
        readers = [await member.join(open_now) for member in members]
        try:
            yield
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)


async def watch(http: httpx.AsyncClient) -> None:
    """What the page does: read the traffic, all the time, and reconnect."""
    while True:
        with suppress(httpx.TransportError):
            async with http.stream("GET", "/_sandbox/traffic/events", timeout=None) as stream:
                async for _ in stream.aiter_raw():
                    pass
        await asyncio.sleep(1)


async def beat(members: list[Member]) -> None:
    """Keep the sockets open, whatever the rate is."""
    while True:
        for member in members:
            await member.push("heartbeat", "phoenix")
        await asyncio.sleep(20)


async def use(http: httpx.AsyncClient, members: list[Member], turns: Iterable[int]) -> None:
    """Read and type at the rate, one after the other, so that a slow machine does less."""
    start, first = time.monotonic(), None
    for turn in turns:
        first = turn if first is None else first
        due = start + (turn - first) / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        member = random.choice(members)
        if turn % 2:
            await member.push("typing")
        else:
            path = f"/v1/conversations/{member.room}/messages?limit=10"
            answer = await http.get(path, headers=member.headers)
            assert answer.status_code == 200


async def grow(url: str, process: subprocess.Popen[str]) -> tuple[int, int]:
    """Memory when it should have settled, and at the end."""
    turns = int(MINUTES * 60 * RATE)
    settled_at = int(turns * SETTLED)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
        members = await members_of(http)
        async with joined(members):
            page = asyncio.create_task(watch(http))
            heart = asyncio.create_task(beat(members))
            try:
                await use(http, members, range(settled_at))
                settled = memory_of(process)
                await use(http, members, range(settled_at, turns))
                end = memory_of(process)
                health = (await http.get("/_sandbox/health")).json()
                assert health["sockets"] == SOCKETS
                assert not page.done()
            finally:
                page.cancel()
                heart.cancel()
    return settled, end


def test_memory_stops_growing() -> None:
    command = [sys.executable, "-m", "poolse.cli", "sandbox", "--json", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = json.loads(process.stdout.readline())["api_url"]
            settled, end = asyncio.run(grow(url, process))
        finally:
            process.send_signal(signal.SIGINT)
    print(f"{settled} kB after {MINUTES * SETTLED:g} min, {end} kB after {MINUTES:g} min")
    assert end <= settled * SLACK
