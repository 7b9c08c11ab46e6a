"""Files are never in memory all at once. `make bench` does the same with two gibibytes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.files.scripted_storage import World
from tests.files.sync_and_async_clients import Client
from tests.http.raw_server import Connection, ReceivedRequest

SIZE = 32 * 2**20
MOST = 6 * 2**20
"""Bytes that all of it may take: pieces in several buffers, of the client and of the server."""
PIECE = bytes(65_536)


def flow(_world: World, connection: Connection, request: ReceivedRequest) -> None:
    """Take or give all bytes, and keep none."""
    if request.line.startswith("PUT"):
        for _ in range(SIZE // len(PIECE)):
            connection.take(len(PIECE))
        connection.answer()
        return
    connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n".encode())
    for _ in range(SIZE // len(PIECE)):
        connection.send(PIECE)


def pieces() -> Iterator[bytes]:
    for _ in range(SIZE // len(PIECE)):
        yield bytes(len(PIECE))


def up(folder: Path) -> Callable[[Any], Any]:
    return lambda chat: chat.attachments.upload(folder / "up")


def up_pieces(_folder: Path) -> Callable[[Any], Any]:
    return lambda chat: chat.attachments.upload(pieces(), byte_size=SIZE)


def down(folder: Path) -> Callable[[Any], Any]:
    return lambda chat: chat.attachments.one("a-1").download(folder / "down")


@pytest.mark.parametrize("transfer", [up, up_pieces, down])
def test_memory_does_not_grow_with_the_file(
    any_client: Client, world: World, tmp_path: Path, transfer: Callable[[Path], Callable[..., Any]]
) -> None:
    with (tmp_path / "up").open("wb") as file:
        for piece in pieces():
            file.write(piece)
    any_client(lambda chat: chat.attachments.upload(b"what is loaded once is loaded now"))
    world.steps = [flow]
    tracemalloc.start()
    try:
        any_client(transfer(tmp_path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST, f"{peak} bytes"
