"""A cancel token ends a call wherever it stands, and leaves the connections whole."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable

import pytest

from poolse._http.sync_sender import SyncSender
from poolse._rest.request_io import run_sync
from poolse.cancel import CancelToken
from poolse.errors import Cancelled, RequestTimeout, UsageError
from poolse.options import Timeout
from tests.http.raw_server import Connection, RawServer, ReceivedRequest, answer_with
from tests.http.sync_and_async_senders import ASIDE, Once, Watched, get, in_thread, post

NO_LIMIT = Timeout.of(None)


def hang(connection: Connection, _: ReceivedRequest) -> None:
    connection.hang()


def cancelled_after(send: Callable[[CancelToken], object], arrived: Callable[[], object]) -> None:
    """The call is ended by the token, once the server says that it is where it should be."""
    token = CancelToken()
    call = in_thread(lambda: send(token))
    arrived()
    token.cancel()
    assert isinstance(call.outcome(), Cancelled)


def test_while_the_server_thinks(send: Once) -> None:
    with RawServer(hang) as server:
        cancelled_after(
            lambda token: send(get(server.base), NO_LIMIT, token),
            lambda: server.seen.get(timeout=ASIDE),
        )


def test_while_the_answer_drips(send_any: Once) -> None:
    dripping = threading.Event()

    def drip(connection: Connection, _: ReceivedRequest) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not connection.over.wait(0.02):
            connection.send(b".")
            dripping.set()

    with RawServer(drip) as server:
        cancelled_after(
            lambda token: send_any(get(server.base), NO_LIMIT, token),
            lambda: dripping.wait(ASIDE),
        )


def test_during_the_tls_handshake(send: Once, client_tls: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        accepted: list[socket.socket] = []
        cancelled_after(
            lambda token: send(get(url), NO_LIMIT, token, ssl_context=client_tls),
            lambda: accepted.append(silent.accept()[0]),
        )
        accepted[0].close()


def test_while_the_server_thinks_behind_tls(
    send: Once, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    with RawServer(hang, server_tls) as server:
        cancelled_after(
            lambda token: send(get(server.base), NO_LIMIT, token, ssl_context=client_tls),
            lambda: server.seen.get(timeout=ASIDE),
        )


def test_while_nobody_takes_the_body(send: Once) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        accepted: list[socket.socket] = []
        cancelled_after(
            lambda token: send(post(url, b"x" * 30_000_000), NO_LIMIT, token),
            lambda: accepted.append(silent.accept()[0]),
        )
        accepted[0].close()


def test_while_nobody_accepts(send: Once, full_backlog: str) -> None:
    token = Watched()
    call = in_thread(lambda: send(get(full_backlog), NO_LIMIT, token))
    assert token.registered.acquire(timeout=ASIDE)
    token.cancel()
    assert isinstance(call.outcome(), Cancelled)


def test_before_it_began(send_any: Once) -> None:
    token = CancelToken()
    token.cancel()
    with RawServer(answer_with()) as server, pytest.raises(Cancelled):
        send_any(get(server.base), NO_LIMIT, token)
    assert server.accepted == 0


def test_while_waiting_for_a_connection() -> None:
    release = threading.Event()

    def behave(connection: Connection, _: ReceivedRequest) -> None:
        release.wait(ASIDE)
        connection.answer(b"late")

    with RawServer(behave) as server:
        sender = SyncSender(max_connections=1)
        first = in_thread(lambda: run_sync(sender.send(get(server.base), Timeout(), None)).content)
        server.seen.get(timeout=ASIDE)
        with pytest.raises(RequestTimeout) as caught:
            run_sync(sender.send(get(server.base), Timeout(pool=0.05), None))
        assert (caught.value.phase, caught.value.limit) == ("pool", 0.05)
        with pytest.raises(RequestTimeout) as caught:
            run_sync(sender.send(get(server.base), Timeout(0.05), None))
        assert caught.value.phase == "total"
        token = Watched()
        queued = in_thread(lambda: run_sync(sender.send(get(server.base), NO_LIMIT, token)))
        # Its place in the queue.
        assert token.registered.acquire(timeout=ASIDE)
        token.cancel()
        assert isinstance(queued.outcome(), Cancelled)
        request = get(server.base)
        waiting = in_thread(lambda: run_sync(sender.send(request, Timeout(), None)).content)
        release.set()
        assert [first.outcome(), waiting.outcome()] == [b"late", b"late"]
        sender.close()
    assert server.accepted == 1


def test_a_token_serves_many_calls_at_once() -> None:
    with RawServer(hang) as server:
        sender, token = SyncSender(), CancelToken()
        calls = [
            in_thread(lambda: run_sync(sender.send(get(server.base), NO_LIMIT, token)))
            for _ in range(5)
        ]
        for _ in calls:
            server.seen.get(timeout=ASIDE)
        token.cancel()
        assert all(isinstance(call.outcome(), Cancelled) for call in calls)
        sender.close()


def test_sleep_ends_at_once() -> None:
    sender, token = SyncSender(), CancelToken()
    nap = in_thread(lambda: run_sync(sender.sleep(60.0, token)))
    token.cancel()
    assert isinstance(nap.outcome(), Cancelled)
    with pytest.raises(Cancelled):
        run_sync(sender.sleep(60.0, token))
    run_sync(sender.sleep(0.0, None))
    run_sync(sender.sleep(0.0, CancelToken()))
    sender.close()


def test_closing_ends_calls_under_way() -> None:
    with RawServer(hang) as server:
        sender = SyncSender()
        call = in_thread(lambda: run_sync(sender.send(get(server.base), NO_LIMIT, None)))
        server.seen.get(timeout=ASIDE)
        sender.close()
        error = call.outcome()
        assert isinstance(error, UsageError)
        assert "closed" in str(error)
    sender.close()
    with pytest.raises(UsageError, match="closed"):
        run_sync(sender.send(get(server.base), NO_LIMIT, None))
