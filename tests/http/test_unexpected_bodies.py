"""A body where HTTP allows none harms neither its own call nor the next one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from poolse import ApiError, AsyncPoolse, Poolse
from poolse._http.forbidden_bodies import ResponseBytes
from tests.http.raw_server import Connection, RawServer, ReceivedRequest

HEADS: dict[str, tuple[str, bytes]] = {
    "204": ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n"),
    "204 without a length": ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "204 in chunks": ("POST", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "304": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n"),
    "HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
}
BODIES = [b"", b"{}", b"2\r\n{}\r\n0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"]
INTERIM = b"HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\n"
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"ok":"y"}'


def calls(behave: Callable[[Connection, ReceivedRequest], None], method: str) -> None:
    """The call in question and two more, in both flavours, none of which is tried again."""
    with RawServer(behave) as wire:
        with Poolse(api_url=wire.base, token="t", max_retries=0) as chat:
            try:
                assert chat.rest.request(method=method, path="/v1/odd") in (None, {"ok": "y"})
            except ApiError as error:
                status = error.status
                assert status == 304
            for _ in range(2):
                assert chat.rest.request(method="GET", path="/v1/a") == {"ok": "y"}

        async def main() -> None:
            async with AsyncPoolse(api_url=wire.base, token="t", max_retries=0) as chat:
                try:
                    found = await chat.rest.request(method=method, path="/v1/odd")
                    assert found in (None, {"ok": "y"})
                except ApiError as error:
                    status = error.status
                    assert status == 304
                for _ in range(2):
                    assert await chat.rest.request(method="GET", path="/v1/a") == {"ok": "y"}

        asyncio.run(main())


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", list(HEADS))
def test_what_follows_is_taken_for_nothing(name: str, body: bytes) -> None:
    method, head = HEADS[name]

    def behave(connection: Connection, request: ReceivedRequest) -> None:
        connection.send(head + body if "/odd" in request.line else OK)

    calls(behave, method)


def test_a_body_that_comes_late_harms_no_other_call() -> None:
    release = threading.Event()

    def behave(connection: Connection, request: ReceivedRequest) -> None:
        if "/odd" in request.line:
            connection.send(HEADS["204"][1])
            release.wait(0.2)
            connection.send(b"{}")
        else:
            connection.send(OK)

    calls(behave, "GET")


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_an_interim_response_with_a_length(body: bytes) -> None:
    def behave(connection: Connection, request: ReceivedRequest) -> None:
        connection.send(INTERIM + body + OK if "/odd" in request.line else OK)

    calls(behave, "GET")


def test_a_204_as_it_should_be_keeps_its_connection() -> None:
    def behave(connection: Connection, request: ReceivedRequest) -> None:
        head = b"HTTP/1.1 204 No Content\r\n\r\n" if "/odd" in request.line else OK
        connection.send(head)

    with RawServer(behave) as wire:
        with Poolse(api_url=wire.base, token="t") as chat:
            for path in ("/v1/odd", "/v1/a", "/v1/odd"):
                chat.rest.request(method="DELETE", path=path)
        assert wire.accepted == 1

        async def main() -> None:
            async with AsyncPoolse(api_url=wire.base, token="t") as chat:
                for path in ("/v1/odd", "/v1/a", "/v1/odd"):
                    await chat.rest.request(method="DELETE", path=path)

        asyncio.run(main())
        assert wire.accepted == 2


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("method", "came", "kept", "spoilt"),
    [
        ("GET", HEADS["204"][1] + b"{}", HEADS["204"][1], True),
        ("GET", b"HTTP/1.1 204 No\n\n" + b"{}", b"HTTP/1.1 204 No\n\n", True),
        ("GET", b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", None, False),
        ("HEAD", HEADS["HEAD"][1], None, False),
        ("HEAD", HEADS["HEAD"][1] + b"{}", HEADS["HEAD"][1], True),
        ("GET", OK, None, False),
        ("GET", b"HTTP/1.1 100 Continue\r\n\r\n" + OK, None, False),
        ("GET", INTERIM + OK, None, False),
        ("GET", INTERIM + b"{}" + OK, INTERIM + OK, False),
        ("GET", INTERIM + HEADS["204"][1] + b"{}", INTERIM + HEADS["204"][1], True),
        ("GET", b"HTTP/1.1 101 Switching\r\n\r\n\x00\r\n\r\n", None, False),
        ("GET", b"\x05\x00", None, False),
    ],
)
def test_the_bytes_of_a_response(
    method: str, came: bytes, kept: bytes | None, spoilt: bool, size: int
) -> None:
    response: Any = ResponseBytes()
    for _ in range(2):
        response.expect(method)
        pieces = [response.take(came[at : at + size]) for at in range(0, len(came), size)]
        assert b"".join(pieces) == (came if kept is None else kept)
    assert response.is_spoilt is spoilt
