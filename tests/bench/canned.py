"""A server in a process of its own that answers from memory, so that only clients are measured."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

MESSAGE: Final[dict[str, object]] = {
    "id": "0190a000-0000-7000-8000-000000000000",
    "conversation_id": "0190a000-0000-7000-8000-000000000001",
    "sequence": 1,
    "type": "text",
    "body": "x" * 300,
    "sender": {"id": "0190a000-0000-7000-8000-000000000002", "display_name": "Ann"},
    "reactions": [],
    "mentions": [],
    "custom_data": {"pad": "y" * 150},
    "inserted_at": "2026-01-01T00:00:00.000000Z",
    "updated_at": "2026-01-01T00:00:00.000000Z",
}
BODIES: Final = {
    "page": json.dumps({"data": [MESSAGE] * 50}).encode(),
    "small": json.dumps({"id": "u1", "external_id": "ann", "display_name": "Ann"}).encode(),
}
DELAYS: Final = {"slow": 0.003, "far": 0.020}
"""Seconds until these answer, with the small body."""


def rendered(body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Canned(asyncio.Protocol):
    """One connection; requests without a body."""

    ANSWERS: Final = {name: rendered(body) for name, body in BODIES.items()}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            name = head.split(b" ", 2)[1].decode().lstrip("/")
            if name in DELAYS:
                asyncio.get_running_loop().call_later(DELAYS[name], self._answer, "small")
            else:
                self._answer(name)

    def _answer(self, name: str) -> None:
        if not self._transport.is_closing():
            self._transport.write(self.ANSWERS[name])


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
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


if __name__ == "__main__":
    asyncio.run(serve())
