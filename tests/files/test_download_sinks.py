"""Files and paths of every kind as the sink of a download: judged before anything is sent."""

# ruff: noqa: SIM115  (files of all kinds, left to an ExitStack)
from __future__ import annotations

import codecs
import contextlib
import io
import mmap
import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any, cast

import aiofiles
import anyio
import pytest
from starlette.datastructures import UploadFile

from poolse import ArgumentTypeError, DownloadError, UsageError
from tests.files.scripted_storage import World, asked_for
from tests.files.sync_and_async_clients import Client
from tests.files.test_upload_sources import opened_by_anyio
from tests.http.raw_server import Connection, ReceivedRequest

CONTENT = bytes(range(256)) * 4_000


@pytest.fixture(autouse=True)
def content(world: World) -> None:
    world.content = CONTENT


def fetch(to: object) -> Callable[[Any], Any]:
    return lambda chat: chat.attachments.one("a-1").download(to)


class Writer:
    """Takes bytes, and returns what it is told to."""

    def __init__(self, result: Callable[[int], object], most: int = 10**9) -> None:
        self.taken = bytearray()
        self._result = result
        self._most = most

    def write(self, data: bytes) -> object:
        self.taken += data[: self._most]
        assert len(self.taken) <= 2 * len(CONTENT), "it is given the same bytes again and again"
        return self._result(min(len(data), self._most))


RESULTS: list[tuple[Callable[[int], object], int]] = [
    (lambda count: count, 1000),
    (lambda count: count, 10**9),
    (lambda _: None, 10**9),
    (lambda _: True, 10**9),
    (lambda _: "all of it", 10**9),
    (lambda count: count + 1, 10**9),
]


@pytest.mark.parametrize(("result", "most"), RESULTS)
def test_whatever_a_write_returns_all_bytes_arrive(
    client: Client, result: Callable[[int], object], most: int
) -> None:
    writer = Writer(result, most)
    assert client(fetch(writer)) == len(CONTENT)
    assert writer.taken == CONTENT


class Raw(io.RawIOBase):
    """A raw file that takes less than it is given, or, non-blocking and full, nothing."""

    def __init__(self, most: int | None) -> None:
        self.taken = bytearray()
        self._most = most

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int | None:
        if self._most is None and data:
            return None
        piece = bytes(data)[: self._most]
        self.taken += piece
        return len(piece)


def test_a_raw_file_gets_what_it_did_not_take(client: Client) -> None:
    raw = Raw(1000)
    assert client(fetch(raw)) == len(CONTENT)
    assert raw.taken == CONTENT
    with pytest.raises(DownloadError, match="cannot write to the file: it is non-blocking"):
        client(fetch(Raw(None)))
    with pytest.raises(DownloadError, match="the file accepts no more bytes"):
        client(fetch(Raw(0)))


