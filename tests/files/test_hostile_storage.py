"""A storage that means harm, and an API that names a place that is none."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from poolse import (
    DecodeError,
    DownloadError,
    NetworkError,
    PoolseError,
    RequestTimeout,
    Timeout,
    UploadError,
)
from tests.files.scripted_storage import Step, World, row_of, stored
from tests.files.sync_and_async_clients import FLAVOURS, GIVEN, Client
from tests.http.raw_server import Connection, ReceivedRequest

OURS = pytest.mark.parametrize("flavour", FLAVOURS)
ALL = pytest.mark.parametrize("flavour", FLAVOURS + GIVEN)

MUCH = 8_000_000


def download(chat: Any, **arguments: Any) -> Any:
    return chat.attachments.one("a-1").download(**arguments)


def upload(chat: Any) -> Any:
    return chat.attachments.upload(b"x" * 1000, filename="x.txt")


def failure(flavour: str, world: World, do: Any, **arguments: Any) -> PoolseError:
    with world:
        client = Client(flavour, world.base, **{"max_retries": 0, **arguments})
        with pytest.raises(PoolseError) as caught:
            client(do)
    return caught.value


class Endless:
    """A step that sends on and on, and counts what was taken."""

    def __init__(self, head: str, piece: bytes = b"x" * 65_536, pause: float = 0.0) -> None:
        self.sent = 0
        self._head = f"HTTP/1.1 {head}\r\n\r\n".encode()
        self._piece = piece
        self._pause = pause

    def __call__(self, _world: World, connection: Connection, request: ReceivedRequest) -> None:
        connection.take(int(request.headers.get("content-length", 0)))
        connection.send(self._head)
        while not connection.over.wait(self._pause):
            connection.send(self._piece)
            self.sent += len(self._piece)


@ALL
@pytest.mark.parametrize("do", [download, upload])
def test_a_refusal_without_end_is_not_read_to_its_end(flavour: str, do: Any) -> None:
    endless = Endless("403 Forbidden")
    tracemalloc.start()
    try:
        error = failure(flavour, World(endless), do, max_response_bytes=100_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, DecodeError)
    assert endless.sent < MUCH
    assert peak < 16_000_000


@ALL
@pytest.mark.parametrize("limit", ["row", "max_bytes"])
def test_a_file_without_end_ends_at_its_limit(flavour: str, limit: str, tmp_path: Path) -> None:
    endless = Endless("200 OK")

    def do(chat: Any) -> Any:
        to = tmp_path / "file"
        if limit == "row":
            return chat.attachments.one(row_of(b"x" * 70_000)).download(to)
        return chat.attachments.one("a-1").download(to, max_bytes=70_000)

    error = failure(flavour, World(endless), do)
    assert isinstance(error, DownloadError | NetworkError)
    assert endless.sent < MUCH
    assert list(tmp_path.iterdir()) == []


@OURS
@pytest.mark.parametrize("pause", [0.0, 0.02], ids=["storm", "slow"])
@pytest.mark.parametrize("do", [download, upload])
def test_an_answer_that_never_begins_is_a_timeout(flavour: str, do: Any, pause: float) -> None:
    # The total does not hold for files.
    step = Endless("100 Continue", b"HTTP/1.1 100 Continue\r\n\r\n", pause)
    error = failure(flavour, World(step), do, timeout=Timeout(read=0.3))
    assert isinstance(error, RequestTimeout)
    assert (error.phase, error.limit) == ("read", 0.3)


def cut(*fields: str, status: str = "200 OK") -> Step:
    """Half a file."""

    def step(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
        head = "".join(f"{field}\r\n" for field in fields)
        connection.send(f"HTTP/1.1 {status}\r\nContent-Length: 10\r\n{head}\r\nhalf".encode())
        connection.drop()

    return step


@ALL
@pytest.mark.parametrize("etag", ['"é"', '"' + "x" * 5000 + '"', '"a b"', 'W/"x"'])
def test_an_etag_that_cannot_be_sent_back_is_none(flavour: str, etag: str) -> None:
    with World(cut(f"ETag: {etag}"), stored) as world:
        world.content = b"0123456789"
        assert Client(flavour, world.base)(download) == b"0123456789"
    assert "range" not in world.storage[1].headers


@ALL
@pytest.mark.parametrize("found", ["bytes 4-9/" + "9" * 5000, "bytes 0-0/1", "x", "bytes 4-9/*"])
def test_an_invalid_range_restarts_the_download(flavour: str, found: str) -> None:
    steps = cut('ETag: "e"'), cut(f"Content-Range: {found}", status="206 Partial Content"), stored
    with World(*steps) as world:
        world.content = b"0123456789"
        assert Client(flavour, world.base)(download) == b"0123456789"


class Misled(World):
    """Its API names something else."""

    def __init__(self, **place: Any) -> None:
        super().__init__()
        self._named = place

    def _place(self, fields: dict[str, Any]) -> dict[str, Any]:
        found = super()._place(fields)
        place = found.get("upload", found)
        place |= {key: value for key, value in self._named.items() if key in place}
        return found


WRONG_URLS = [
    "ftp://127.0.0.1/x",
    "//127.0.0.1/x",
    "file:///etc/passwd",
    "http://me:s3cret@127.0.0.1/x",
    "http://127.0.0.1/a b",
    "http://127.0.0.1/x?s3cret\r\nX: y",
    "http://",
    "http://127.0.0.1:port/s3cret",
    "http://127.0.0.1:99999/s3cret",
    "http://[::1/s3cret",
]


@ALL
@pytest.mark.parametrize("do", [download, upload])
@pytest.mark.parametrize("url", WRONG_URLS)
def test_a_place_that_is_none(flavour: str, do: Any, url: str) -> None:
    world = Misled(url=url)
    error = failure(flavour, world, do)
    assert isinstance(error, DecodeError)
    assert "s3cret" not in str(error)
    assert world.storage == []


@ALL
@pytest.mark.parametrize(
    "place",
    [
        {"headers": {"X-A": "b\r\nX-Evil: s3cret"}},
        {"headers": {"X-A\r\nX-Evil": "s3cret"}},
        {"headers": {"X-A": "€"}},
        {"method": "put / HTTP/1.1\r\nX-Evil: s3cret"},
        {"method": "connect"},
        {"headers": {"Transfer-Encoding": "chunked"}},
    ],
)
def test_headers_that_cannot_be_sent(flavour: str, place: dict[str, Any]) -> None:
    world = Misled(**place)
    error = failure(flavour, world, upload)
    assert isinstance(error, DecodeError)
    assert "s3cret" not in str(error)
    assert world.storage == []


@ALL
def test_a_storage_that_says_success_too_early(flavour: str) -> None:
    def early(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
        connection.answer(b"", "200 OK")
        connection.hang()

    def large(chat: Any) -> Any:
        return chat.attachments.upload(iter([b"x" * 65_536] * 200), byte_size=65_536 * 200)

    error = failure(flavour, World(early), large, timeout=Timeout(write=1.0, read=1.0))
    assert isinstance(error, UploadError | NetworkError)
