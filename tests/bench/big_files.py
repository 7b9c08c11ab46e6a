"""Memory and time of two gibibytes up and down: `python -m tests.bench.big_files`, half a minute.

The file is sparse, the storage keeps nothing, and each measurement has a process of its own, whose
peak is compared with what it has in memory after a transfer of one byte. Fails above `MOST`.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.files.scripted_storage import World
from tests.files.sync_and_async_clients import FLAVOURS, Client
from tests.http.raw_server import Connection, ReceivedRequest

SIZE = 2 * 2**30
MOST = 16 * 2**20
PIECE = bytes(262_144)


class Nowhere:
    """Takes bytes, and keeps none."""

    def write(self, data: bytes) -> int:
        """Take them."""
        return len(data)


def flow(_world: World, connection: Connection, request: ReceivedRequest) -> None:
    """Take or give as many bytes as the request is about."""
    if request.line.startswith("PUT"):
        left = int(request.headers["content-length"])
        while left:
            left -= len(connection.take(min(left, len(PIECE))))
        connection.answer()
        return
    connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n".encode())
    for _ in range(SIZE // len(PIECE)):
        connection.send(PIECE)


def serve() -> None:
    """Be the API and the storage until standard input ends."""
    with World() as world:
        world.steps = [flow] * 1000
        print(world.base, flush=True)
        sys.stdin.read()


def peak() -> int:
    """Bytes that this process had in memory at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(flavour: str, direction: str, base: str, path: Path) -> int:
    """One transfer; prints what it took, and returns 1 when that was too much memory."""
    client = Client(flavour, base)

    def transfer(chat: Any) -> Any:
        if direction == "up":
            return chat.attachments.upload(path)
        return chat.attachments.one("a-1").download(Nowhere())

    client(lambda chat: chat.attachments.upload(b"x"))
    idle, start = peak(), time.perf_counter()
    client(transfer)
    grown, seconds = peak() - idle, time.perf_counter() - start
    rate = SIZE / seconds / 1e6
    print(
        f"{flavour:<6} {direction:<5} {grown / 2**20:6.1f} MiB above idle  {rate:6.0f} MB/s",
        flush=True,
    )
    return int(grown > MOST)


def main() -> int:
    """Measure both flavours both ways."""
    module = [sys.executable, "-m", "tests.bench.big_files"]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big"
        with path.open("wb") as file:
            file.truncate(SIZE)
        with subprocess.Popen(
            [*module, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            base = server.stdout.readline().strip()
            for flavour in FLAVOURS:
                for direction in ("up", "down"):
                    done = subprocess.run([*module, flavour, direction, base, path], check=False)
                    failed += done.returncode != 0
            server.stdin.close()
    return int(failed > 0)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case [flavour, direction, base, path]:
            sys.exit(measure(flavour, direction, base, Path(path)))
        case _:
            sys.exit(main())
