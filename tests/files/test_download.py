"""Where a download goes, what is checked, what is tried again, and what ends it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from poolse import (
    ArgumentTypeError,
    CallOptions,
    DownloadError,
    NetworkError,
    UsageError,
)
from tests.files.scripted_storage import (
    EXPIRED,
    SIGNATURE,
    Step,
    World,
    asked_for,
    refuse,
    row_of,
    stored,
)
from tests.files.sync_and_async_clients import Client, Told
from tests.http.raw_server import Connection, ReceivedRequest

CONTENT = bytes(range(256)) * 4_000


def fetch(to: object = None, row: object = "a-1", **arguments: Any) -> Callable[[Any], Any]:
    return lambda chat: chat.attachments.one(row).download(to, **arguments)


@pytest.fixture(autouse=True)
def content(world: World) -> None:
    world.content = CONTENT


def cut(after: int, *, etag: bool = True) -> Step:
    """Lose the connection after so many bytes of the file."""

    def step(world: World, connection: Connection, request: ReceivedRequest) -> None:
        body, status, fields = asked_for(world, request)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields if etag else ''}\r\n"
        connection.send(head.encode() + body[:after])
        connection.drop()

    return step


def ranges(world: World) -> list[str | None]:
    return [request.headers.get("range") for request in world.storage]


def test_to_memory(any_client: Client, world: World) -> None:
    assert any_client(fetch()) == CONTENT
    assert world.storage[0].line == f"GET /bucket/a-1?{SIGNATURE} HTTP/1.1"
    assert world.storage[0].headers == {"host": f"127.0.0.1:{world.port}"}


@pytest.mark.parametrize("make", [str, Path])
def test_to_a_path(client: Client, tmp_path: Path, make: Callable[[Path], Any]) -> None:
    to = tmp_path / "there"
    to.write_bytes(b"old")
    assert client(fetch(make(to))) == to
    assert to.read_bytes() == CONTENT
    umask = os.umask(0)
    os.umask(umask)
    assert to.stat().st_mode & 0o777 == 0o666 & ~umask
    assert list(tmp_path.iterdir()) == [to]


def test_a_link_stays_a_link(client: Client, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("real")
    assert client(fetch(link)) == link
    assert link.is_symlink()
    assert (tmp_path / "real").read_bytes() == CONTENT


def test_to_a_file_from_where_it_stands(client: Client, tmp_path: Path) -> None:
    with (tmp_path / "there").open("w+b") as file:
        file.write(b"before ")
        assert client(fetch(file)) == len(CONTENT)
        assert not file.closed
        file.seek(0)
        assert file.read() == b"before " + CONTENT


class Writer:
    """Takes bytes, a few at a time, and can do nothing else."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def write(self, data: bytes) -> int:
        self.taken += data[:10_000]
        return min(len(data), 10_000)


def test_to_something_that_only_writes(client: Client) -> None:
    writer = Writer()
    assert client(fetch(writer)) == len(CONTENT)
    assert writer.taken == CONTENT


