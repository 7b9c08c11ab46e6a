"""The four ways to a server: REST and the socket, sync and async, behind one function."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest

from poolse import AsyncPoolse, Poolse, PoolseError, Timeout
from tests.client.observed_clients import done, until
from tests.http.raw_server import Connection, RawServer, ReceivedRequest

__all__ = ["ACROSS", "WAYS", "Way", "addressed", "dead", "failure", "reach", "serve"]


@attrs.frozen
class Way:
    """A client, and what of it is used."""

    client: type[Any]
    is_socket: bool


WAYS = {
    "sync REST": Way(Poolse, False),
    "sync socket": Way(Poolse, True),
    "async REST": Way(AsyncPoolse, False),
    "async socket": Way(AsyncPoolse, True),
}

ACROSS = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
"""A test for all four ways."""


def reach(way: Way, url: str, **options: Any) -> PoolseError | None:
    """Make contact with a server: None, or the first error that was raised or reported."""
    return asyncio.run(_reach(way, url, options))


def failure(way: Way, url: str, **options: Any) -> PoolseError:
    """Why no contact can be made."""
    error = reach(way, url, **options)
    assert error is not None
    return error


async def _reach(way: Way, url: str, options: dict[str, Any]) -> PoolseError | None:
    errors: list[PoolseError] = []
    chat = way.client(
        api_url=url,
        token="t",
        on_socket_error=errors.append,
        **{"timeout": Timeout(20.0, connect=10.0), "max_retries": 0, **options},
    )
    try:
        if not way.is_socket:
            await done(chat.rest.request(method="GET", path="/x"))
            return None
        await done(chat.realtime.connect())
        await until(lambda: errors or chat.realtime.status in ("connected", "closed"))
        if not errors and chat.realtime.status == "closed":
            # What is final is raised wherever somebody waits.
            await done(chat.realtime.conversation("x").wait_joined())
        return errors[0] if errors else None
    except PoolseError as error:
        return error
    finally:
        await done(chat.aclose() if way.client is AsyncPoolse else chat.close())


def answer(connection: Connection, request: ReceivedRequest) -> None:
    """Serve REST with an empty object, and the socket with an open one."""
    key = request.headers.get("sec-websocket-key")
    if key is None:
        connection.answer(b"{}", fields="Content-Type: application/json\r\n")
        return
    digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
    connection.send(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )
    # Until the goodbye, which is answered, or the end.
    while (data := connection.sock.recv(65_536)) and data[0] != 0x88:
        pass
    connection.send(b"\x88\x00")
    connection.drop()


def serve(context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> RawServer:
    """A server for all four ways."""
    return RawServer(answer, context, host=host)


def addressed(monkeypatch: pytest.MonkeyPatch, name: str, *hosts: str) -> list[str]:
    """A name server that knows one name more. Gives the names that it was asked for."""
    ask = socket.getaddrinfo
    asked: list[str] = []

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **more: Any) -> Any:
        host = host.decode() if isinstance(host, bytes) else host
        if more.get("flags") != socket.AI_NUMERICHOST:
            asked.append(host)
        if host != name:
            return ask(host, port, *arguments, **more)
        if more.get("flags") == socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        found = [ask(host, port, type=socket.SOCK_STREAM) for host in hosts]
        return [address for addresses in found for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@contextmanager
def dead(host: str, port: int) -> Generator[None]:
    """An address that answers nothing: the queue of its listener is full."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=0):
        waiting = [socket.socket(family) for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex((host, port))
        try:
            yield
        finally:
            for sock in waiting:
                sock.close()
