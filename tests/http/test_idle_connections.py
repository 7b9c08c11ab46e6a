"""Idle connections of a sync client: which one is taken, how many are kept, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from poolse._http import connections
from poolse._http.sync_sender import SyncSender
from poolse._rest.request_io import run_sync
from poolse.options import Timeout
from tests.http.raw_server import Connection, RawServer, ReceivedRequest
from tests.http.sync_and_async_senders import ASIDE, get, in_thread


class Server(RawServer):
    """Responds to `/held` only when all who are expected have asked; notes who came over what."""

    def __init__(self, together: int = 2) -> None:
        super().__init__(self._respond)
        self.used: list[Connection] = []
        self._all_here = threading.Barrier(together)

    def _respond(self, connection: Connection, request: ReceivedRequest) -> None:
        self.used.append(connection)
        if "/held" in request.line:
            self._all_here.wait(ASIDE)
        connection.answer(b"{}")


@contextmanager
def sender_of(max_connections: int = 10) -> Generator[SyncSender]:
    sender = SyncSender(max_connections=max_connections)
    try:
        yield sender
    finally:
        sender.close()


def send(sender: SyncSender, server: Server, path: str = "/free") -> None:
    assert run_sync(sender.send(get(server.base + path), Timeout(), None)).status == 200


def send_at_once(sender: SyncSender, server: Server, times: int) -> None:
    """Leaves as many idle connections."""
    calls = [in_thread(lambda: send(sender, server, "/held")) for _ in range(times)]
    for call in calls:
        assert call.outcome() is None


def test_the_connection_that_was_used_last_is_taken() -> None:
    with Server(together=3) as server, sender_of() as sender:
        send_at_once(sender, server, 3)
        for _ in range(5):
            send(sender, server)
        assert server.accepted == 3
        assert len(set(server.used[3:])) == 1


def test_idle_connections_make_room_for_another_server() -> None:
    with Server() as first, Server() as second, sender_of(max_connections=2) as sender:
        send_at_once(sender, first, 2)
        send(sender, second)
        assert first.connections_closed.acquire(timeout=ASIDE)
        # One of the first server is left, and is used again.
        send(sender, first)
        assert not first.connections_closed.acquire(blocking=False)
        assert (first.accepted, second.accepted) == (2, 1)


def test_a_connection_that_is_idle_for_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as first, Server() as second, sender_of() as sender:
        send(sender, first)
        monkeypatch.setattr(connections, "IDLE", 0.0)
        send(sender, second)
        assert first.connections_closed.acquire(timeout=ASIDE)
        send(sender, first)
        assert first.accepted == 2


def test_connections_of_servers_that_were_forgotten_are_closed_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "MAX_ORIGINS", 1)
    with Server() as first, Server() as second, sender_of(max_connections=1) as sender:
        send(sender, first)
        send(sender, second)
        assert first.connections_closed.acquire(timeout=ASIDE)
        send(sender, first)
        assert second.connections_closed.acquire(timeout=ASIDE)
