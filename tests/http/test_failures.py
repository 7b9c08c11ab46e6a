"""What is raised when no answer comes."""

from __future__ import annotations

import socket
import ssl

import pytest
import trustme

from poolse.errors import NetworkError, RequestTimeout
from poolse.options import Timeout
from tests.http.conftest import context_for
from tests.http.raw_server import Behave, Connection, RawServer, ReceivedRequest, answer_with
from tests.http.sync_and_async_senders import Once, get, post

SECRET = "/v1/x?signature=s3cret"


def hang(connection: Connection, _: ReceivedRequest) -> None:
    connection.hang()


def drop(connection: Connection, _: ReceivedRequest) -> None:
    connection.drop()


def cut(connection: Connection, _: ReceivedRequest) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    connection.drop()


def cut_chunked(connection: Connection, _: ReceivedRequest) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")
    connection.drop()


def reset(connection: Connection, _: ReceivedRequest) -> None:
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    raise ConnectionError("closed without goodbye")


def nonsense(connection: Connection, _: ReceivedRequest) -> None:
    connection.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    connection.drop()


class Deaf(RawServer):
    """Never reads."""

    def _serve(self, sock: socket.socket) -> None:
        self._over.wait()
        sock.close()


class Rude(RawServer):
    """Speaks first, and another protocol."""

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            sock.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


def switch(connection: Connection, _: ReceivedRequest) -> None:
    connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\n\r\n")
    connection.hang()


def drip(connection: Connection, _: ReceivedRequest) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not connection.over.wait(0.05):
        connection.send(b".")


def flood(connection: Connection, _: ReceivedRequest) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
    # As much as goes through, but less than an answer may have.
    for _number in range(1000):
        connection.send(b"." * 8192)
    while not connection.over.wait(0.0005):
        connection.send(b".")


def test_refused(send_any: Once) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(NetworkError) as caught:
        send_any(get(f"http://127.0.0.1:{port}{SECRET}"))
    assert str(caught.value).startswith(f"GET 127.0.0.1:{port}: could not connect: ")
    assert not isinstance(caught.value, RequestTimeout)
    assert caught.value.__cause__ is not None


def test_refused_says_so(send: Once) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(NetworkError, match=r"could not connect: Connection refused$"):
        send(get(f"http://127.0.0.1:{port}/"))


def test_no_such_host(send_any: Once) -> None:
    with pytest.raises(NetworkError, match=r"GET nowhere\.invalid: could not connect: "):
        send_any(get("http://nowhere.invalid" + SECRET))


@pytest.mark.parametrize("behave", [drop, cut, cut_chunked, reset, nonsense, switch])
def test_a_broken_answer(send_any: Once, behave: Behave) -> None:
    with RawServer(behave) as server, pytest.raises(NetworkError) as caught:
        send_any(get(server.base + SECRET))
    assert "s3cret" not in str(caught.value)
    assert not isinstance(caught.value, RequestTimeout)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("behave", [drop, reset])
def test_a_dropped_request_is_sent_once(send: Once, behave: Behave) -> None:
    with RawServer(behave) as server:
        with pytest.raises(NetworkError):
            send(get(server.base))
        assert server.seen.qsize() == 1


def test_the_reason_is_never_one_that_the_caller_was_busy_with(send_any: Once) -> None:
    with RawServer(drop) as server:
        try:
            raise FileNotFoundError(2, "of the caller")
        except FileNotFoundError:
            with pytest.raises(NetworkError) as caught:
                send_any(get(server.base))
    assert str(caught.value).endswith(": the response was truncated, or is not HTTP")


def test_no_url_with_its_query_is_reported_in_the_causes(send: Once) -> None:
    with RawServer(hang) as server, pytest.raises(RequestTimeout) as caught:
        send(get(server.base + SECRET), Timeout(read=0.05))
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in f"{error} {error!r}"
        error = error.__cause__


