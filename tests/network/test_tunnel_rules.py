"""What is said to a proxy, byte for byte, and what its answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from poolse._network.proxies import parse_proxy
from poolse._network.tunnels import ProxyError, open_tunnel, open_tunnel_sync

OPEN = b"HTTP/1.1 200 OK\r\n\r\n"

Talk = Callable[[str, str, bytes], tuple[bytes, bytes]]


def talk(proxy: str, host: str, answer: bytes) -> tuple[bytes, bytes]:
    """What is sent to a proxy that answers so, and what of the answer is left."""
    sent, left = bytearray(), bytearray(answer)

    def receive(size: int) -> bytes:
        data = bytes(left[: min(size, 2)])  # in pieces
        del left[: len(data)]
        return data

    open_tunnel_sync(parse_proxy(proxy), host, 443, sent.extend, receive)
    return bytes(sent), bytes(left)


def talk_async(proxy: str, host: str, answer: bytes) -> tuple[bytes, bytes]:
    sent, left = bytearray(), bytearray(answer)

    async def send(data: bytes) -> None:
        sent.extend(data)

    async def receive(size: int) -> bytes:
        data = bytes(left[: min(size, 2)])
        del left[: len(data)]
        return data

    asyncio.run(open_tunnel(parse_proxy(proxy), host, 443, send, receive))
    return bytes(sent), bytes(left)


EITHER = pytest.mark.parametrize("talk", [talk, talk_async])


@EITHER
@pytest.mark.parametrize(
    ("proxy", "host", "said"),
    [
        ("http://p", "h", b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"),
        ("https://p", "h.", b"CONNECT h.:443 HTTP/1.1\r\nHost: h.:443\r\n\r\n"),
        ("http://p", "::1", b"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n"),
        (
            "http://a:%E2%82%AC@p",
            "h",
            b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\nProxy-Authorization: Basic YTrigqw=\r\n\r\n",
        ),
    ],
)
def test_connect(talk: Talk, proxy: str, host: str, said: bytes) -> None:
    assert talk(proxy, host, OPEN) == (said, b"")


@EITHER
@pytest.mark.parametrize(
    "answer",
    [
        OPEN,
        b"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n",
        b"HTTP/1.1 204\r\n\r\n",
        b"HTTP/1.1 200 OK\n\n",
    ],
)
def test_what_follows_the_answer_is_left_to_others(talk: Talk, answer: bytes) -> None:
    assert talk("http://p", "h", answer + b"\x16\x03")[1] == b"\x16\x03"


@EITHER
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"", "it closed the connection"),
        (b"HTTP/1.1 200 OK\r\n", "it closed the connection"),
        (b"HTTP/1.1 407 s3cret\r\n\r\n", "407 Proxy Authentication Required"),
        (b"HTTP/1.1 799 s3cret\r\n\r\n", "799"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "101 Switching Protocols"),
        (b"HTTP/1.1 abc\r\n\r\n", "its response is not HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "its response is not HTTP"),
        (b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n", "its response is not HTTP"),
        (b"HTTP/1.1\r\n\r\n", "its response is not HTTP"),
        (b"HTTP/2 200\r\n\r\n", "its response is not HTTP"),
        (b"<html>", "its response is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, "its response is not HTTP"),
    ],
)
def test_connect_refused(talk: Talk, answer: bytes, text: str) -> None:
    with pytest.raises(ProxyError) as caught:
        talk("http://p", "h", answer)
    assert str(caught.value) == text


BOUND = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"
GREETING = b"\x05\x01\x00"


@EITHER
@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("h.example", b"\x03\x09h.example"),
        ("h.example.", b"\x03\x09h.example"),
        ("127.0.0.1", b"\x01\x7f\x00\x00\x01"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
    ],
)
def test_socks(talk: Talk, host: str, address: bytes) -> None:
    said = GREETING + b"\x05\x01\x00" + address + b"\x01\xbb"
    assert talk("socks5://p", host, b"\x05\x00" + BOUND + b"x") == (said, b"x")


@EITHER
def test_socks_with_credentials(talk: Talk) -> None:
    sent, _ = talk("socks5h://a:%E2%82%AC@p", "127.0.0.1", b"\x05\x02\x01\x00" + BOUND)
    assert sent.startswith(b"\x05\x01\x02" + b"\x01\x01a\x03\xe2\x82\xac" + b"\x05\x01\x00")


@EITHER
@pytest.mark.parametrize("bound", [b"\x04" + bytes(18), b"\x03\x01a\x00\x00", b"\x03\x00\x00\x00"])
def test_what_socks_is_bound_to_is_read_and_ignored(talk: Talk, bound: bytes) -> None:
    assert talk("socks5://p", "h", b"\x05\x00\x05\x00\x00" + bound + b"x")[1] == b"x"


@EITHER
@pytest.mark.parametrize(
    ("proxy", "answer", "text"),
    [
        ("socks5://p", b"", "it closed the connection"),
        ("socks5://p", b"\x05", "it closed the connection"),
        ("socks5://p", b"HTTP/1.1 400", "its response is not SOCKS 5"),
        ("socks5://p", b"\x05\xff", "it requires user and password"),
        ("socks5://a:b@p", b"\x05\xff", "it takes no user and password"),
        ("socks5://a:b@p", b"\x05\x02\x01\x01", "it does not accept user and password"),
        ("socks5://p", b"\x05\x00\x05\x05\x00\x01", "connection refused"),
        ("socks5://p", b"\x05\x00\x05\x63\x00\x01", "reply 99"),
        ("socks5://p", b"\x05\x00\x04\x00\x00\x01", "its response is not SOCKS 5"),
        ("socks5://p", b"\x05\x00\x05\x00\x00\x09", "its response is not SOCKS 5"),
        ("socks5://p", b"\x05\x00" + BOUND[:-1], "it closed the connection"),
        (f"socks5://a:{'b' * 256}@p", b"\x05\x02", "user, password and host of SOCKS have 255"),
    ],
)
def test_socks_refused(talk: Talk, proxy: str, answer: bytes, text: str) -> None:
    with pytest.raises(ProxyError, match=text):
        talk(proxy, "h", answer)
