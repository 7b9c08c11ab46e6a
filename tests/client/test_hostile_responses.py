"""An API that means harm: each call ends in an error of ours, soon, and with little memory."""

from __future__ import annotations

import sys
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from poolse import ApiError, DecodeError, NetworkError, PoolseError, RequestTimeout, Timeout
from tests.files.sync_and_async_clients import FLAVOURS, GIVEN, Client
from tests.http.raw_server import Behave, Connection, RawServer, ReceivedRequest, answer_with

OURS = pytest.mark.parametrize("flavour", FLAVOURS)
ALL = pytest.mark.parametrize("flavour", FLAVOURS + GIVEN)

LIMIT = 100_000
GIGABYTE = 2**30
MUCH = 8_000_000
"""Bytes that the buffers of two sockets never hold, and that no refused answer takes."""


def me(chat: Any) -> Any:
    return chat.me.show()


def raw(chat: Any) -> Any:
    return chat.rest.request(method="GET", path="/v1/me")


def failure(
    flavour: str, behave: Behave, do: Callable[[Any], Any] = me, **arguments: Any
) -> PoolseError:
    """What a call raises."""
    with RawServer(behave) as wire:
        client = Client(flavour, wire.base, **{"max_retries": 0, **arguments})
        with pytest.raises(PoolseError) as caught:
            client(do)
    return caught.value


class Flood:
    """Sends pieces without end, and counts what was taken."""

    def __init__(self, head: str, piece: bytes, pause: float = 0.0) -> None:
        self.sent = 0
        self._head = f"HTTP/1.1 {head}\r\n".encode()
        self._piece = piece
        self._pause = pause

    def __call__(self, connection: Connection, _: ReceivedRequest) -> None:
        connection.send(self._head)
        while not connection.over.wait(self._pause):
            connection.send(self._piece)
            self.sent += len(self._piece)


@ALL
@pytest.mark.parametrize("status", ["200 OK", "503 Service Unavailable"])
@pytest.mark.parametrize(
    ("fields", "piece"),
    [
        (f"Content-Length: {GIGABYTE}\r\n", b" " * 65_536),
        (f"Content-Length: {'9' * 18}\r\n", b" " * 65_536),
        ("Transfer-Encoding: chunked\r\n", b"10000\r\n" + b" " * 65_536 + b"\r\n"),
        ("", b" " * 65_536),
    ],
    ids=["declared", "beyond all", "chunked", "until closed"],
)
def test_an_answer_without_end_is_not_read_to_its_end(
    flavour: str, status: str, fields: str, piece: bytes
) -> None:
    flood = Flood(f"{status}\r\n{fields}", piece)
    tracemalloc.start()
    try:
        error = failure(flavour, flood, max_response_bytes=LIMIT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, DecodeError)
    assert str(error) == (
        f"the response (HTTP {status[:3]}) has more than 100000 bytes: "
        "to allow it, raise max_response_bytes of the client"
    )
    assert flood.sent < MUCH
    assert peak < 16_000_000


