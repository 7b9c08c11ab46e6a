"""However a transfer ends, it ends soon, and leaves no connection, file handle or temporary file.

That no threads, tasks and descriptors are left is checked for all tests (tests/leak_guard.py).
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from poolse import CallOptions, Cancelled, CancelToken, DownloadError, Poolse
from tests.files.scripted_storage import Step, World, refuse
from tests.files.sync_and_async_clients import FLAVOURS, Client
from tests.http.raw_server import Connection, ReceivedRequest
from tests.not_held_up import not_held_up

CONTENT = bytes(range(256)) * 8_000


@pytest.fixture(autouse=True)
def content(world: World) -> None:
    world.content = CONTENT


class Reached:
    """A step of the storage that stops at some point, and says so."""

    def __init__(self, act: Step) -> None:
        self.event = threading.Event()
        self._act = act

    def __call__(self, world: World, connection: Connection, request: ReceivedRequest) -> None:
        self._act(world, connection, request)
        self.event.set()
        connection.hang()


def nothing(_world: World, _connection: Connection, _request: ReceivedRequest) -> None:
    """Read no byte of the body, send no byte of an answer."""


def a_part(_world: World, connection: Connection, request: ReceivedRequest) -> None:
    if request.line.startswith("PUT"):
        connection.take(100_000)
    else:
        connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 2048000\r\nETag: "1"\r\n\r\n')
        connection.send(CONTENT[:500_000])


def all_of_it(_world: World, connection: Connection, request: ReceivedRequest) -> None:
    connection.take(int(request.headers.get("content-length", 0)))


ACTS = {"before the first byte": nothing, "in the middle": a_part, "before the answer": all_of_it}


def upload(path: Path) -> Callable[..., Callable[[Any], Any]]:
    (path / "up").write_bytes(bytes(30_000_000))

    def uploading(**arguments: Any) -> Callable[[Any], Any]:
        return lambda chat: chat.attachments.upload(path / "up", **arguments)

    return uploading


def download(path: Path) -> Callable[..., Callable[[Any], Any]]:
    def downloading(**arguments: Any) -> Callable[[Any], Any]:
        return lambda chat: chat.attachments.one("a-1").download(path / "down", **arguments)

    return downloading


KINDS = {"upload": upload, "download": download}


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"up"}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_cancel_token_ends_it(
    client: Client, world: World, tmp_path: Path, kind: str, act: str
) -> None:
    reached = Reached(ACTS[act])
    world.steps = [reached]
    token = CancelToken()

    def cancel() -> None:
        reached.event.wait()
        token.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with not_held_up(world.hang_up), pytest.raises(Cancelled):
        client(KINDS[kind](tmp_path)(options=CallOptions(cancel=token)))
    thread.join()
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_cancelled_task_ends_it(world: World, tmp_path: Path, kind: str, act: str) -> None:
    reached = Reached(ACTS[act])
    world.steps = [reached]
    client = Client("async", world.base)

    async def main() -> None:
        task = asyncio.create_task(client.awaited(KINDS[kind](tmp_path)()))
        await asyncio.to_thread(reached.event.wait)
        task.cancel()
        with not_held_up(world.hang_up), pytest.raises(asyncio.CancelledError):
            await task
        assert left_in(tmp_path) == set()

    asyncio.run(main())


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_cancel_token_ends_the_wait_between_attempts(
    world: World, tmp_path: Path, kind: str, flavour: str
) -> None:
    token = CancelToken()

    def busy(world: World, connection: Connection, request: ReceivedRequest) -> None:
        refuse("503 Busy", fields="Retry-After: 50\r\n")(world, connection, request)
        threading.Timer(0.05, token.cancel).start()

    world.steps = [busy]
    with not_held_up(world.hang_up), pytest.raises(Cancelled):
        Client(flavour, world.base)(KINDS[kind](tmp_path)(options=CallOptions(cancel=token)))
    assert len(world.storage) == 1
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_ends_it(world: World, tmp_path: Path, kind: str) -> None:
    reached = Reached(a_part)
    world.steps = [reached]

    def interrupt() -> None:
        reached.event.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    with Poolse(api_url=world.base, token="t") as chat:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            KINDS[kind](tmp_path)()(chat)
    thread.join()
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("error", [ValueError("stop"), KeyboardInterrupt(), SystemExit(3)])
def test_what_on_progress_raises_ends_a_download(
    client: Client, tmp_path: Path, error: BaseException
) -> None:
    def stop(loaded: int, _total: int) -> None:
        if loaded > 1_000_000:
            raise error

    with pytest.raises(type(error)) as caught:
        client(download(tmp_path)(on_progress=stop))
    assert caught.value is error
    assert left_in(tmp_path) == set()


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may become larger than a million bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_files")
def test_a_full_disk_ends_a_download_to_a_path(client: Client, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="down: the disk is full") as caught:
        client(download(tmp_path)())
    assert isinstance(caught.value.__cause__, OSError)
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_full_disk_ends_a_download(client: Client, buffering: int) -> None:
    full = Path("/dev/full").open("wb", buffering=buffering)  # noqa: SIM115
    with pytest.raises(DownloadError, match="cannot write to the file: the disk is full"):
        client(lambda chat: chat.attachments.one("a-1").download(full))
    with suppress(OSError):
        full.close()