@pytest.mark.parametrize("size", [0, 1, 1_024_000])
def test_progress_ends_at_the_size_and_once(client: Client, world: World, size: int) -> None:
    world.content = bytes(size)
    world.steps = [cut(size // 2, etag=False)] if size > 1 else []
    told = Told()
    assert client(fetch(on_progress=told)) == bytes(size)
    loaded = [now for now, _ in told]
    assert loaded == sorted(set(loaded))
    assert told[-1] == (size, size)
    assert len(told) <= 101


def test_a_row_is_kept_and_checked(client: Client) -> None:
    row = row_of(CONTENT)
    assert client(fetch(row=row)) == CONTENT


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"sha256": "ab" * 32}, r"its sha256 is \w{64}, not abab"),
        ({"byte_size": 7}, "expected 7 bytes, but the object storage has 1024000"),
    ],
)
def test_other_bytes_than_those_of_the_row_are_refused(
    client: Client, tmp_path: Path, fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(DownloadError, match=told):
        client(fetch(tmp_path / "x", row=row_of(CONTENT, **fields)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("row", ["a-1", row_of(CONTENT)], ids=["by id", "by row"])
def test_more_than_max_bytes_is_refused(
    client: Client, world: World, tmp_path: Path, row: object
) -> None:
    with pytest.raises(DownloadError, match="the file has more than max_bytes=1023999 bytes"):
        client(fetch(tmp_path / "x", row=row, max_bytes=1_023_999))
    assert len(world.storage) == (row == "a-1")
    assert list(tmp_path.iterdir()) == []
    assert client(fetch(row=row, max_bytes=1_024_000)) == CONTENT


def test_a_size_that_nobody_says_is_limited_too(client: Client, world: World) -> None:
    def chunked(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(10):
            connection.send(b"a\r\n0123456789\r\n")
        connection.send(b"0\r\n\r\n")

    world.steps = [chunked, chunked]
    assert client(fetch()) == b"0123456789" * 10
    with pytest.raises(DownloadError, match="more than max_bytes=99 bytes"):
        client(fetch(max_bytes=99))


def test_a_lost_connection_resumes_where_it_was_lost(client: Client, world: World) -> None:
    world.steps = [cut(300_000), cut(300_000)]
    assert client(fetch()) == CONTENT
    assert ranges(world) == [None, "bytes=300000-", "bytes=600000-"]
    assert len(world.asked) == 1


@pytest.mark.parametrize("why", ["no etag", "weak etag", "another file", "416"])
def test_what_cannot_go_on_starts_again(
    client: Client, world: World, tmp_path: Path, why: str
) -> None:
    def other(world: World, connection: Connection, request: ReceivedRequest) -> None:
        world.content = CONTENT[::-1]
        stored(world, connection, request)

    def weak(world: World, connection: Connection, _request: ReceivedRequest) -> None:
        connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 1024000\r\nETag: W/"1"\r\n\r\n')
        connection.send(world.content[:1000])
        connection.drop()

    steps: dict[str, list[Step]] = {
        "no etag": [cut(300_000, etag=False)],
        "weak etag": [weak],
        "another file": [cut(300_000), other],
        "416": [cut(300_000), refuse("416 No such range")],
    }
    world.steps = steps[why]
    to = tmp_path / "x"
    client(fetch(to))
    assert to.read_bytes() == world.content
    assert ranges(world)[-1] == ("bytes=300000-" if why == "another file" else None)


def test_an_expired_url_is_replaced_and_the_rest_comes_from_there(
    client: Client, world: World
) -> None:
    world.steps = [cut(300_000), refuse("403 Forbidden", EXPIRED)]
    assert client(fetch()) == CONTENT
    assert [request.line.split("?")[0] for request in world.storage] == [
        "GET /bucket/a-1",
        "GET /bucket/a-1",
        "GET /bucket/a-2",
    ]
    assert ranges(world)[-1] == "bytes=300000-"


def test_what_is_written_and_cannot_be_taken_back_is_not_written_twice(
    client: Client, world: World
) -> None:
    world.steps = [cut(300_000, etag=False)]
    with pytest.raises(NetworkError, match="bytes already written cannot be undone"):
        client(fetch(Writer()))

    def from_the_start(world: World, connection: Connection, _request: ReceivedRequest) -> None:
        connection.answer(world.content)

    world.steps = [cut(300_000), from_the_start]
    with pytest.raises(DownloadError, match="does not resume the download"):
        client(fetch(Writer()))
    world.steps = [cut(300_000)]
    writer = Writer()
    client(fetch(writer))
    assert writer.taken == CONTENT


@pytest.mark.parametrize("status", [404, 403, 302, 400])
def test_a_refusal_is_reported_with_its_status(
    any_client: Client, world: World, tmp_path: Path, status: int
) -> None:
    fields = f"Location: {world.base}/v1/me\r\n"
    world.steps = [refuse(f"{status} No", b"<Code>NoSuchKey</Code>", fields)]
    with pytest.raises(DownloadError, match=f"returned HTTP {status}") as caught:
        any_client(fetch(tmp_path / "x"))
    assert caught.value.status == status
    assert len(world.storage) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", ["503 Busy", "204 No Content", "206 Odd"])
def test_transient_failures_are_retried(client: Client, world: World, status: str) -> None:
    world.steps = [refuse(status)] * 2
    assert client(fetch()) == CONTENT
    world.steps = [refuse(status)] * 2
    expected = DownloadError if status == "503 Busy" else NetworkError
    with pytest.raises(expected, match=f"HTTP {status[:3]}"):
        client(fetch(options=CallOptions(max_retries=1)))


WRONG: dict[str, tuple[Callable[[Path], Any], type[UsageError], str]] = {
    "folder": (lambda f: f, UsageError, "it is a folder"),
    "folder to be": (lambda f: f"{f}/new/", UsageError, "is not the name of a file"),
    "no folder": (lambda f: f / "new" / "x", UsageError, "No such file or directory"),
    "text": (lambda _: io.StringIO(), UsageError, "in text mode"),
    "number": (lambda _: 7, ArgumentTypeError, "to must be a path, a binary file or None"),
}


@pytest.mark.parametrize("name", WRONG)
def test_where_it_cannot_go_is_reported_before_anything_is_sent(
    client: Client, world: World, tmp_path: Path, name: str
) -> None:
    make, kind, told = WRONG[name]
    with pytest.raises(kind, match=told):
        client(fetch(make(tmp_path)))
    with pytest.raises(UsageError, match="max_bytes must be"):
        client(fetch(max_bytes=-1))
    assert world.accepted == 0
    assert not any(path.is_file() for path in tmp_path.iterdir())
