"""A call over a given client is left at once; what it leaves behind is thrown away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest

from poolse import CallOptions, Cancelled, CancelToken, Poolse
from tests.concurrency.hanging_servers import ANSWER, FINE
from tests.files.scripted_storage import World
from tests.http.raw_server import Connection, RawServer, ReceivedRequest
from tests.http.sync_and_async_senders import ASIDE, in_thread


class Held:
    """The first call gets a part of its answer, and the rest when it is let go."""

    def __init__(self, part: bytes) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self._part = part

    def __call__(self, connection: Connection, _: ReceivedRequest) -> None:
        if self.begun.is_set():
            connection.answer(ANSWER)
            return
        connection.send(self._part)
        self.begun.set()
        assert self.go_on.wait(ASIDE)
        connection.answer(ANSWER)


@pytest.fixture(params=[httpx, httpx2], ids=["httpx", "httpx2"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    with request.param.Client(limits=request.param.Limits(max_connections=2)) as made:
        yield made


def get(chat: Poolse, cancel: CancelToken | None = None) -> object:
    return chat.rest.request(method="GET", path="/x", options=CallOptions(cancel=cancel))


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"])
def test_its_connection_serves_nobody_else(client: Any, part: bytes) -> None:
    held, stop = Held(part), CancelToken()
    with RawServer(held) as server:
        chat = Poolse(api_url=server.base, token="t", http_client=client)
        call = in_thread(lambda: get(chat, stop))
        assert held.begun.wait(ASIDE)
        stop.cancel()
        # The server says nothing yet, and the caller is gone all the same.
        assert isinstance(call.outcome(), Cancelled)
        assert not held.go_on.is_set()
        assert get(chat) == FINE
        assert server.accepted == 2
        held.go_on.set()
        assert server.connections_closed.acquire(timeout=ASIDE)
        assert get(chat) == FINE
        assert server.accepted == 2


def test_an_uncancelled_call_gives_its_connection_back(client: Any) -> None:
    held = Held(b"")
    held.begun.set()
    with RawServer(held) as server:
        chat = Poolse(api_url=server.base, token="t", http_client=client)
        assert [get(chat, CancelToken()) for _ in range(3)] == [FINE] * 3
    assert server.accepted == 1


def test_failures_come_out_as_they_are(client: Any) -> None:
    def fail() -> str:
        raise LookupError("of the caller's own")

    chat = Poolse(api_url="http://127.0.0.1:9", get_token=fail, http_client=client)
    with pytest.raises(LookupError):
        get(chat, CancelToken())


PIECES = 1_000


class Source:
    """A body that says when it is read."""

    def __init__(self) -> None:
        self.reads = threading.Semaphore(0)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.reads.release()
            yield b"x" * 65_536


def test_the_body_of_an_upload_is_read_no_further(world: World, client: Any) -> None:
    go_on = threading.Event()

    def take(_: World, connection: Connection, request: ReceivedRequest) -> None:
        connection.take(1_000_000)
        assert go_on.wait(ASIDE)
        connection.take(int(request.headers["content-length"]) - 1_000_000)

    world.steps = [take]
    source, stop = Source(), CancelToken()
    chat = Poolse(api_url=world.base, token="t", http_client=client)
    options = CallOptions(cancel=stop)

    def upload(**more: Any) -> object:
        return chat.attachments.upload(
            source, byte_size=PIECES * 65_536, content_type="a/b", options=options, **more
        )

    call = in_thread(upload)
    for _ in range(20):
        assert source.reads.acquire(timeout=ASIDE)
    stop.cancel()
    assert isinstance(call.outcome(), Cancelled)
    go_on.set()
    assert world.connections_closed.acquire(timeout=ASIDE)
    read = 20
    while source.reads.acquire(blocking=False):
        read += 1
    # All else that was read lay in the buffers of the system.
    assert read < PIECES / 2


def test_a_download_arrives_in_the_callers_thread(world: World, client: Any) -> None:
    world.content = bytes(3_000_000)
    writers: set[int] = set()

    class Sink:
        def write(self, data: bytes) -> None:
            writers.add(threading.get_ident())

    chat = Poolse(api_url=world.base, token="t", http_client=client)
    options = CallOptions(cancel=CancelToken())
    assert chat.attachments.one("a-1").download(Sink(), options=options) == 3_000_000
    assert writers == {threading.get_ident()}
