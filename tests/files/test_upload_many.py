"""Several uploads as one: order, failures, progress, and how all of them end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from poolse import (
    ArgumentTypeError,
    Attachment,
    CallOptions,
    Cancelled,
    CancelToken,
    UploadError,
    UsageError,
)
from tests.files.scripted_storage import World, refuse
from tests.files.sync_and_async_clients import Client, Told
from tests.http.raw_server import Connection, ReceivedRequest


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.txt" for number in range(9)]
    for number, path in enumerate(paths):
        path.write_bytes(b"%d" % number * (number * 100_000))
    return paths


def many(paths: object, **arguments: Any) -> Callable[[Any], Any]:
    return lambda chat: chat.attachments.upload_many(paths, **arguments)


@pytest.mark.parametrize("concurrency", [1, 4, 50])
def test_results_come_in_the_order_of_the_paths(
    client: Client, world: World, paths: list[Path], concurrency: int
) -> None:
    told = Told()
    rows = client(many(iter(paths), concurrency=concurrency, on_progress=told))
    assert [row.original_filename for row in rows] == [path.name for path in paths]
    assert sorted(world.bodies) == sorted(path.read_bytes() for path in paths)
    assert told[-1] == (3_600_000, 3_600_000)
    assert [now for now, _ in told] == sorted({now for now, _ in told})
    assert len(told) <= 101


def test_one_failure_loses_no_other_result(
    client: Client, world: World, paths: list[Path], tmp_path: Path
) -> None:
    world.steps = [refuse("400 No")]
    told = Told()
    given = [paths[3], tmp_path / "nobody", paths[5]]
    results = client(many(given, concurrency=1, on_progress=told))
    assert [type(result) for result in results] == [UploadError, UsageError, Attachment]
    assert world.bodies == [paths[5].read_bytes()]
    assert told[-1] == (800_000, 800_000)


def test_so_many_go_on_at_the_same_time(client: Client, world: World, paths: list[Path]) -> None:
    together = threading.Barrier(3)

    def meet(world: World, connection: Connection, request: ReceivedRequest) -> None:
        together.wait(10)
        connection.take(int(request.headers["content-length"]))
        connection.answer()

    world.steps = [meet] * 9
    rows = client(many(paths, concurrency=3))
    assert all(isinstance(row, Attachment) for row in rows)
    assert world.accepted <= 3


def test_none_at_all(client: Client, world: World) -> None:
    told = Told()
    assert client(many([], on_progress=told)) == []
    assert told == [(0, 0)]
    assert world.accepted == 0


@pytest.mark.parametrize(
    ("given", "arguments", "kind", "told"),
    [
        (["cat.png"], {}, ArgumentTypeError, "not str: make it a pathlib.Path"),
        ("cat.png", {}, ArgumentTypeError, "paths must be a list of paths, not str"),
        (Path("cat.png"), {}, ArgumentTypeError, "paths must be a list of paths, not Posix"),
        ([b"abc"], {}, ArgumentTypeError, "paths must be of os.PathLike, not bytes"),
        (7, {}, ArgumentTypeError, "paths must be a list of paths, not int"),
        ([], {"concurrency": 0}, UsageError, "concurrency must be at least 1"),
        ([], {"concurrency": 1.5}, ArgumentTypeError, "concurrency must be an int"),
        ([], {"options": CallOptions(idempotency_key="k")}, UsageError, "leave it out"),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: Client,
    world: World,
    given: object,
    arguments: dict[str, Any],
    kind: type[Exception],
    told: str,
) -> None:
    with pytest.raises(kind, match=told):
        client(many(given, **arguments))
    assert world.accepted == 0


def test_what_on_progress_raises_ends_all_of_them(
    client: Client, world: World, paths: list[Path]
) -> None:
    error = ValueError("stop")

    def stop(loaded: int, _total: int) -> None:
        raise error

    with pytest.raises(ValueError, match="stop") as caught:
        client(many(paths, on_progress=stop))
    assert caught.value is error
    assert len(world.bodies) < 9


@pytest.mark.parametrize("how", ["token", "task"])
def test_cancelling_ends_all_of_them(
    client: Client, world: World, paths: list[Path], how: str
) -> None:
    reached = threading.Barrier(5)

    def hang(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
        reached.wait(10)
        connection.hang()

    world.steps = [hang] * 9
    token = CancelToken()
    uploading = many(paths, options=CallOptions(cancel=token))

    def cancel() -> None:
        reached.wait(10)
        token.cancel()

    if how == "token":
        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(Cancelled):
            client(uploading)
        thread.join()
    elif client.is_async:
        asyncio.run(cancel_task(client, uploading, reached))


async def cancel_task(
    client: Client, uploading: Callable[[Any], Any], reached: threading.Barrier
) -> None:
    task = asyncio.create_task(client.awaited(uploading))
    await asyncio.to_thread(reached.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
