"""Counts calls: `python -m tests.cost.count_operations` prints them as JSON.

In a process of its own, because what listens to logs in a test run is work too.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import attrs
import httpx

from poolse import AsyncPoolse, Poolse
from poolse._generated.readers import read_message_list
from poolse._json.codec import decode
from tests.bench.canned import canned_server
from tests.bench.canned_rows import JWT, page
from tests.bench.events import BURST, asynchronous
from tests.cost.counting import Count, calls_of

BURSTS = 4


def sync_call(base: str) -> dict[str, Count]:
    with httpx.Client() as client:
        bare = calls_of(lambda: client.get(f"{base}/v1/me").json(), 20)
    with Poolse(token=JWT, api_url=base) as chat:
        return {"httpx": bare, "sync call": calls_of(chat.me.show, 20)}


def call_among_idle_connections(base: str) -> dict[str, Count]:
    """A call of a client that thirty threads have used at once."""
    with Poolse(token=JWT, api_url=base) as chat:
        with ThreadPoolExecutor(30) as pool:
            for _ in range(30):
                pool.submit(chat.rest.request, method="GET", path="/far")
        return {"call among idle connections": calls_of(chat.me.show, 20)}


def async_call(base: str) -> dict[str, Count]:
    with asyncio.Runner() as runner:
        client = httpx.AsyncClient()
        bare = calls_of(lambda: runner.run(client.get(f"{base}/v1/me")).json(), 20)
        runner.run(client.aclose())
        chat = AsyncPoolse(token=JWT, api_url=base)
        ours = calls_of(lambda: runner.run(chat.me.show()), 20)
        runner.run(chat.aclose())
    return {"async httpx": bare, "async call": ours}


def row() -> dict[str, Count]:
    def counted(rows: int) -> Count:
        content = page(500, rows)
        return calls_of(lambda: decode(read_message_list, content), 3)

    few, many = counted(10), counted(60)
    return {"row": Count((many.all - few.all) / 50, (many.ours - few.ours) / 50)}


def event(base: str) -> dict[str, Count]:
    with asynchronous(base, 1, bursts=BURSTS) as measure:
        return {"event": calls_of(measure, 1, BURST * BURSTS)}


if __name__ == "__main__":
    with canned_server() as url:
        found = {
            **sync_call(url),
            **call_among_idle_connections(url),
            **async_call(url),
            **row(),
            **event(url),
        }
    print(json.dumps({name: attrs.asdict(count) for name, count in found.items()}))
