"""An httpx or httpx2 client of the caller's works, and its failures have our names."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest

from poolse import (
    AsyncPoolse,
    CallOptions,
    Cancelled,
    CancelToken,
    NetworkError,
    Poolse,
    PoolseError,
    RequestTimeout,
    Timeout,
    UsageError,
)
from tests.concurrency.hanging_servers import ANSWER, FINE
from tests.http.raw_server import Connection, RawServer, ReceivedRequest, answer_with
from tests.http.sync_and_async_senders import ASIDE, in_thread

LIBRARIES: list[Any] = [httpx, httpx2]
BOTH = pytest.mark.parametrize("library", LIBRARIES, ids=["httpx", "httpx2"])
SHORT = Timeout(None, connect=0.1, read=0.1, write=0.1, pool=0.1)


class Given:
    """Calls with a client of that library."""

    def __init__(self, library: Any, *, asynchronous: bool) -> None:
        self.library = library
        self.asynchronous = asynchronous

    def __call__(self, url: str, do: Callable[[Any], Any], **settings: Any) -> Any:
        arguments: dict[str, Any] = {"api_url": url, "token": "t", "max_retries": 0}
        if self.asynchronous:
            return asyncio.run(self._awaited(do, arguments, settings))
        with (
            self.library.Client(**settings) as client,
            Poolse(http_client=client, **arguments) as chat,
        ):
            return do(chat)

    async def _awaited(
        self, do: Callable[[Any], Any], arguments: dict[str, Any], settings: dict[str, Any]
    ) -> Any:
        async with (
            self.library.AsyncClient(**settings) as client,
            AsyncPoolse(http_client=client, **arguments) as chat,
        ):
            return await do(chat)

    def error(self, url: str, timeout: Timeout | None = None, **settings: Any) -> PoolseError:
        """What a GET raises."""
        options = CallOptions(timeout=timeout)
        with pytest.raises(PoolseError) as caught:
            self(url, lambda chat: chat.rest.request(method="GET", path="/x", options=options))
        return caught.value


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def given(request: pytest.FixtureRequest, library: Any) -> Given:
    return Given(library, asynchronous=request.param)


def get(chat: Any) -> Any:
    return chat.rest.request(method="GET", path="/x")


@BOTH
def test_it_works(given: Given) -> None:
    with RawServer(answer_with(ANSWER)) as server:
        assert given(server.base, get) == FINE


@BOTH
def test_nobody_listens(given: Given) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    error = given.error(f"http://127.0.0.1:{port}")
    assert isinstance(error, NetworkError)
    assert "could not connect" in str(error)


def hang(connection: Connection, _: ReceivedRequest) -> None:
    connection.hang()


@BOTH
def test_nobody_accepts(given: Given, full_backlog: str) -> None:
    error = given.error(full_backlog, SHORT)
    assert isinstance(error, RequestTimeout)
    assert error.phase == "connect"


@BOTH
def test_no_answer(given: Given) -> None:
    with RawServer(hang) as server:
        error = given.error(server.base, SHORT)
    assert isinstance(error, RequestTimeout)
    assert error.phase == "read"


@BOTH
def test_nobody_takes_the_body(given: Given) -> None:
    def post(chat: Any) -> Any:
        options = CallOptions(timeout=Timeout(None, write=0.2))
        body = {"text": "x" * 30_000_000}
        return chat.rest.request(method="POST", path="/x", body=body, options=options)

    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(RequestTimeout) as caught:
        given(f"http://127.0.0.1:{deaf.getsockname()[1]}", post)
    assert caught.value.phase == "write"


@BOTH
def test_all_its_connections_are_busy(library: Any) -> None:
    limits = library.Limits(max_connections=1)
    with RawServer(hang) as server, library.Client(limits=limits, timeout=None) as client:
        chat = Poolse(api_url=server.base, token="t", http_client=client, timeout=None)
        stop = CancelToken()
        first = in_thread(lambda: get(chat.with_options(cancel=stop)))
        server.seen.get(timeout=ASIDE)
        with pytest.raises(RequestTimeout, match="max_connections") as caught:
            get(chat.with_options(timeout=SHORT, max_retries=0))
        assert caught.value.phase == "pool"
        stop.cancel()
        assert isinstance(first.outcome(), Cancelled)


def nonsense(connection: Connection, _: ReceivedRequest) -> None:
    connection.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    connection.drop()


def cut(connection: Connection, _: ReceivedRequest) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    connection.drop()


@BOTH
@pytest.mark.parametrize("behave", [nonsense, cut])
def test_no_http(given: Given, behave: Callable[[Connection, ReceivedRequest], None]) -> None:
    with RawServer(behave) as server:
        error = given.error(server.base)
    assert type(error) is NetworkError
    assert "truncated, or is not HTTP" in str(error)


@BOTH
def test_what_cannot_be_unpacked(given: Given) -> None:
    with RawServer(answer_with(b"no gzip", fields="Content-Encoding: gzip\r\n")) as server:
        error = given.error(server.base)
    assert type(error) is NetworkError
    assert "could not be decompressed" in str(error)


RAISED: dict[str, tuple[type[PoolseError], str]] = {
    "ConnectError": (NetworkError, "could not connect"),
    "ReadError": (NetworkError, "lost while waiting for the response"),
    "WriteError": (NetworkError, "lost while sending"),
    "CloseError": (NetworkError, "the connection failed"),
    "ProxyError": (NetworkError, "the proxy refused"),
    "RemoteProtocolError": (NetworkError, "not HTTP"),
    "DecodingError": (NetworkError, "could not be decompressed"),
    "TooManyRedirects": (NetworkError, "too many redirects"),
    "RequestError": (NetworkError, "the request failed"),
    "ConnectTimeout": (RequestTimeout, "connect timeout"),
    "ReadTimeout": (RequestTimeout, "read timeout"),
    "WriteTimeout": (RequestTimeout, "write timeout"),
    "PoolTimeout": (RequestTimeout, "pool timeout"),
    "LocalProtocolError": (UsageError, "cannot be sent as HTTP"),
    "UnsupportedProtocol": (UsageError, "neither http nor https"),
    "InvalidURL": (UsageError, "URL cannot be used"),
}


@BOTH
@pytest.mark.parametrize("name", RAISED)
def test_each_of_its_exceptions_has_our_name(library: Any, name: str, given: Given) -> None:
    def fail(request: Any) -> Any:
        raise getattr(library, name)("its own words")

    kind, words = RAISED[name]
    with pytest.raises(kind, match=words) as caught:
        given(
            "http://api.example",
            lambda chat: chat.rest.request(
                method="GET", path="/x", options=CallOptions(timeout=Timeout(None))
            ),
            transport=library.MockTransport(fail),
        )
    assert type(caught.value) is kind
    assert type(caught.value.__cause__).__name__ == name
