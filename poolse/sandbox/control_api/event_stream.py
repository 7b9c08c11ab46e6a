"""Traffic as Server-Sent Events: each entry when it comes, and again when it was written again."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Receive, Scope, Send

from poolse.sandbox.control_api.traffic import Entry, Traffic
from poolse.sandbox.control_api.traffic_views import TrafficViews
from poolse.sandbox.strict_json import dump
from poolse.sandbox.uvicorn_protocols import connection_of, cut

__all__ = ["EventStream"]

_MOST_PENDING: Final = 5_000
"""Entries that wait for a slow reader. One who is behind by more is cut off, and may resume."""
_PAUSE: Final = 15.0
"""Seconds between two comments, by which a client sees that the sandbox is there."""
_BATCH: Final = 200
"""Entries that are rendered before others get their turn."""
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
]


class EventStream:
    """The response: it ends with its connection."""

    def __init__(self, traffic: Traffic, views: TrafficViews, after: int) -> None:
        """Take what to send: entries that are newer than `after`, or were written again since."""
        self._traffic = traffic
        self._views = views
        # A number of an earlier run would hide all that is new.
        self._after = after if after <= traffic.newest else 0
        self._pending: dict[int, Entry] = {}
        self._wake = asyncio.Event()
        self._behind = asyncio.Event()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send entries until the client has gone, or is too slow."""
        connection = connection_of(scope)
        self._traffic.readers.add(self._note)
        tasks: list[asyncio.Task[object]] = [
            asyncio.create_task(self._send_all(send)),
            asyncio.create_task(connection.gone.wait()),
            asyncio.create_task(self._behind.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._traffic.readers.discard(self._note)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if not tasks[0].cancelled():
            # It never returns: this raises what went wrong.
            tasks[0].result()
        if not connection.gone.is_set():
            cut(connection)
            # uvicorn takes an application that returns before that for a broken one.
            await connection.gone.wait()

    def _note(self, entry: Entry) -> None:
        """Queue an entry, once, however often it was written."""
        self._pending[entry.id] = entry
        self._wake.set()
        if len(self._pending) > _MOST_PENDING:
            self._behind.set()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _write(send, "retry: 1000\n\n")
        for entry in self._traffic.entries():
            if entry.id > self._after or entry.changed >= self._after:
                self._pending[entry.id] = entry
        while True:
            if not self._pending:
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), _PAUSE)
                except TimeoutError:
                    await _write(send, ": the sandbox is there\n\n")
                    continue
            batch = [self._pending.pop(number) for number in list(self._pending)[:_BATCH]]
            await _write(send, "".join(map(self._event, batch)))
            # Others get their turn, even if the reader is fast.
            await asyncio.sleep(0)

    def _event(self, entry: Entry) -> str:
        return f"id: {entry.id}\ndata: {dump(self._views.line(entry))}\n\n"


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
