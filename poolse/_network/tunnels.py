"""Requests for a tunnel through a proxy, and their responses: HTTP CONNECT and SOCKS 5.

Without I/O: what sends and receives is passed in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from poolse._network.proxies import Proxy

__all__ = [
    "CLOSED",
    "NOT_HTTP",
    "ProxyError",
    "authority",
    "open_tunnel",
    "open_tunnel_sync",
    "status_text",
]

Send = Callable[[bytes], Awaitable[object]]
Receive = Callable[[int], Awaitable[bytes]]

NOT_HTTP: Final = "its response is not HTTP"
CLOSED: Final = "it closed the connection"
_NOT_SOCKS: Final = "its response is not SOCKS 5"

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


async def open_tunnel(proxy: Proxy, host: str, port: int, send: Send, receive: Receive) -> None:
    """Ask the proxy to connect to a host. After it, the connection leads there.

    Args:
        proxy: The proxy at the other end of the connection.
        host: What it is to connect to.
        port: The port there.
        send: Sends all of the bytes.
        receive: Returns some of so many bytes, none at the end of the connection.

    Raises:
        ProxyError: It does not.
    """
    ask = _socks if proxy.is_socks else _connect
    await ask(proxy, host, port, send, receive)


def open_tunnel_sync(
    proxy: Proxy,
    host: str,
    port: int,
    send: Callable[[bytes], object],
    receive: Callable[[int], bytes],
) -> None:
    """Do the same over a connection of the sync client."""

    async def send_all(data: bytes) -> None:
        send(data)

    async def receive_some(size: int) -> bytes:
        return receive(size)

    with suppress(StopIteration):  # none of the two ever suspends it
        open_tunnel(proxy, host, port, send_all, receive_some).send(None)


def status_text(status: int) -> str:
    """Return the meaning of the status of a CONNECT response, without the proxy's own text."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def authority(host: str, port: int) -> str:
    """Host and port as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _connect(proxy: Proxy, host: str, port: int, send: Send, receive: Receive) -> None:
    target = authority(host, port)
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    await send("\r\n".join([*lines, "", ""]).encode("ascii"))
    # Byte by byte, since what follows the blank line is no longer the proxy's.
    head = b""
    while not head.endswith((b"\r\n\r\n", b"\n\n")):
        byte = await receive(1)
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


async def _socks(proxy: Proxy, host: str, port: int, send: Send, receive: Receive) -> None:
    method = 0 if proxy.user is None else 2
    await send(bytes([5, 1, method]))
    version, chosen = await _exactly(receive, 2)
    if version != 5:
        raise ProxyError(_NOT_SOCKS)
    if chosen != method:
        wanted = "requires user and password" if method == 0 else "takes no user and password"
        raise ProxyError(f"it {wanted}")
    if proxy.user is not None:
        await send(b"\x01" + _short(proxy.user) + _short(proxy.password))
        _, failed = await _exactly(receive, 2)
        if failed:
            raise ProxyError("it does not accept user and password")
    await send(b"\x05\x01\x00" + _socks_address(host) + port.to_bytes(2, "big"))
    version, reply, _, kind = await _exactly(receive, 4)
    if version != 5 or kind not in (_IPV4, _NAME, _IPV6):
        raise ProxyError(_NOT_SOCKS)
    if reply:
        text = _REPLIES[reply] if reply < len(_REPLIES) else f"reply {reply}"
        raise ProxyError(text)
    # The address that it is bound to is of no interest, but has to be read.
    length = {_IPV4: 4, _IPV6: 16}.get(kind)
    if length is None:
        (length,) = await _exactly(receive, 1)
    await _exactly(receive, length + 2)


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


async def _exactly(receive: Receive, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = await receive(count - len(data))
        if not piece:
            raise ProxyError(CLOSED)
        data += piece
    return data
