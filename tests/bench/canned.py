"""A server in a process of its own that answers from memory, so that only clients are measured.

It speaks HTTP and, on the same port, Phoenix channels.
"""

from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final
from urllib.parse import parse_qs, urlsplit

import orjson

from tests.bench.canned_rows import ME, TIME, count_of, page
from tests.bench.canned_socket import CannedSocket, accepting

__all__ = ["canned_server"]

SMALL: Final = orjson.dumps(ME)
DELAYS: Final = {"/slow": 0.003, "/far": 0.020}
"""Seconds until these answer, with the small body."""
MOST: Final = 500
"""Messages of a page."""


@functools.lru_cache(maxsize=64)
def answer_to(target: str) -> bytes:
    """The whole answer to a GET, ready to be sent."""
    body = _body(target)
    kind = "Content-Type: application/json; charset=utf-8\r\n"
    head = f"HTTP/1.1 200 OK\r\n{kind}x-request-id: r-1\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _body(target: str) -> bytes:
    url = urlsplit(target)
    match url.path.split("/")[1:]:
        case ["page"]:
            return page(50, 50)
        case ["v1", "conversations"]:
            return b'{"data":[]}'
        case ["v1", "conversations", id]:
            return orjson.dumps({"id": id, "last_sequence": count_of(id), "inserted_at": TIME})
        case ["v1", "conversations", id, "messages"]:
            query = {name: int(values[0]) for name, values in parse_qs(url.query).items()}
            newest = min(count_of(id), query.get("before", sys.maxsize) - 1)
            return page(newest, min(MOST, query.get("limit", 50)))
        case _:
            return SMALL


class Canned(asyncio.Protocol):
    """One connection; requests without a body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            target = head.split(b" ", 2)[1].decode()
            if target.startswith("/socket"):
                self._transport.write(accepting(head))
                self._transport.set_protocol(CannedSocket(self._transport, self._received))
            elif target in DELAYS:
                asyncio.get_running_loop().call_later(DELAYS[target], self._answer, target)
            else:
                self._answer(target)

    def _answer(self, target: str) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer_to(target))


async def serve() -> None:
    """Print the port and serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Canned, "127.0.0.1", 0, backlog=1_000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


@contextmanager
def canned_server() -> Generator[str]:
    """Its base URL."""
    command = [sys.executable, "-m", "tests.bench.canned"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(serve())
