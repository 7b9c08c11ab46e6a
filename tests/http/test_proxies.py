"""Calls through a proxy, named by the caller or by the environment."""

from __future__ import annotations

import base64
import socket
import ssl
import traceback
from urllib.parse import urlsplit

import pytest

from poolse._network.proxies import Proxies
from poolse.errors import NetworkError, UsageError
from poolse.options import Timeout
from tests.http.http_proxy import Proxy
from tests.http.raw_server import Connection, RawServer, ReceivedRequest, answer_with
from tests.http.sync_and_async_senders import Once, get, in_thread, post

TARGET = "/v1/%2E%2E/x?a=%2F&b=it's"
BASIC = "Basic " + base64.b64encode(b"us er:p@ss").decode()


@pytest.mark.parametrize("tls_to_proxy", [False, True])
def test_http_is_forwarded(
    send: Once, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, tls_to_proxy: bool
) -> None:
    with (
        RawServer(answer_with(b"through")) as server,
        Proxy(context=server_tls if tls_to_proxy else None) as proxy,
    ):
        request = get(server.base + TARGET)
        assert send(request, proxy=proxy.base, ssl_context=client_tls).content == b"through"
    assert proxy.seen.get_nowait().line == f"GET {server.base}{TARGET} HTTP/1.1"
    assert server.seen.get_nowait().line == f"GET {TARGET} HTTP/1.1"


@pytest.mark.parametrize("tls_to_proxy", [False, True])
def test_https_is_tunnelled(
    send: Once, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, tls_to_proxy: bool
) -> None:
    with (
        RawServer(answer_with(b"z" * 200_000), server_tls) as server,
        Proxy(context=server_tls if tls_to_proxy else None) as proxy,
    ):
        request = post(server.base + TARGET, b"y" * 200_000)
        answer = send(request, proxy=proxy.base, ssl_context=client_tls)
    assert answer.content == b"z" * 200_000
    assert proxy.seen.get_nowait().line == f"CONNECT 127.0.0.1:{server.port} HTTP/1.1"
    seen = server.seen.get_nowait()
    assert (seen.line, seen.body) == (f"POST {TARGET} HTTP/1.1", b"y" * 200_000)


@pytest.mark.parametrize("secure", [False, True])
def test_credentials_go_to_the_proxy_only(
    send: Once, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, secure: bool
) -> None:
    with (
        RawServer(answer_with(b"in"), server_tls if secure else None) as server,
        Proxy(credentials=BASIC) as proxy,
    ):
        url = f"http://us%20er:p%40ss@127.0.0.1:{proxy.port}"
        assert send(get(server.base), proxy=url, ssl_context=client_tls).content == b"in"
        assert ("proxy-authorization" in server.seen.get_nowait().headers) is (not secure)


def test_a_proxy_that_wants_credentials(
    send: Once, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    with RawServer(answer_with(), server_tls) as server, Proxy(credentials=BASIC) as proxy:
        with pytest.raises(NetworkError, match="the proxy refused to connect: 407 Proxy Auth"):
            send(get(server.base), proxy=proxy.base, ssl_context=client_tls)
        assert server.seen.empty()


def test_a_proxy_that_is_not_there(send: Once) -> None:
    with Proxy() as proxy:
        pass
    with pytest.raises(NetworkError, match="could not connect: Connection refused") as caught:
        send(get("http://nowhere.invalid/"), proxy=f"http://me:s3cret@127.0.0.1:{proxy.port}")
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in f"{error} {error!r}"
        error = error.__cause__


def locals_of(error: BaseException | None) -> str:
    """The local variables of all frames of an error but those of the tests."""
    if error is None:
        return ""
    found = traceback.StackSummary.extract(
        traceback.walk_tb(error.__traceback__), capture_locals=True
    )
    own = [str(frame.locals) for frame in found if "/tests/" not in frame.filename]
    return "\n".join([*own, locals_of(error.__cause__), locals_of(error.__context__)])


@pytest.mark.parametrize("there", [True, False])
def test_no_frame_of_an_error_shows_the_password(
    send: Once, there: bool, client_tls: ssl.SSLContext
) -> None:
    with Proxy(credentials=BASIC) as proxy, socket.create_server(("127.0.0.1", 0)) as unused:
        port = proxy.port if there else unused.getsockname()[1]
        unused.close()
        url = f"http://me:s3cret@127.0.0.1:{port}"
        with pytest.raises(NetworkError) as caught:
            send(get("https://nowhere.invalid/"), proxy=url, ssl_context=client_tls)
    assert "s3cret" not in locals_of(caught.value)


def test_the_total_holds_in_a_tunnel_too(
    send: Once, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    def hang(connection: Connection, _: ReceivedRequest) -> None:
        connection.hang()

    with RawServer(hang, server_tls) as server, Proxy() as proxy:
        call = in_thread(
            lambda: send(get(server.base), Timeout(0.3), proxy=proxy.base, ssl_context=client_tls)
        )
        assert isinstance(call.outcome(), TimeoutError)


def test_those_of_the_environment(
    send_any: Once,
    monkeypatch: pytest.MonkeyPatch,
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
) -> None:
    with (
        RawServer(answer_with(b"plain")) as plain,
        RawServer(answer_with(b"secure"), server_tls) as secure,
        Proxy() as proxy,
    ):
        monkeypatch.setenv("HTTP_PROXY", proxy.base)
        monkeypatch.setenv("HTTPS_PROXY", proxy.base.removeprefix("http://"))
        assert send_any(get(plain.base)).content == b"plain"
        assert send_any(get(secure.base), ssl_context=client_tls).content == b"secure"
        lines = [proxy.seen.get_nowait().line.split()[0] for _ in range(2)]
        assert lines == ["GET", "CONNECT"]
        monkeypatch.setenv("NO_PROXY", "example.org, 127.0.0.1")
        assert send_any(get(plain.base)).content == b"plain"
        assert proxy.seen.empty()


def find(url: str, proxy: str | None = None) -> str | None:
    parts = urlsplit(url)
    found = Proxies(proxy).of(parts.scheme, parts.hostname or "", parts.port)
    return None if found is None else found.url


def test_which_proxy_the_environment_means(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find("http://a.example") is None
    monkeypatch.setenv("ALL_PROXY", "http://all:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://secure:2")
    monkeypatch.setenv("NO_PROXY", ".inside.example,port.example:8000,10.0.0.1")
    assert find("http://a.example") == "http://all:1"
    assert find("https://a.example") == "http://secure:2"
    assert find("https://x.inside.example") is None
    assert find("https://outside.example") == "http://secure:2"
    assert find("https://port.example:8000") is None
    assert find("https://port.example:9000") == "http://secure:2"
    assert find("http://10.0.0.1") is None
    assert find("http://10.0.0.1", "http://given:3") == "http://given:3"
    monkeypatch.setenv("NO_PROXY", "*")
    assert find("http://a.example") is None


@pytest.mark.parametrize("url", ["ftp://proxy:1", "proxy", "127.0.0.1:8080"])
def test_what_is_no_proxy_is_the_callers_mistake(url: str) -> None:
    with pytest.raises(UsageError, match="proxy"):
        Proxies(url)