@pytest.mark.parametrize(
    ("timeout", "phase", "limit"),
    [
        (Timeout(read=0.1), "read", 0.1),
        (Timeout(0.1), "total", 0.1),
        (Timeout(0.1, connect=None, read=None, write=None, pool=None), "total", 0.1),
    ],
)
def test_a_server_that_hangs(send_any: Once, timeout: Timeout, phase: str, limit: float) -> None:
    with RawServer(hang) as server, pytest.raises(RequestTimeout) as caught:
        send_any(get(server.base), timeout)
    assert (caught.value.phase, caught.value.limit) == (phase, limit)


@pytest.mark.parametrize("limit", [3_000_000.0, 1_000_000_000.0])
def test_limits_that_the_system_cannot_count_to(send_any: Once, limit: float) -> None:
    timeout = Timeout(None, connect=limit, read=limit, write=limit, pool=limit)
    with RawServer(answer_with(b"in time")) as server:
        assert send_any(get(server.base), timeout).content == b"in time"


@pytest.mark.parametrize("behave", [drip, flood])
def test_the_total_ends_an_answer_that_never_pauses(send_any: Once, behave: Behave) -> None:
    with RawServer(behave) as server, pytest.raises(RequestTimeout) as caught:
        send_any(get(server.base), Timeout(0.3))
    assert (caught.value.phase, caught.value.limit) == ("total", 0.3)


def test_a_server_that_does_not_take_the_body(send_any: Once) -> None:
    with Deaf(hang) as server, pytest.raises(RequestTimeout) as caught:
        send_any(post(server.base, b"x" * 30_000_000), Timeout(None, read=20.0, write=0.2))
    assert (caught.value.phase, caught.value.limit) == ("write", 0.2)


@pytest.mark.parametrize(
    ("timeout", "phase"), [(Timeout(connect=0.2), "connect"), (Timeout(0.2), "total")]
)
def test_a_connection_that_nobody_accepts(
    send_any: Once, full_backlog: str, timeout: Timeout, phase: str
) -> None:
    with pytest.raises(RequestTimeout) as caught:
        send_any(get(full_backlog), timeout)
    assert (caught.value.phase, caught.value.limit) == (phase, 0.2)


@pytest.mark.parametrize(
    ("timeout", "phase"), [(Timeout(connect=0.2), "connect"), (Timeout(0.2), "total")]
)
def test_a_handshake_that_gets_no_answer(
    send: Once, client_tls: ssl.SSLContext, timeout: Timeout, phase: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(RequestTimeout) as caught:
            send(get(url), timeout, ssl_context=client_tls)
    assert (caught.value.phase, caught.value.limit) == (phase, 0.2)


def test_a_certificate_of_an_unknown_authority(send_any: Once, server_tls: ssl.SSLContext) -> None:
    with RawServer(answer_with(), server_tls) as server:
        strict = ssl.create_default_context()
        with pytest.raises(NetworkError, match=r"certificate is not trusted: .*issuer"):
            send_any(get(server.base), ssl_context=strict)
    assert server.seen.empty()


def test_a_certificate_of_another_host(
    send_any: Once, authority: trustme.CA, client_tls: ssl.SSLContext
) -> None:
    context = context_for(authority, "elsewhere.example")
    with (
        RawServer(answer_with(), context) as server,
        pytest.raises(NetworkError, match=r"certificate is not trusted: .*127\.0\.0\.1"),
    ):
        send_any(get(server.base), ssl_context=client_tls)


def test_plain_http_where_tls_was_wanted(send_any: Once, client_tls: ssl.SSLContext) -> None:
    with Rude(hang) as server, pytest.raises(NetworkError, match="could not connect"):
        send_any(get(server.base.replace("http:", "https:")), ssl_context=client_tls)


@pytest.mark.parametrize("behave", [cut, drip, hang])
def test_the_same_through_tls(
    send: Once, behave: Behave, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    with RawServer(behave, server_tls) as server, pytest.raises(NetworkError):
        send(get(server.base), Timeout(0.3), ssl_context=client_tls)
