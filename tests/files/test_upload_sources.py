"""Files of every kind as the source of an upload: judged by what they give, before it is sent."""

# ruff: noqa: PTH123, SIM115  (files of all kinds, left to an ExitStack)
from __future__ import annotations

import array
import bz2
import codecs
import contextlib
import ctypes
import gzip
import io
import lzma
import mmap
import os
import socket
import tempfile
import zipfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any, cast
from urllib.request import urlopen

import aiofiles
import anyio
import httpx
import pytest
from starlette.datastructures import Headers, UploadFile

from poolse import ArgumentTypeError, CallOptions, UsageError
from tests.files.scripted_storage import World, refuse
from tests.files.sync_and_async_clients import Client, Told

ANY = "application/octet-stream"
Make = Callable[[Path, ExitStack], Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes.txt").write_bytes(b"1234567890")
    for opened, name in ((gzip.open, "a.csv.gz"), (bz2.open, "a.tbz2"), (lzma.open, "a.xz")):
        with opened(tmp_path / name, "wb") as file:
            file.write(b"unpacked")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.writestr("sub/cat.png", b"meow")
    return tmp_path


def a_map(folder: Path, stack: ExitStack, at: int = 0) -> mmap.mmap:
    file = stack.enter_context((folder / "notes.txt").open("rb"))
    mapped = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    mapped.seek(at)
    return mapped


def a_pipe(content: bytes, stack: ExitStack, *, buffering: int = -1) -> Any:
    reads, writes = os.pipe()
    os.write(writes, content)
    os.close(writes)
    return stack.enter_context(open(reads, "rb", buffering))


def a_socket(content: bytes, stack: ExitStack) -> Any:
    here, there = socket.socketpair()
    stack.enter_context(here)
    with there:
        there.sendall(content)
    return stack.enter_context(here.makefile("rb"))


def spooled(content: bytes, stack: ExitStack, **arguments: Any) -> Any:
    file = stack.enter_context(tempfile.SpooledTemporaryFile(**arguments))
    file.write(content)
    file.seek(0)
    return file


def past_its_end(folder: Path, stack: ExitStack) -> Any:
    file = stack.enter_context((folder / "notes.txt").open("rb"))
    file.seek(900)
    return file


def named(name: object) -> io.BytesIO:
    file = io.BytesIO(b"abc")
    file.name = name  # pyright: ignore[reportAttributeAccessIssue]
    return file


def zipped(folder: Path, stack: ExitStack) -> Any:
    return stack.enter_context(
        stack.enter_context(zipfile.ZipFile(folder / "all.zip")).open("sub/cat.png")
    )


SOURCES: dict[str, tuple[Make, dict[str, Any], tuple[bytes, str, str | None]]] = {
    "mmap": (a_map, {}, (b"1234567890", ANY, None)),
    "mmap with its size": (a_map, {"byte_size": 10}, (b"1234567890", ANY, None)),
    "mmap in the middle": (lambda f, s: a_map(f, s, 7), {}, (b"890", ANY, None)),
    "array": (lambda _f, _s: array.array("H", [1, 2]), {}, (b"\1\0\2\0", ANY, None)),
    "empty array": (lambda _f, _s: array.array("H"), {}, (b"", ANY, None)),
    "ctypes": (lambda _f, _s: (ctypes.c_uint16 * 2)(1, 2), {}, (b"\1\0\2\0", ANY, None)),
    "two dimensions": (
        lambda _f, _s: memoryview(b"abcdef").cast("B", (2, 3)),
        {},
        (b"abcdef", ANY, None),
    ),
    "list of arrays": (
        lambda _f, _s: [array.array("B", b"ab"), memoryview(b"c")],
        {"byte_size": 3},
        (b"abc", ANY, None),
    ),
    "gzip": (
        lambda f, s: s.enter_context(gzip.open(f / "a.csv.gz")),
        {},
        (b"unpacked", "text/csv", "a.csv"),
    ),
    "gzip in a buffer": (
        lambda f, s: io.BufferedReader(s.enter_context(gzip.open(f / "a.csv.gz"))),
        {},
        (b"unpacked", "text/csv", "a.csv"),
    ),
    "gzip, named": (
        lambda f, s: s.enter_context(gzip.open(f / "a.csv.gz")),
        {"filename": "b.gz"},
        (b"unpacked", "application/gzip", "b.gz"),
    ),
    "bz2": (lambda f, s: s.enter_context(bz2.open(f / "a.tbz2")), {}, (b"unpacked", "", "")),
    "lzma": (lambda f, s: s.enter_context(lzma.open(f / "a.xz")), {}, (b"unpacked", "", "")),
    "what is packed in memory": (
        lambda _f, _s: named("a.csv.gz"),
        {},
        (b"abc", "application/gzip", "a.csv.gz"),
    ),
    "zip member": (zipped, {}, (b"meow", "image/png", "cat.png")),
    "urlopen": (lambda _, s: s.enter_context(urlopen("data:,abc")), {}, (b"abc", ANY, None)),
    "spooled": (lambda _, s: spooled(b"abc", s), {}, (b"abc", ANY, None)),
    "spooled on disk": (lambda _, s: spooled(b"abc", s, max_size=1), {}, (b"abc", ANY, None)),
    "raw": (
        lambda f, s: s.enter_context((f / "notes.txt").open("rb", buffering=0)),
        {},
        (b"1234567890", "text/plain", "notes.txt"),
    ),
    "pipe": (lambda _, s: a_pipe(b"abc", s), {"byte_size": 3}, (b"abc", ANY, None)),
    "raw pipe": (
        lambda _, s: a_pipe(b"abc", s, buffering=0),
        {"byte_size": 3},
        (b"abc", ANY, None),
    ),
    "socket": (lambda _, s: a_socket(b"abc", s), {"byte_size": 3}, (b"abc", ANY, None)),
    "past its end": (past_its_end, {}, (b"", "text/plain", "notes.txt")),
    "path as bytes": (
        lambda f, s: s.enter_context(open(os.fsencode(f / "notes.txt"), "rb")),
        {},
        (b"1234567890", "text/plain", "notes.txt"),
    ),
    "named by a number": (lambda _f, _s: named(7), {}, (b"abc", ANY, None)),
    "named <stdin>": (lambda _f, _s: named("<stdin>"), {}, (b"abc", ANY, None)),
    "named like the folder above": (lambda _f, _s: named("a/.."), {}, (b"abc", ANY, None)),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_arrives_as_what_it_gives(
    client: Client, world: World, folder: Path, name: str
) -> None:
    make, arguments, (content, kind, filename) = SOURCES[name]
    with ExitStack() as stack:
        body = make(folder, stack)
        row = client(lambda chat: chat.attachments.upload(body, **arguments))
    assert world.bodies == [content]
    assert row.byte_size == len(content)
    if filename == "":
        # These have a name since Python 3.13: that of what is in them.
        assert row.original_filename in (None, "a.tar", "a")
    else:
        assert (row.content_type, row.original_filename) == (kind, filename)


class Late:
    """Reads by a plain function that returns an awaitable."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int) -> Awaitable[bytes]:
        async def read() -> bytes:
            return self._file.read(size)

        return read()


def sent_by_a_browser() -> UploadFile:
    headers = Headers({"content-type": "text/x-odd"})
    return UploadFile(io.BytesIO(b"1234567890"), filename="../up/load.png", headers=headers)


@contextlib.asynccontextmanager
async def opened_by_anyio(path: Path, mode: Any = "rb") -> AsyncGenerator[Any]:
    async with await cast("Any", anyio).open_file(path, mode) as file:
        yield file


AsyncMake = Callable[[Path], Any]
ASYNC: dict[str, tuple[AsyncMake, dict[str, Any], tuple[str, str | None]]] = {
    "aiofiles": (lambda f: aiofiles.open(f / "notes.txt", "rb"), {}, ("text/plain", "notes.txt")),
    "aiofiles, raw": (
        lambda f: aiofiles.open(f / "notes.txt", "rb", buffering=0),
        {},
        ("text/plain", "notes.txt"),
    ),
    "anyio": (lambda f: opened_by_anyio(f / "notes.txt"), {}, ("text/plain", "notes.txt")),
    "UploadFile": (
        lambda _: contextlib.nullcontext(sent_by_a_browser()),
        {},
        ("text/x-odd", "load.png"),
    ),
    "plain, but awaitable": (
        lambda _: contextlib.nullcontext(Late(b"1234567890")),
        {"byte_size": 10},
        (ANY, None),
    ),
}


@pytest.mark.parametrize("name", ASYNC)
@pytest.mark.parametrize("again", [False, True])
def test_an_async_file_is_awaited_or_refused(
    client: Client, world: World, folder: Path, name: str, again: bool
) -> None:
    make, arguments, (kind, filename) = ASYNC[name]
    world.steps = [refuse("503 Busy")] if again and name != "plain, but awaitable" else []

    async def upload(chat: Any) -> Any:
        async with AsyncExitStack() as stack:
            opened = make(folder)
            if hasattr(opened, "__aenter__"):
                body = await stack.enter_async_context(opened)
            else:
                body = stack.enter_context(opened)
            sent = chat.attachments.upload(body, **arguments)
            return await sent if client.is_async else sent

    if client.is_async:
        row = client(upload)
        assert world.bodies == [b"1234567890"]
        assert (row.content_type, row.original_filename) == (kind, filename)
        return
    with pytest.raises(UsageError, match="use AsyncPoolse"):
        client(lambda chat: anyio.run(upload, chat))
    assert world.accepted == 0


def text_by_tempfile(_: Path, stack: ExitStack) -> Any:
    file = stack.enter_context(tempfile.NamedTemporaryFile("w+"))
    file.write("abc")
    file.seek(0)
    return file


class TextInDisguise:
    """Says nothing of its kind."""

    def read(self, _size: int) -> str:
        return "abc"


WRONG: dict[str, tuple[Make, dict[str, Any], str]] = {
    "text": (lambda f, s: s.enter_context((f / "notes.txt").open()), {}, "in binary mode"),
    "text in memory": (lambda _f, _s: io.StringIO("abc"), {}, "in binary mode"),
    "text by tempfile": (text_by_tempfile, {}, "in binary mode"),
    "text, spooled": (lambda _, s: spooled("abc", s, mode="w+"), {}, "in binary mode"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "text by codecs": (
        lambda f, s: s.enter_context(by_codecs(str(f / "notes.txt"), encoding="utf-8")),
        {},
        "in binary mode",
    ),
    "text in disguise": (lambda _f, _s: TextInDisguise(), {"byte_size": 3}, "in binary mode"),
    "a class": (lambda _f, _s: io.BytesIO, {}, "body must be a path .*, not type"),
    "closed mmap": (lambda f, _: closed(a_map, f), {}, "a closed file"),
    "closed, spooled": (lambda f, _: closed(lambda _f, s: spooled(b"", s), f), {}, "a closed file"),
    "released": (lambda _f, _s: released(), {}, "cannot be read any more"),
    "for writing": (
        lambda _, s: s.enter_context(tempfile.NamedTemporaryFile("wb")),
        {},
        "not open for reading",
    ),
    "without a size": (
        lambda _f, _s: httpx.Response(200, content=b"abc"),
        {"byte_size": 3},
        "body is not a binary file: body.read.size. raised TypeError",
    ),
    "nothing yet": (lambda _, s: empty_pipe(s), {"byte_size": 3}, "nothing to read yet"),
    "no size": (lambda _, s: a_pipe(b"abc", s), {}, "pass byte_size too"),
    "a surrogate": (lambda _f, _s: named("\udcff.txt"), {}, "no Unicode text.*filename="),
    "past its end": (past_its_end, {"byte_size": 10}, "byte_size is 10, but the body has 0"),
}


def by_codecs(*arguments: Any, **named: Any) -> Any:
    return cast("Any", codecs).open(*arguments, **named)


def closed(make: Make, folder: Path) -> Any:
    with ExitStack() as stack:
        return make(folder, stack)


def released() -> memoryview:
    view = memoryview(b"abc")
    view.release()
    return view


def empty_pipe(stack: ExitStack) -> Any:
    reads, writes = os.pipe()
    stack.callback(os.close, writes)
    os.set_blocking(reads, False)
    return stack.enter_context(open(reads, "rb", 0))


@pytest.mark.filterwarnings("ignore:codecs.open:DeprecationWarning")
@pytest.mark.parametrize("name", WRONG)
def test_what_gives_no_bytes_is_refused_and_nothing_is_sent(
    client: Client, world: World, folder: Path, name: str
) -> None:
    make, arguments, told = WRONG[name]
    with ExitStack() as stack:
        body = make(folder, stack)
        with pytest.raises(UsageError, match=told):
            client(lambda chat: chat.attachments.upload(body, **arguments))
    assert world.accepted == 0


@pytest.mark.parametrize("open_it", [False, True])
def test_a_name_that_is_no_unicode_is_refused_with_the_way_round(
    client: Client, world: World, tmp_path: Path, open_it: bool
) -> None:
    path = tmp_path / os.fsdecode(b"\xff.txt")
    path.write_bytes(b"abc")
    with ExitStack() as stack:
        body = stack.enter_context(path.open("rb")) if open_it else path
        with pytest.raises(UsageError, match="no Unicode text: say what to call it, with filename"):
            client(lambda chat: chat.attachments.upload(body))
        assert world.accepted == 0
        row = client(lambda chat: chat.attachments.upload(body, filename="x.txt"))
    assert row.original_filename == "x.txt"
    (error,) = client(lambda chat: chat.attachments.upload_many([path]))
    assert isinstance(error, UsageError)
    paths = [path, tmp_path / "y.csv"]
    paths[1].write_bytes(b"1")
    rows = client(lambda chat: chat.attachments.upload_many(paths, filenames=["x.txt", None]))
    assert [row.original_filename for row in rows] == ["x.txt", "y.csv"]
    assert [row.content_type for row in rows] == ["text/plain", "text/csv"]


@pytest.mark.parametrize(
    ("filenames", "kind", "told"),
    [
        (["a"], UsageError, "filenames has 1 names for 2 paths"),
        ("ab", ArgumentTypeError, "filenames must be a list of str, not str"),
        (7, ArgumentTypeError, "filenames must be a list of str, not int"),
        (["a", 7], ArgumentTypeError, "a name of filenames must be a str, not int"),
    ],
)
def test_names_that_are_none_are_refused(
    client: Client, world: World, folder: Path, filenames: Any, kind: type[Exception], told: str
) -> None:
    paths = [folder / "notes.txt"] * 2
    with pytest.raises(kind, match=told):
        client(lambda chat: chat.attachments.upload_many(paths, filenames=filenames))
    assert world.accepted == 0


class Grows(io.BytesIO):
    """Has more to read than it had when it was measured, or less."""

    def __init__(self, content: bytes, later: bytes) -> None:
        super().__init__(content)
        self._later = later

    def read(self, size: int | None = -1, /) -> bytes:
        content, self._later = self._later, b""
        return content


@pytest.mark.parametrize("later", [b"ab", b"abcd", b""])
def test_a_file_whose_size_changes_ends_the_upload(
    client: Client, world: World, later: bytes
) -> None:
    told = Told()
    with pytest.raises(UsageError, match="3 bytes were declared, but the body has"):
        client(
            lambda chat: chat.attachments.upload(
                Grows(b"abc", later), on_progress=told, options=CallOptions(max_retries=0)
            )
        )
    assert world.bodies == []
