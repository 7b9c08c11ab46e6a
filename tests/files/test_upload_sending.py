"""How the bytes of an upload go out: what is sent, what is tried again, what ends it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from poolse import (
    CallOptions,
    NetworkError,
    PoolseError,
    Timeout,
    UploadError,
    UsageError,
)
from poolse._rest.http_messages import Request
from poolse.options import for_files
from tests.files.scripted_storage import EXPIRED, SIGNATURE, World, refuse
from tests.files.sync_and_async_clients import Client, Told
from tests.http.raw_server import Connection, ReceivedRequest

BIG = 3_000_000
"""Bytes that take many pieces."""


def upload(body: Any, **arguments: Any) -> Callable[[Any], Any]:
    return lambda chat: chat.attachments.upload(body, **arguments)


def dropped(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
    connection.take(100_000)
    connection.reset()


def test_the_signed_headers_go_out_and_no_others(any_client: Client, world: World) -> None:
    world.headers = {"x-amz-meta-a": "1", "Content-Length": str(BIG)}
    any_client(upload(b"x" * BIG, content_type="a/b"))
    assert world.storage[0].headers == {
        "host": f"127.0.0.1:{world.port}",
        "content-type": "a/b",
        "content-length": str(BIG),
        "x-amz-meta-a": "1",
    }
    assert world.storage[0].line == f"PUT /bucket/a-1?{SIGNATURE} HTTP/1.1"
    assert world.bodies == [b"x" * BIG]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_is_not_followed(
    any_client: Client, world: World, status: int
) -> None:
    world.steps = [refuse(f"{status} Moved", fields=f"Location: {world.base}/v1/me\r\n")]
    with pytest.raises(UploadError, match="a redirect, which is not followed") as caught:
        any_client(upload(b"abc"))
    assert caught.value.status == status
    assert len(world.storage) == len(world.asked) == 1


@pytest.mark.parametrize("status", ["503 Busy", "429 Slow down", "500 Oops", "dropped"])
def test_transient_failures_are_retried_from_the_start(
    client: Client, world: World, tmp_path: Path, status: str
) -> None:
    world.steps = [dropped if status == "dropped" else refuse(status)] * 2
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 4000)
    told = Told()
    row = client(upload(path, on_progress=told))
    assert world.bodies == [path.read_bytes()]
    assert len(world.storage) == 3
    assert len(world.asked) == 1, "the URL is still good"
    assert row.id == "a-1"
    assert_told(told, path.stat().st_size)


def assert_told(told: list[tuple[int, int]], size: int) -> None:
    """Progress never goes back, and ends once, with the size."""
    loaded = [now for now, _ in told]
    assert loaded == sorted(set(loaded))
    assert {total for _, total in told} == {size}
    assert loaded[-1] == size
    assert len(told) <= 101


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 65_536, 65_537, BIG])
def test_progress_ends_at_the_size_and_once(client: Client, world: World, size: int) -> None:
    told = Told()
    client(upload(io.BytesIO(b"x" * size), on_progress=told))
    assert_told(told, size)


def test_progress_is_not_at_its_end_before_the_storage_says_so(
    client: Client, world: World
) -> None:
    told = Told()
    world.steps = [refuse("418 Teapot")]
    with pytest.raises(UploadError, match="returned HTTP 418"):
        client(upload(b"x" * 200_000, on_progress=told))
    assert told
    assert all(loaded < total for loaded, total in told)


@pytest.mark.parametrize("body", [EXPIRED, b"<Code>ExpiredToken</Code>"])
def test_an_expired_url_is_replaced_by_a_fresh_one(
    client: Client, world: World, body: bytes
) -> None:
    world.steps = [refuse("403 Forbidden", body)]
    options = CallOptions(idempotency_key="mine")
    row = client(upload(b"abc", options=options))
    assert [request.line.split("?")[0] for request in world.storage] == [
        "PUT /bucket/a-1",
        "PUT /bucket/a-2",
    ]
    assert row.id == "a-2"
    first, second = (request.headers["idempotency-key"] for request, _ in world.asked)
    assert first == "mine"
    assert second != first


def test_fresh_urls_come_out_of_the_budget_of_retries(client: Client, world: World) -> None:
    world.steps = [refuse("403 Forbidden", EXPIRED)] * 9
    with pytest.raises(UploadError, match="returned HTTP 403: AccessDenied"):
        client(upload(b"abc", options=CallOptions(max_retries=2)))
    assert len(world.storage) == len(world.asked) == 3


def test_another_403_is_final(client: Client, world: World) -> None:
    # S3 repeats the request in this answer, the lifetime of the URL with it.
    body = b"<Code>SignatureDoesNotMatch</Code><CanonicalRequest>X-Amz-Expires=3600</..>"
    world.steps = [refuse("403 Forbidden", body)]
    with pytest.raises(UploadError, match="returned HTTP 403: SignatureDoesNotMatch"):
        client(upload(b"abc"))
    assert len(world.storage) == 1


def once() -> Iterator[bytes]:
    for _ in range(20):
        yield b"x" * 50_000


@pytest.mark.parametrize("kind", ["503 Busy", "expired", "dropped"])
def test_a_body_that_cannot_be_read_again_is_not_sent_again(
    client: Client, world: World, kind: str
) -> None:
    steps = {"dropped": dropped, "expired": refuse("403 Forbidden", EXPIRED)}
    world.steps = [steps.get(kind, refuse("503 Busy"))]
    expected = NetworkError if kind == "dropped" else UploadError
    with pytest.raises(expected, match="not retried, because the body can be read only once"):
        client(upload(once(), byte_size=1_000_000))
    assert len(world.storage) == 1


def test_what_is_not_begun_can_be_begun_again(client: Client, world: World) -> None:
    """A file that is read from where it stands starts there again."""
    world.steps = [refuse("503 Busy")]
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    client(upload(file))
    assert world.bodies == [b"456789"]


@pytest.mark.parametrize("declared", [999_999, 1_000_001])
def test_more_or_fewer_bytes_than_declared_end_it_with_both_sizes(
    any_client: Client, world: World, declared: int
) -> None:
    body = [b"x" * 50_000] * 20
    with pytest.raises(UsageError, match=rf"{declared} bytes were declared, .* 1000000"):
        any_client(upload(body, byte_size=declared))
    assert world.bodies == [], "a file of the declared size must not be stored"
    assert len(world.storage) <= 1


@pytest.mark.parametrize("change", ["grows", "shrinks"])
def test_a_file_that_changes_while_it_is_read_ends_it(
    client: Client, world: World, tmp_path: Path, change: str
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * BIG)

    def touch(loaded: int, _total: int) -> None:
        if loaded:
            with path.open("r+b") as file:
                file.truncate(BIG // 2 if change == "shrinks" else BIG + 1)

    with pytest.raises(UsageError, match=f"{BIG} bytes were declared, but .* the file changed"):
        client(upload(path, on_progress=touch))
    assert world.bodies == []


class OddError(PoolseError):
    """What a caller may raise."""


@pytest.mark.parametrize(
    "error", [OddError("stop"), OSError(5, "io"), KeyError("k"), TimeoutError()]
)
def test_what_on_progress_raises_comes_out_as_it_is(
    any_client: Client, world: World, error: Exception
) -> None:
    def stop(loaded: int, _total: int) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        any_client(upload(b"x" * BIG, on_progress=stop))
    assert caught.value is error
    assert len(world.storage) <= 1
    assert world.bodies == []


def test_what_the_body_raises_comes_out_as_it_is(any_client: Client, world: World) -> None:
    error = NetworkError("of another client")

    def pieces() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise error

    with pytest.raises(NetworkError) as caught:
        any_client(upload(pieces(), byte_size=BIG))
    assert caught.value is error
    assert len(world.storage) <= 1


def test_an_early_success_is_none(client: Client, world: World) -> None:
    world.steps = [refuse("200 OK", after=10)]
    with pytest.raises(UploadError, match="responded before it received all bytes") as caught:
        client(upload(b"x" * 20_000_000))
    assert caught.value.status == 200


def test_no_total_holds_for_the_bytes_unless_one_is_set(world: World) -> None:
    assert for_files(Timeout()) == Timeout(None)
    assert for_files(Timeout(read=3)) == Timeout(None, read=3)
    assert for_files(Timeout(30.0)).total == 30.0
    assert for_files(Timeout.of(7)) == Timeout(7)


@pytest.mark.parametrize("where", ["call", "client"])
def test_a_total_that_is_set_holds(world: World, client: Client, where: str) -> None:
    def hang(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
        connection.hang()

    world.steps = [hang]
    options = {"timeout": 0.3, "max_retries": 0}
    given = Client(client.flavour, world.base, **(options if where == "client" else {}))
    arguments = {"options": CallOptions(timeout=0.3, max_retries=0)} if where == "call" else {}
    with pytest.raises(NetworkError, match=r"0.3 s \(total timeout\)"):
        given(upload(b"x" * BIG, **arguments))


def test_nothing_shows_the_signature(client: Client, world: World) -> None:
    url = f"{world.base}/x?{SIGNATURE}"
    assert "5ecret" not in repr(Request.to("PUT", url, [], None))
    assert "/x?..." in repr(Request.to("PUT", url, [], None))
    for step in (dropped, refuse("400 Bad"), refuse("302 Found", fields=f"Location: {url}\r\n")):
        world.steps = [step]
        with pytest.raises(PoolseError) as caught:
            client(upload(b"x" * BIG, options=CallOptions(max_retries=0)))
        error: BaseException | None = caught.value
        while error is not None:
            assert "5ecret" not in f"{error!r} {error}"
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
