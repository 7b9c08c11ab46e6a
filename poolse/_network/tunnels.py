"""How a proxy is asked for a tunnel, and what its answer means: HTTP CONNECT and SOCKS 5.

Without I/O. A dialogue is a generator that yields bytes to send, or the number of bytes to read,
which it is then sent; fewer when the proxy has closed the connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from poolse._network.proxies import Proxy

__all__ = [
    "CLOSED",
    "NOT_HTTP",
    "Dialogue",
    "ProxyError",
    "authority",
    "hold",
    "hold_async",
    "open_tunnel",
    "status_text",
]

Dialogue = Generator[bytes | int, bytes, None]

NOT_HTTP: Final = "its answer is not HTTP"
CLOSED: Final = "it closed the connection"
_NOT_SOCKS: Final = "its answer is not SOCKS 5"

_LONGEST_HEAD: Final = 65_536

_REPLIES: Final = (
    "",
    "general failure",
    "not allowed by its rules",
    "network unreachable",
    "host unreachable",
    "connection refused",
    "time to live expired",
    "command not supported",
    "address type not supported",
)
"""What the second byte of a SOCKS reply says (RFC 1928, 6)."""

_IPV4, _NAME, _IPV6 = 1, 3, 4


class ProxyError(Exception):
    """The proxy opened no tunnel. Its text goes behind "the proxy refused to connect: "."""


def open_tunnel(proxy: Proxy, host: str, port: int) -> Dialogue:
    """Ask the proxy to connect to a host. After it, the connection leads there.

    Raises:
        ProxyError: It does not.
    """
    return _socks(proxy, host, port) if proxy.is_socks else _connect(proxy, host, port)


def hold(
    dialogue: Dialogue, send: Callable[[bytes], object], receive: Callable[[int], bytes]
) -> None:
    """Hold a dialogue over a connection.

    Args:
        dialogue: From `open_tunnel`.
        send: Sends all of the bytes.
        receive: Gives some of so many bytes, none at the end of the connection.
    """
    try:
        step = next(dialogue)
        while True:
            answer = b""
            if isinstance(step, bytes):
                send(step)
            else:
                answer = receive(step)
            step = dialogue.send(answer)
    except StopIteration:
        pass


async def hold_async(
    dialogue: Dialogue,
    send: Callable[[bytes], Awaitable[object]],
    receive: Callable[[int], Awaitable[bytes]],
) -> None:
    """The async twin of `hold`."""
    try:
        step = next(dialogue)
        while True:
            answer = b""
            if isinstance(step, bytes):
                await send(step)
            else:
                answer = await receive(step)
            step = dialogue.send(answer)
    except StopIteration:
        pass


def status_text(status: int) -> str:
    """What the status of an answer to CONNECT says. The proxy's own words are not repeated."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def authority(host: str, port: int) -> str:
    """Host and port as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _connect(proxy: Proxy, host: str, port: int) -> Dialogue:
    target = authority(host, port)
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    yield "\r\n".join([*lines, "", ""]).encode("ascii")
    # Byte by byte, since what follows the blank line is no longer the proxy's.
    head = b""
    while not head.endswith((b"\r\n\r\n", b"\n\n")):
        byte = yield 1
        if not byte:
            raise ProxyError(CLOSED)
        head += byte
        if len(head) > _LONGEST_HEAD or not b"HTTP/1.".startswith(head[:7]):
            raise ProxyError(NOT_HTTP)
    status = head.split(b"\n", 1)[0].split(b" ", 2)[1:2]
    if not status or not status[0].strip().isdigit() or len(status[0].strip()) != 3:
        raise ProxyError(NOT_HTTP)
    if not 200 <= int(status[0]) < 300:
        raise ProxyError(status_text(int(status[0])))


def _socks(proxy: Proxy, host: str, port: int) -> Dialogue:
    method = 0 if proxy.user is None else 2
    yield bytes([5, 1, method])
    version, chosen = yield from _exactly(2)
    if version != 5:
        raise ProxyError(_NOT_SOCKS)
    if chosen != method:
        wanted = "wants user and password" if method == 0 else "takes no user and password"
        raise ProxyError(f"it {wanted}")
    if proxy.user is not None:
        yield b"\x01" + _short(proxy.user) + _short(proxy.password)
        _, failed = yield from _exactly(2)
        if failed:
            raise ProxyError("it does not accept user and password")
    yield b"\x05\x01\x00" + _socks_address(host) + port.to_bytes(2, "big")
    version, reply, _, kind = yield from _exactly(4)
    if version != 5 or kind not in (_IPV4, _NAME, _IPV6):
        raise ProxyError(_NOT_SOCKS)
    if reply:
        text = _REPLIES[reply] if reply < len(_REPLIES) else f"reply {reply}"
        raise ProxyError(text)
    # The address that it is bound to is of no interest, but has to be read.
    length = {_IPV4: 4, _IPV6: 16}.get(kind)
    if length is None:
        (length,) = yield from _exactly(1)
    yield from _exactly(length + 2)


def _socks_address(host: str) -> bytes:
    try:
        address = ip_address(host)
    except ValueError:
        return bytes([_NAME]) + _short(host.rstrip(".").encode("ascii"))
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed


def _short(data: bytes) -> bytes:
    if len(data) > 255:
        raise ProxyError("user, password and host of SOCKS have 255 bytes at most")
    return bytes([len(data)]) + data


def _exactly(count: int) -> Generator[bytes | int, bytes, bytes]:
    data = b""
    while len(data) < count:
        piece = yield count - len(data)
        if not piece:
            raise ProxyError(CLOSED)
        data += piece
    return data
