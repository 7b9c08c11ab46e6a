"""What goes out and what comes back when nothing fails."""

from __future__ import annotations

import gzip
import json
import ssl
import zlib

import pytest

from poolse._http.sync_sender import SyncSender
from poolse._rest.request_io import run_sync
from poolse.errors import NetworkError, UsageError
from poolse.options import Timeout
from tests.http.raw_server import Connection, RawServer, ReceivedRequest, answer_with
from tests.http.sync_and_async_senders import Once, get, post

TARGETS = [
    "/v1/conversations/%2E%2E/members",
    "/v1/things/%2e%2e%2f?key=a%2Fb%3D&sign=%2B%20",
    "/plain?a=b&c=",
    "/v1/%E2%82%AC?x=%f0",
]
ODD_TARGETS = ["/a/../b/./c", "/it's?who='me'|you&[0]=^", "?only=query", "//double//slashes"]


@pytest.mark.parametrize("target", TARGETS)
def test_a_url_arrives_byte_for_byte(send_any: Once, target: str) -> None:
    with RawServer(answer_with()) as server:
        send_any(get(server.base + target))
    assert server.seen.get_nowait().line == f"GET {target} HTTP/1.1"


@pytest.mark.parametrize("target", ODD_TARGETS)
def test_our_own_transports_keep_what_httpx_would_normalise(send: Once, target: str) -> None:
    with RawServer(answer_with()) as server:
        send(get(server.base + target))
    line = server.seen.get_nowait().line
    assert line == f"GET {target if target.startswith('/') else '/' + target} HTTP/1.1"


def test_headers_go_out_as_given(send: Once) -> None:
    with RawServer(answer_with()) as server:
        send(get(f"{server.base}/x", [("Authorization", "Bearer t"), ("X-Odd", "a  b;\tc")]))
    assert server.seen.get_nowait().headers == {
        "host": f"127.0.0.1:{server.port}",
        "accept-encoding": "gzip, deflate",
        "authorization": "Bearer t",
        "x-odd": "a  b;\tc",
    }


def test_a_body_goes_out_with_its_length(send_any: Once) -> None:
    with RawServer(answer_with()) as server:
        send_any(post(f"{server.base}/x", b'{"a": 1}'))
        send_any(post(f"{server.base}/x", b"z" * 300_000))
    small, large = server.seen.get_nowait(), server.seen.get_nowait()
    assert (small.body, small.headers["content-length"]) == (b'{"a": 1}', "8")
    assert (large.body, large.headers["content-length"]) == (b"z" * 300_000, "300000")
    assert small.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "404 Not Found", "599 What"])
def test_every_status_is_an_answer(send_any: Once, status: str) -> None:
    with RawServer(answer_with(status=status, fields="X-Request-Id: r1\r\n")) as server:
        answer = send_any(get(f"{server.base}/x"))
    assert answer.status == int(status[:3])
    assert answer.headers["x-request-id"] == "r1"


def test_a_redirect_is_an_answer(send_any: Once) -> None:
    with RawServer(answer_with(status="302 Found", fields="Location: /elsewhere\r\n")) as server:
        answer = send_any(get(f"{server.base}/x"))
    assert (answer.status, answer.headers["location"]) == (302, "/elsewhere")
    assert server.seen.qsize() == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_body_is_unpacked(send_any: Once, encoding: str) -> None:
    body = json.dumps([1, 2, 3]).encode()
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    with RawServer(answer_with(packed, fields=f"Content-Encoding: {encoding}\r\n")) as server:
        assert send_any(get(f"{server.base}/x")).content == body


def test_a_body_that_only_claims_to_be_compressed_is_a_failure(send_any: Once) -> None:
    with (
        RawServer(answer_with(b"plain", fields="Content-Encoding: gzip\r\n")) as server,
        pytest.raises(NetworkError, match="could not be decompressed"),
    ):
        send_any(get(f"{server.base}/x"))


def test_a_chunked_body_is_put_together(send_any: Once) -> None:
    def behave(connection: Connection, _: ReceivedRequest) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.send(b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")

    with RawServer(behave) as server:
        assert send_any(get(f"{server.base}/x")).content == b"abcdefg"


@pytest.mark.parametrize("secure", [False, True])
def test_a_body_may_end_with_the_connection(
    send_any: Once, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, secure: bool
) -> None:
    def behave(connection: Connection, _: ReceivedRequest) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        connection.drop()  # below TLS: without its goodbye

    with RawServer(behave, server_tls if secure else None) as server:
        assert send_any(get(server.base), ssl_context=client_tls).content == b"all of it"


def test_cookies_are_not_kept_and_connections_are() -> None:
    with RawServer(answer_with(fields="Set-Cookie: a=1; Path=/\r\n")) as server:
        sender = SyncSender()
        for _ in range(3):
            run_sync(sender.send(get(f"{server.base}/x"), Timeout(), None))
        sender.close()
    assert server.accepted == 1
    assert all("cookie" not in server.seen.get_nowait().headers for _ in range(3))


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "nul\0", "gr\u00fc\u00df", "\u20ac"])
def test_a_header_that_cannot_be_sent_is_the_callers_mistake(send_any: Once, value: str) -> None:
    with (
        RawServer(answer_with()) as server,
        pytest.raises(ValueError, match="the value of header X-Name") as caught,
    ):
        send_any(get(f"{server.base}/x", [("X-Name", value)]))
    assert not isinstance(caught.value, NetworkError)
    assert value not in str(caught.value)
    assert server.seen.empty()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/x",
        "/relative",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/a\r\nX: y",
        "http://127.0.0.1/x\n",
        "http://me:secret@127.0.0.1/",
        "http://127.0.0.1/x#part",
        "http://",
    ],
)
def test_a_url_that_cannot_be_sent_is_the_callers_mistake(send_any: Once, url: str) -> None:
    with pytest.raises(UsageError, match="a URL must be"):
        send_any(get(url))


def test_https_with_a_context_of_the_callers(
    send_any: Once, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    with RawServer(answer_with(b"ok" * 50_000), server_tls) as server:
        request = post(f"{server.base}/x", b"y" * 100_000)
        assert send_any(request, ssl_context=client_tls).content == b"ok" * 50_000
    assert server.seen.get_nowait().body == b"y" * 100_000


def test_ssl_cert_file_of_the_environment_is_trusted(
    server_tls: ssl.SSLContext, tmp_path_factory: pytest.TempPathFactory, authority: object
) -> None:
    # In a process of its own: the shared context is made once per process.
    import subprocess
    import sys

    import trustme

    assert isinstance(authority, trustme.CA)
    bundle = tmp_path_factory.mktemp("trust") / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    script = (
        "import sys; from tests.http.sync_and_async_senders import FLAVOURS, get; "
        "print([FLAVOURS[name](get(sys.argv[1])).status for name in ('sync', 'async')])"
    )
    with RawServer(answer_with(), server_tls) as server:
        told = subprocess.run(
            [sys.executable, "-c", script, server.base],
            env={"SSL_CERT_FILE": str(bundle)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert told.stdout.strip() == "[200, 200]", told.stderr


def test_a_connection_that_the_server_closed_meanwhile_is_not_used() -> None:
    def behave(connection: Connection, _: ReceivedRequest) -> None:
        connection.answer(b"bye")
        connection.drop()

    with RawServer(behave) as server:
        sender = SyncSender()
        for _ in range(2):
            assert run_sync(sender.send(get(server.base), Timeout(), None)).content == b"bye"
            server.connections_closed.acquire()
        sender.close()
