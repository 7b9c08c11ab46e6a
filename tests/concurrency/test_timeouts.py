"""Each time limit ends what it is for, and its error says which it was and how to change it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from poolse import CallOptions, RequestTimeout, Timeout
from tests.concurrency.hanging_servers import Names
from tests.files.scripted_storage import World
from tests.files.sync_and_async_clients import Client
from tests.http.raw_server import Connection, RawServer, ReceivedRequest

SETTING = "raise it with timeout=Timeout({}=...) on the client, a view or the call"

FLAVOURS = pytest.mark.parametrize("flavour", ["sync", "async"])
HOW = pytest.mark.parametrize("how", ["client", "view", "call"])


def hang(connection: Connection, _: ReceivedRequest) -> None:
    connection.hang()


def drip(connection: Connection, _: ReceivedRequest) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not connection.over.wait(0.02):
        connection.send(b".")


def late(flavour: str, url: str, timeout: Timeout, how: str = "client", **more: Any) -> str:
    """What the error says, without the phase that it must name."""
    at = ("client", "view", "call")
    settings: list[dict[str, Any]] = [{"timeout": timeout} if how == one else {} for one in at]
    own, view, call = settings
    client = Client(flavour, url, max_retries=0, **own, **more)
    with pytest.raises(RequestTimeout) as caught:
        client(lambda chat: chat.with_options(**view).me.show(options=CallOptions(**call)))
    error = caught.value
    assert isinstance(error, TimeoutError)
    assert error.limit == getattr(timeout, error.phase)
    assert f"({error.phase} timeout); {SETTING.format(error.phase)}" in str(error)
    return error.phase


@FLAVOURS
@HOW
def test_silence(flavour: str, how: str) -> None:
    with RawServer(hang) as server:
        assert late(flavour, server.base, Timeout(None, read=0.05), how) == "read"


@FLAVOURS
@HOW
def test_the_whole_attempt(flavour: str, how: str) -> None:
    with RawServer(drip) as server:
        assert late(flavour, server.base, Timeout(0.1), how) == "total"


@FLAVOURS
@HOW
def test_connecting(flavour: str, how: str, full_backlog: str) -> None:
    assert late(flavour, full_backlog, Timeout(connect=0.1), how) == "connect"


@FLAVOURS
def test_the_tls_handshake_belongs_to_connecting(flavour: str, client_tls: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        limit = Timeout(connect=0.1)
        assert late(flavour, url, limit, ssl_context=client_tls) == "connect"


@FLAVOURS
@pytest.mark.parametrize(
    ("timeout", "phase"), [(Timeout(connect=0.1), "connect"), (Timeout(0.1), "total")]
)
def test_looking_up_the_name(
    flavour: str, timeout: Timeout, phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(monkeypatch, lambda: 9)
    assert late(flavour, "http://slow.example", timeout) == phase
    names.answer.set()


@FLAVOURS
@pytest.mark.parametrize(
    ("kind", "timeout", "phase"),
    [
        ("upload", Timeout(None, read=0.1), "read"),
        ("upload", Timeout(None, write=0.1), "write"),
        ("upload", Timeout(0.2), "total"),
        ("download", Timeout(None, read=0.1), "read"),
        ("download", Timeout(0.2), "total"),
    ],
)
def test_files(
    flavour: str, kind: str, timeout: Timeout, phase: str, world: World, tmp_path: Path
) -> None:
    # What is read is taken whole before the silence, what is written is not taken at all.
    size = 30_000_000 if phase == "write" else 3

    def hang_there(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
        connection.take(3 if size == 3 and kind == "upload" else 0)
        connection.hang()

    world.steps = [hang_there]
    options = CallOptions(timeout=timeout, max_retries=0)
    calls: dict[str, Callable[[Any], Any]] = {
        "upload": lambda chat: chat.attachments.upload(b"x" * size, options=options),
        "download": lambda chat: chat.attachments.one("a").download(
            tmp_path / "x", options=options
        ),
    }
    with pytest.raises(RequestTimeout, match=rf"{phase} timeout\); raise it with") as caught:
        Client(flavour, world.base)(calls[kind])
    assert caught.value.phase == phase