class Late:
    """Writes by a plain function that returns an awaitable."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, data: bytes) -> Awaitable[int]:
        async def write() -> int:
            with self._path.open("ab") as file:
                return file.write(data)

        return write()


@contextlib.asynccontextmanager
async def as_upload_file(path: Path) -> AsyncGenerator[Any]:
    with path.open("wb") as file:
        yield UploadFile(file, filename="x")


ASYNC: dict[str, Callable[[Path], Any]] = {
    "aiofiles": lambda path: aiofiles.open(path, "wb"),
    "aiofiles, raw": lambda path: aiofiles.open(path, "wb", buffering=0),
    "aiofiles, appending": lambda path: aiofiles.open(path, "ab"),
    "anyio": lambda path: opened_by_anyio(path, "wb"),
    "UploadFile": as_upload_file,
    "plain, but awaitable": lambda path: contextlib.nullcontext(Late(path)),
}


@pytest.mark.parametrize("name", ASYNC)
@pytest.mark.parametrize("again", [False, True])
def test_an_async_file_is_awaited_or_refused(
    client: Client, world: World, tmp_path: Path, name: str, again: bool
) -> None:
    def cut(world: World, connection: Connection, request: ReceivedRequest) -> None:
        body, status, _ = asked_for(world, request)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.send(head.encode() + body[:300_000])
        connection.drop()

    # It is taken back where that can be done.
    world.steps = [cut] if again and name.startswith("aio") else []

    async def download(chat: Any) -> Any:
        async with AsyncExitStack() as stack:
            opened = ASYNC[name](tmp_path / "x")
            if hasattr(opened, "__aenter__"):
                to = await stack.enter_async_context(opened)
            else:
                to = stack.enter_context(opened)
            fetched = fetch(to)(chat)
            return await fetched if client.is_async else fetched

    if client.is_async:
        assert client(download) == len(CONTENT)
        assert (tmp_path / "x").read_bytes() == CONTENT
        return
    with pytest.raises(UsageError, match="use AsyncPoolse"):
        client(lambda chat: anyio.run(download, chat))
    assert world.accepted == 0


Make = Callable[[Path, ExitStack], Any]
TAKES_NONE = "to accepts no bytes|in text mode"
WRONG: dict[str, tuple[Make, type[UsageError], str]] = {
    "text": (lambda f, s: s.enter_context((f / "x").open("w")), UsageError, TAKES_NONE),
    "text in memory": (lambda _f, _s: io.StringIO(), UsageError, TAKES_NONE),
    "text by tempfile": (
        lambda f, s: s.enter_context(tempfile.NamedTemporaryFile("w", dir=f)),
        UsageError,
        TAKES_NONE,
    ),
    "text, spooled": (
        lambda _, s: s.enter_context(tempfile.SpooledTemporaryFile(mode="w")),
        UsageError,
        TAKES_NONE,
    ),
    "text by codecs": (
        lambda f, s: s.enter_context(by_codecs(str(f / "x"), "w", "utf-8")),
        UsageError,
        TAKES_NONE,
    ),
    "for reading": (lambda _, s: s.enter_context(Path(__file__).open("rb")), UsageError, "not op"),
    "for reading, by tempfile": (
        lambda f, s: s.enter_context(tempfile.NamedTemporaryFile("rb", dir=f)),
        UsageError,
        "not open for writing",
    ),
    "closed": (lambda f, _: closed(f / "x"), UsageError, "a closed file"),
    "a class": (lambda _f, _s: io.BytesIO, ArgumentTypeError, "to must be a path, .*, not type"),
    "no name": (lambda _f, _s: "", UsageError, "to='' is not the name of a file"),
    "folder": (lambda f, _: f, UsageError, "it is a folder"),
    "folder, with a slash": (lambda f, _: f"{f}/", UsageError, "is not the name of a file"),
    "link to a folder": (lambda f, _: link(f / "l", f), UsageError, "it is a folder"),
    "link to itself": (lambda f, _: link(f / "l", f / "l"), UsageError, "cannot write"),
    "descriptor that is none": (lambda _f, _s: "/dev/fd/987", UsageError, "Bad file descriptor"),
    "descriptor for reading": (lambda _, s: for_reading(s), UsageError, "Bad file descriptor"),
    "nul": (lambda _f, _s: "a\0b", UsageError, "null"),
}


def by_codecs(*arguments: Any, **named: Any) -> Any:
    return cast("Any", codecs).open(*arguments, **named)


def closed(path: Path) -> Any:
    with path.open("wb") as file:
        return file


def link(path: Path, to: Path) -> Path:
    path.symlink_to(to)
    return path


def for_reading(stack: ExitStack) -> str:
    file = stack.enter_context(Path(__file__).open("rb"))
    return f"/dev/fd/{file.fileno()}"


@pytest.mark.filterwarnings("ignore:codecs.open:DeprecationWarning")
@pytest.mark.parametrize("name", WRONG)
def test_what_takes_no_bytes_is_refused_and_nothing_is_sent(
    client: Client, world: World, tmp_path: Path, name: str
) -> None:
    make, kind, told = WRONG[name]
    with ExitStack() as stack:
        to = make(tmp_path, stack)
        with pytest.raises(kind, match=told):
            client(fetch(to))
    assert world.accepted == 0
    assert not list(tmp_path.glob(".poolse*"))


def test_an_async_text_file_is_refused_and_nothing_is_sent(
    client: Client, world: World, tmp_path: Path
) -> None:
    async def download(chat: Any) -> Any:
        async with aiofiles.open(tmp_path / "x", "w") as file:
            return await chat.attachments.one("a-1").download(file)

    if client.is_async:
        with pytest.raises(UsageError, match="to accepts no bytes"):
            client(download)
        assert world.accepted == 0


def test_a_map_that_is_too_small_is_an_error_of_the_download(client: Client) -> None:
    with (
        mmap.mmap(-1, 1000) as small,
        pytest.raises(DownloadError, match="cannot write to the file: "),
    ):
        client(fetch(small))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o604, 0o666, 0o700])
@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_file_that_is_replaced_keeps_its_mode(
    client: Client, world: World, tmp_path: Path, mode: int, through_a_link: bool
) -> None:
    to = tmp_path / "secret"
    to.write_bytes(b"old")
    to.chmod(mode)
    parts: list[int] = []

    def look(world: World, connection: Connection, request: ReceivedRequest) -> None:
        parts.extend(path.stat().st_mode & 0o777 for path in tmp_path.glob(".poolse*"))
        connection.answer(*asked_for(world, request))

    world.steps = [look]
    given = link(tmp_path / "link", to) if through_a_link else to
    assert client(fetch(given)) == given
    assert to.read_bytes() == CONTENT
    assert to.stat().st_mode & 0o777 == mode
    assert parts == [0o600], "nobody else may read it before it is there either"


@pytest.mark.skipif(os.getuid() != 0, reason="files are given away by root only")
def test_a_file_that_is_replaced_keeps_its_owner(client: Client, tmp_path: Path) -> None:
    to = tmp_path / "theirs"
    to.write_bytes(b"old")
    os.chown(to, 12345, 54321)
    to.chmod(0o640)
    client(fetch(to))
    found = to.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 54321, 0o640)


@pytest.mark.parametrize("reader_comes", ["before", "after"])
def test_a_pipe_is_written_to(client: Client, tmp_path: Path, reader_comes: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    asked = threading.Event()
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))

    def start_later() -> None:
        asked.wait(10)
        reader.start()

    if reader_comes == "before":
        reader.start()
    else:
        threading.Thread(target=start_later).start()
        threading.Timer(0.1, asked.set).start()
    try:
        assert client(fetch(pipe)) == pipe
    finally:
        asked.set()
        with contextlib.suppress(OSError):
            # For a reader that nobody writes to.
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    reader.join(10)
    assert received == [CONTENT]
    assert pipe.is_fifo()


def test_a_pipe_that_nobody_reads_holds_up_nobody(world: World, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def download(chat: Any) -> None:
        with anyio.move_on_after(0.1):
            await fetch(pipe)(chat)

    # The loop ends only when all its threads have.
    Client("async", world.base)(download)
    assert world.accepted == 0


def test_the_null_device_is_written_to(client: Client) -> None:
    before = Path(os.devnull).stat()
    assert client(fetch(os.devnull)) == Path(os.devnull)
    assert Path(os.devnull).stat().st_rdev == before.st_rdev
    with pytest.raises(DownloadError, match="the disk is full"):
        client(fetch("/dev/full"))


@pytest.mark.parametrize("how", ["/dev/fd", "/proc/self/fd", "link"])
def test_a_descriptor_is_written_to_and_what_it_leads_to_is_not_replaced(
    client: Client, tmp_path: Path, how: str
) -> None:
    out = tmp_path / "out"
    with out.open("wb", buffering=0) as file:
        file.write(b"before ")
        inode = out.stat().st_ino
        path = f"{'/dev/fd' if how == 'link' else how}/{file.fileno()}"
        to = link(tmp_path / "link", Path(path)) if how == "link" else Path(path)
        assert client(fetch(to)) == to
        file.write(b" after")
    assert out.read_bytes() == b"before " + CONTENT + b" after"
    assert out.stat().st_ino == inode


def test_standard_output_that_was_redirected_is_written_to(world: World, tmp_path: Path) -> None:
    program = f"""
from poolse import Poolse
print("before", flush=True)
with Poolse(token="t", api_url={world.base!r}) as chat:
    chat.attachments.one("a-1").download("/dev/stdout")
print("after")
"""
    out = tmp_path / "out"
    with out.open("wb") as file:
        subprocess.run([sys.executable, "-c", program], stdout=file, check=True)
    assert out.read_bytes() == b"before\n" + CONTENT + b"after\n"
