"""A server that is faster than whoever listens: it has to wait, and fills nobody's memory."""

from __future__ import annotations

import asyncio
import json
import socket
import tracemalloc

import pytest

from tests.realtime.hostile_servers import BOTH, client, read_until_closed, server, upgrade
from tests.realtime.sync_and_async import Flavour, done
from tests.realtime.test_hostile_frames import LAST, TEXT, raw

pytestmark = pytest.mark.usefixtures("either_wire")

EVENTS = 8_000
EVENT = json.dumps([None, None, "conversation:c", "news", {"text": "x" * 1000}]).encode()


def flood(connection: socket.socket) -> None:
    upgrade(connection)
    connection.sendall(raw(TEXT | LAST, EVENT) * EVENTS)
    # Going away.
    connection.sendall(raw(0x08 | LAST, b"\x03\xe9"))
    read_until_closed(connection)


@BOTH
def test_events_that_come_too_fast_wait_in_the_network(flavour: Flavour) -> None:
    async def scenario(url: str) -> int:
        quiet = {"connect_timeout": 15.0, "reconnect_delays": (60.0,)}
        async with client(flavour, url, **quiet) as rooms:
            tracemalloc.start()
            try:
                await done(rooms.realtime.connect())
                await rooms.errors.reach(1)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    with server(flood) as url:
        # Eight megabytes are the server's own, who has all of them in hand.
        assert asyncio.run(scenario(url)) - EVENTS * len(EVENT) < 3_000_000