def bomb(window: int) -> bytes:
    """A gigabyte of zeros, packed: a block of a megabyte, over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    zeros = bytes(2**20)
    first = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (GIGABYTE // 2**20 - 1)


@ALL
@pytest.mark.parametrize(
    ("encoding", "window"),
    [("gzip", 31), ("x-gzip", 31), ("deflate", 15), ("deflate", -15), ("GZIP ", 31)],
)
def test_a_bomb_does_not_go_off(flavour: str, encoding: str, window: int) -> None:
    packed = bomb(window)
    behave = answer_with(packed, fields=f"Content-Encoding: {encoding}\r\n")
    tracemalloc.start()
    try:
        error = failure(flavour, behave, max_response_bytes=len(packed) + 10)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, DecodeError)
    assert "has more than" in str(error)
    assert peak < 16_000_000


@ALL
@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "é"])
def test_what_nobody_asked_for_is_not_unpacked(flavour: str, encoding: str) -> None:
    error = failure(flavour, answer_with(b"x", fields=f"Content-Encoding: {encoding}\r\n"))
    assert str(error) == "the response (HTTP 200) is compressed, but not with gzip, deflate"


@ALL
def test_only_what_can_be_unpacked_with_a_limit_is_asked_for(flavour: str) -> None:
    with RawServer(answer_with(b"null")) as wire:
        Client(flavour, wire.base)(raw)
    assert wire.seen.get_nowait().headers["accept-encoding"] == "gzip, deflate"


@ALL
@pytest.mark.parametrize("limit", [64, 63])
def test_the_limit_is_the_last_that_may_come(flavour: str, limit: int) -> None:
    content = b'"' + b"x" * 62 + b'"'
    with RawServer(answer_with(content)) as wire:
        client = Client(flavour, wire.base, max_response_bytes=limit)
        if limit == len(content):
            assert client(raw) == "x" * 62
        else:
            with pytest.raises(DecodeError, match="more than 63 bytes"):
                client(raw)


@ALL
@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"<html>\xff\xfe</html>",
        b"\xff\xfe\x00",
        b'"\xc3\x28"',
        b'"\\ud800"',
        b"NaN",
        b"1" * 5000 + b".",
        b"\x89PNG\r\n\x1a\n",
        b"{}{}",
    ],
)
def test_what_is_not_json_is_said_so(flavour: str, content: bytes) -> None:
    behave = answer_with(content, fields="Content-Type: image/png\r\n")
    for do in (me, raw):
        error = failure(flavour, behave, do)
        assert isinstance(error, DecodeError)
        assert len(str(error)) < 300


@ALL
def test_a_long_number_deep_inside_is_read_or_refused(flavour: str) -> None:
    content = b"[" * 1000 + b"1" * 20 + b"]" * 1000
    if sys.version_info < (3, 12):  # Python's own JSON decoder takes 990 levels there
        assert isinstance(failure(flavour, answer_with(content), raw), DecodeError)
        return
    with RawServer(answer_with(content)) as wire:
        value = Client(flavour, wire.base, max_retries=0)(raw)
        for _ in range(1000):
            (value,) = value
        assert value == 10**20 // 9


@OURS
@pytest.mark.parametrize("number", [b"1" * 20, b"1" * 5000, b"-" + b"9" * 400])
def test_a_number_of_any_size_is_read_or_refused(flavour: str, number: bytes) -> None:
    with RawServer(answer_with(b'{"n": %s}' % number)) as wire:
        client = Client(flavour, wire.base, max_retries=0)
        if len(number) < 4300:
            assert client(raw) == {"n": int(number)}
        else:
            with pytest.raises(DecodeError):
                client(raw)


@ALL
@pytest.mark.parametrize(
    "content",
    [
        b'{"error": {"code": "x", "message": "m", "details": %s}}' % (b"[" * 1010 + b"]" * 1010),
        b'{"error": {"code": "%s", "message": "%s"}}' % (b"c" * 90_000, b"m" * 90_000),
        b'{"error": {"code": 5, "message": [], "doc_url": {}}}',
        b'{"error": ' * 50_000,
        b'{"error": "\xff"}',
        b"[]",
    ],
)
def test_a_refusal_of_any_kind_can_be_shown(flavour: str, content: bytes) -> None:
    error = failure(flavour, answer_with(content, "422 No"))
    assert isinstance(error, ApiError)
    assert error.status == 422
    assert len(str(error)) < 3000
    assert len(repr(error)) < 3000


@OURS
@pytest.mark.parametrize(
    "after", ["9" * 5000, "-1", "inf", "1e9", "Mon, 01 Jan 99999 00:00:00 GMT"]
)
def test_nobody_waits_as_long_as_the_server_likes(flavour: str, after: str) -> None:
    behave = answer_with(b"", "503 Later", f"Retry-After: {after}\r\n")
    error = failure(flavour, behave, max_retries=1, max_retry_after=0.0, base_backoff=0.0)
    assert isinstance(error, ApiError)
    assert error.status == 503


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
FIELD = b"X-Name: value\r\n"


@OURS
@pytest.mark.parametrize(
    ("head", "piece", "pause"),
    [
        ("100 Continue\r\n", CONTINUE, 0.0),
        ("100 Continue\r\n", CONTINUE, 0.02),
        ("103 Early Hints\r\nLink: </x>\r\n", b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", 0.02),
        ("200 OK", FIELD, 0.0),
        ("200 OK", FIELD, 0.02),
        ("200 OK\r\nX-Name: ", b"x", 0.0),
        ("200 " + "O" * 200_000, b"x", 0.0),
    ],
    ids=["storm", "slow storm", "hints", "fields", "slow fields", "long field", "long reason"],
)
def test_a_head_without_end_has_one(flavour: str, head: str, piece: bytes, pause: float) -> None:
    # Long before the total, which does not hold for files.
    timeout = Timeout(10.0, read=0.3)
    flood = Flood(head, piece, pause)
    error = failure(flavour, flood, timeout=timeout)
    assert isinstance(error, NetworkError)
    assert getattr(error, "phase", "read") == "read"
    if pause:
        assert isinstance(error, RequestTimeout)
        assert (error.phase, error.limit) == ("read", 0.3)


@ALL
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(flavour: str, status: int) -> None:
    with RawServer(answer_with(b"{}")) as other:
        for location in ("/v1/me", f"{other.base}/v1/me?token=x"):
            behave = answer_with(b"", f"{status} Over there", f"Location: {location}\r\n")
            with RawServer(behave) as wire:
                with pytest.raises(ApiError) as caught:
                    Client(flavour, wire.base)(me)
                assert wire.seen.qsize() == 1
            assert caught.value.status == status
            assert "token=x" not in str(caught.value)
        assert other.accepted == 0
