"""Silence ends an attempt, not the length of a transfer; a body may take its time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from poolse import CallOptions, RequestTimeout, Timeout
from tests.files.scripted_storage import World
from tests.files.sync_and_async_clients import Client
from tests.http.raw_server import Connection, ReceivedRequest

LIMIT = 0.3
QUIET = CallOptions(timeout=Timeout(None, read=LIMIT, write=LIMIT), max_retries=0)
BIG = 30_000_000


def hang(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
    connection.hang()


def test_a_storage_that_takes_nothing(client: Client, world: World, tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(BIG)
    world.steps = [hang]
    with pytest.raises(RequestTimeout) as caught:
        client(lambda chat: chat.attachments.upload(tmp_path / "big", options=QUIET))
    assert (caught.value.phase, caught.value.limit) == ("write", LIMIT)


def test_a_storage_that_says_nothing(client: Client, world: World) -> None:
    def take(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
        connection.take(3)
        connection.hang()

    world.steps = [take]
    with pytest.raises(RequestTimeout) as caught:
        client(lambda chat: chat.attachments.upload(b"abc", options=QUIET))
    assert (caught.value.phase, caught.value.limit) == ("read", LIMIT)


def test_a_storage_that_falls_silent(client: Client, world: World, tmp_path: Path) -> None:
    world.content = bytes(1_000)

    def begin(world: World, connection: Connection, _request: ReceivedRequest) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789")
        connection.hang()

    world.steps = [begin]
    with pytest.raises(RequestTimeout) as caught:
        client(lambda chat: chat.attachments.one("a-1").download(tmp_path / "x", options=QUIET))
    assert (caught.value.phase, caught.value.limit) == ("read", LIMIT)
    assert list(tmp_path.iterdir()) == []


def test_a_storage_that_is_slow_but_not_silent(client: Client, world: World) -> None:
    def drip(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            time.sleep(LIMIT / 5)
            connection.send(b".")

    world.steps = [drip]
    got = client(lambda chat: chat.attachments.one("a-1").download(options=QUIET))
    assert got == b".........."


def slow() -> Iterator[bytes]:
    for _ in range(3):
        time.sleep(LIMIT * 1.5)
        yield bytes(1_000)


async def slow_async() -> AsyncIterator[bytes]:
    for _ in range(3):
        await asyncio.sleep(LIMIT * 1.5)
        yield bytes(1_000)


def test_a_body_that_takes_its_time_is_no_silence_of_the_storage(
    client: Client, world: World
) -> None:
    body = slow_async() if client.is_async else slow()
    client(lambda chat: chat.attachments.upload(body, byte_size=3_000, options=QUIET))
    assert world.bodies == [bytes(3_000)]
