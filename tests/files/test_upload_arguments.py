"""What can be uploaded, and what is worked out of it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from poolse import ArgumentTypeError, UsageError
from tests.files.scripted_storage import World
from tests.files.sync_and_async_clients import Client

TEXT = "text/plain; charset=utf-8"
ANY = "application/octet-stream"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cat.png").write_bytes(b"meow")
    (tmp_path / "notes").write_bytes(b"1234567890")
    return tmp_path


class Raw:
    """Reads like a file, and can do nothing else."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, 3))


def at_seven(path: Path) -> io.BufferedReader:
    file = path.open("rb")
    file.seek(7)
    return file


BODIES: dict[str, tuple[Callable[[Path], Any], dict[str, Any], tuple[bytes, str, str | None]]] = {
    "bytes": (lambda _: b"abc", {}, (b"abc", ANY, None)),
    "bytearray": (lambda _: bytearray(b"abc"), {}, (b"abc", ANY, None)),
    "memoryview": (lambda _: memoryview(b"abcdef")[::2], {}, (b"ace", ANY, None)),
    "empty": (lambda _: b"", {}, (b"", ANY, None)),
    "text": (lambda _: "grün", {}, ("grün".encode(), TEXT, None)),
    "text that looks like a path": (
        lambda f: str(f / "cat.png"),
        {"filename": "x"},
        (b"", TEXT, "x"),
    ),
    "path": (lambda f: f / "cat.png", {}, (b"meow", "image/png", "cat.png")),
    "path without ending": (lambda f: f / "notes", {}, (b"1234567890", ANY, "notes")),
    "path, renamed": (
        lambda f: f / "notes",
        {"filename": "a.csv"},
        (b"1234567890", "text/csv", "a.csv"),
    ),
    "type given": (lambda f: f / "cat.png", {"content_type": "a/b"}, (b"meow", "a/b", "cat.png")),
    "packed": (lambda _: b"x", {"filename": "a.tar.gz"}, (b"x", "application/gzip", "a.tar.gz")),
    "file": (lambda f: (f / "cat.png").open("rb"), {}, (b"meow", "image/png", "cat.png")),
    "file in the middle": (lambda f: at_seven(f / "notes"), {}, (b"890", ANY, "notes")),
    "file in memory": (lambda _: io.BytesIO(b"abc"), {"byte_size": 3}, (b"abc", ANY, None)),
    "raw reader": (lambda _: Raw(b"abcdefgh"), {"byte_size": 8}, (b"abcdefgh", ANY, None)),
    "list": (lambda _: [b"ab", b"", bytearray(b"c")], {"byte_size": 3}, (b"abc", ANY, None)),
    "generator": (lambda _: (b"%d" % n for n in range(3)), {"byte_size": 3}, (b"012", ANY, None)),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_arrives_with_its_size_name_and_type(
    any_client: Client, world: World, folder: Path, name: str
) -> None:
    make, arguments, (content, kind, filename) = BODIES[name]
    body = make(folder)
    if isinstance(body, str) and "cat.png" in body:
        content = body.encode()
    try:
        row = any_client(lambda chat: chat.attachments.upload(body, **arguments))
    finally:
        if isinstance(body, io.IOBase):
            assert not body.closed
            body.close()
    assert world.bodies == [content]
    assert (row.byte_size, row.content_type, row.original_filename) == (
        len(content),
        kind,
        filename,
    )
    assert world.storage[0].headers["content-length"] == str(len(content))


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def test_an_async_iterable_is_for_the_async_client(client: Client, world: World) -> None:
    def upload(chat: Any) -> Any:
        return chat.attachments.upload(stream(b"ab", b"", b"c"), byte_size=3)

    if client.is_async:
        client(upload)
        assert world.bodies == [b"abc"]
    else:
        with pytest.raises(ArgumentTypeError, match="the async client accepts it"):
            client(upload)


class Link:
    """Leads to a path, whatever that is."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return self._path


def closed(path: Path) -> io.BufferedReader:
    with path.open("rb") as file:
        return file


def words() -> Iterator[bytes]:
    yield b"never"


WRONG: dict[str, tuple[Callable[[Path], Any], dict[str, Any], str]] = {
    "missing": (lambda f: f / "nobody", {}, "nobody: No such file or directory"),
    "nul": (lambda _: Link("a\0b"), {}, "null"),
    "below a file": (lambda f: f / "notes" / "x", {}, "notes/x: Not a directory"),
    "folder": (lambda f: f, {}, "it is a folder; upload the files in it"),
    "text file": (lambda f: (f / "notes").open(), {}, "text mode: open it in binary mode"),
    "closed file": (lambda f: closed(f / "notes"), {}, "a closed file"),
    "written file": (lambda f: (f / "new").open("wb"), {}, "not open for reading"),
    "generator": (lambda _: words(), {}, "an iterable has no known size: pass byte_size"),
    "raw reader": (lambda _: Raw(b""), {}, "cannot seek has no known size: pass byte_s"),
    "other size": (lambda _: b"abc", {"byte_size": 5 * 2**30}, "is 5368709120, .* has 3 bytes"),
    "size of a file": (
        lambda f: f / "notes",
        {"byte_size": 9},
        "is 9, but the body has 10 bytes",
    ),
    "number": (lambda _: 7, {}, "body must be a path .*, not int"),
    "none": (lambda _: None, {}, "body must be a path .*, not None"),
    "negative": (lambda _: b"", {"byte_size": -1}, "byte_size must be at least 0"),
    "no size": (lambda _: b"", {"byte_size": "3"}, "byte_size must be an int, not str"),
    "no name": (lambda _: b"", {"filename": Path("x")}, "filename must be a str, not Posix"),
    "no type": (lambda _: b"", {"content_type": 3}, "content_type must be a str, not int"),
    "no function": (lambda _: b"", {"on_progress": 3}, "on_progress must be a function, not int"),
    "surrogate": (lambda _: "\ud800", {}, "half a character"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_uploaded_is_refused_and_nothing_is_sent(
    client: Client, world: World, folder: Path, name: str
) -> None:
    make, arguments, told = WRONG[name]
    body = make(folder)
    with pytest.raises(UsageError, match=told):
        client(lambda chat: chat.attachments.upload(body, **arguments))
    assert world.accepted == 0
    if isinstance(body, io.IOBase):
        body.close()


@pytest.mark.parametrize("piece", ["text", 7, None])
def test_pieces_that_are_no_bytes_end_the_upload(
    client: Client, world: World, piece: object
) -> None:
    with pytest.raises(ArgumentTypeError, match="must yield bytes, but the iterable yields"):
        client(lambda chat: chat.attachments.upload([b"a", piece], byte_size=2))
    assert world.bodies == []
