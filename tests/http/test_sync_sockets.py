"""The sockets below the sync transport, without HTTP on top."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

from poolse._http.deadline import Deadline
from poolse._http.sync_sockets import Backend, Opened
from poolse.cancel import CancelToken
from poolse.errors import Cancelled, RequestTimeout
from tests.http.sync_and_async_senders import ASIDE

NAME = "two-addresses.example"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """A name server that gives these addresses to every name."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

    def getaddrinfo(*_: object, **__: object) -> list[Any]:
        return found

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_the_total_counts_although_bytes_lie_ready(listener: socket.socket) -> None:
    with Deadline(None, None):
        stream = Backend(Opened(), None).connect_tcp(*listener.getsockname())
    accepted, _ = listener.accept()
    with accepted, Deadline(0.0, None):
        accepted.sendall(b"ready")
        with pytest.raises(RequestTimeout):
            stream.read(5)
        with pytest.raises(RequestTimeout):
            stream.write(b"x")
    with Deadline(None, None):
        assert stream.read(5) == b"ready"
    stream.close()


def test_a_dead_address_does_not_use_up_the_time_of_the_next(
    listener: socket.socket, full_backlog: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = ("127.0.0.1", int(full_backlog.rpartition(":")[2]))
    resolve_to(monkeypatch, dead, listener.getsockname())
    with Deadline(None, None):
        stream = Backend(Opened(), None).connect_tcp(NAME, 1, timeout=0.4)
    listener.accept()[0].close()
    stream.close()


def test_after_a_refusal_the_next_address_is_tried(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        refused = gone.getsockname()
    resolve_to(monkeypatch, refused, listener.getsockname())
    with Deadline(None, None):
        stream = Backend(Opened(), None).connect_tcp(NAME, 1)
        stream.close()
        resolve_to(monkeypatch, refused, refused)
        with pytest.raises(httpcore.ConnectError):
            Backend(Opened(), None).connect_tcp(NAME, 1)


def test_a_cancellation_during_name_resolution_counts_when_that_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = CancelToken()

    def getaddrinfo(*_: object, **__: object) -> list[Any]:
        token.cancel()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with Deadline(None, token), pytest.raises(Cancelled):
        Backend(Opened(), None).connect_tcp(NAME, 1)


def test_an_idle_connection_is_readable_once_the_server_has_spoken(
    listener: socket.socket,
) -> None:
    with Deadline(None, None):
        stream = Backend(Opened(), None).connect_tcp(*listener.getsockname())
    accepted, _ = listener.accept()
    assert stream.get_extra_info("is_readable") is False
    accepted.close()
    select.select([stream.get_extra_info("socket")], [], [], ASIDE)
    assert stream.get_extra_info("is_readable") is True
    stream.close()
