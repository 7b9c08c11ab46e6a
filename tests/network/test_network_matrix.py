"""REST and the socket, sync and async: one network front, so that one setting has one meaning."""

from __future__ import annotations

import base64
import os
import socket
import ssl
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import certifi
import pytest

from poolse import PoolseError, Timeout, UsageError
from poolse._network import trust
from tests.http.http_proxy import Proxy
from tests.http.raw_server import Connection, RawServer, ReceivedRequest
from tests.network.four_connections import ACROSS, Way, addressed, dead, failure, reach, serve
from tests.network.socks_proxy import Socks

# ------------------------------------------------------------------------------------------ trust


@ACROSS
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "both", "two directories"])
def test_an_authority_of_the_environment(
    way: Way,
    server: RawServer,
    ca_file: Path,
    ca_directory: Path,
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if variable in ("SSL_CERT_FILE", "both"):
        monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    if variable in ("SSL_CERT_DIR", "both"):
        monkeypatch.setenv("SSL_CERT_DIR", str(ca_directory))
    if variable == "two directories":
        monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path}{os.pathsep}{ca_directory}")
    assert reach(way, server.base) is None


@ACROSS
def test_the_store_of_the_system(
    way: Way, server: RawServer, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = ssl.SSLContext.load_default_certs

    def one_more(context: ssl.SSLContext, purpose: ssl.Purpose) -> None:
        load(context, purpose)
        context.load_verify_locations(ca_file)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", one_more)
    assert reach(way, server.base) is None


@pytest.fixture
def nothing_known_to_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a Python that was built on another system."""

    def nothing(context: ssl.SSLContext, purpose: ssl.Purpose) -> None:
        pass

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", nothing)
    nowhere = ssl.get_default_verify_paths()._replace(cafile="", capath="")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)


@ACROSS
@pytest.mark.parametrize("place", ["of the system", "of certifi"])
@pytest.mark.usefixtures("nothing_known_to_openssl")
def test_a_store_that_openssl_does_not_know(
    way: Way, server: RawServer, ca_file: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = ("/gone", str(ca_file)) if place == "of the system" else ()
    monkeypatch.setattr(trust, "PLACES", places)
    monkeypatch.setattr(certifi, "where", lambda: str(ca_file))
    assert reach(way, server.base) is None


@ACROSS
@pytest.mark.parametrize("platform", ["darwin", "win32"])
@pytest.mark.parametrize("known", [True, False])
def test_macos_and_windows_are_asked_themselves(
    way: Way,
    server: RawServer,
    ca_file: Path,
    platform: str,
    known: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By truststore, as far as it can be tried elsewhere: there it asks OpenSSL after all."""
    real = trust.of_the_system

    def there(_: str) -> ssl.SSLContext:
        return real(platform)

    def ours(context: ssl.SSLContext) -> None:
        context.load_verify_locations(ca_file)

    monkeypatch.setattr(trust, "of_the_system", there)
    if known:
        monkeypatch.setattr(ssl.SSLContext, "set_default_verify_paths", ours)
    error = reach(way, server.base)
    assert (error is None) is known
    assert known or "is not trusted" in str(error)


@ACROSS
def test_an_authority_that_nobody_knows(way: Way, server: RawServer) -> None:
    assert "certificate is not trusted: " in str(failure(way, server.base))


@ACROSS
def test_the_environment_stands_for_the_system(
    way: Way, server: RawServer, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who names authorities trusts these, and no others."""

    def only_ours(context: ssl.SSLContext, purpose: ssl.Purpose) -> None:
        context.load_verify_locations(ca_file)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", only_ours)
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert "certificate is not trusted: " in str(failure(way, server.base))


def gone(folder: Path) -> Path:
    return folder / "gone.pem"


def no_pem(folder: Path) -> Path:
    (folder / "text.pem").write_text("hello")
    return folder / "text.pem"


def empty(folder: Path) -> Path:
    (folder / "empty.pem").touch()
    return folder / "empty.pem"


def loop(folder: Path) -> Path:
    """What nobody can read, root neither."""
    (folder / "loop.pem").symlink_to(folder / "loop.pem")
    return folder / "loop.pem"


def no_hashes(folder: Path) -> Path:
    no_pem(folder)
    return folder


BROKEN: list[tuple[str, Callable[[Path], Path], str]] = [
    ("SSL_CERT_FILE", gone, "No such file or directory"),
    ("SSL_CERT_FILE", no_pem, "no certificate in PEM format"),
    ("SSL_CERT_FILE", empty, "no certificate in PEM format"),
    ("SSL_CERT_FILE", no_hashes, "Is a directory"),
    ("SSL_CERT_FILE", loop, "Too many levels of symbolic links"),
    ("SSL_CERT_DIR", gone, "No such file or directory"),
    ("SSL_CERT_DIR", no_pem, "Not a directory"),
    ("SSL_CERT_DIR", no_hashes, "no certificate under a hashed name"),
    ("SSL_CERT_DIR", loop, "Too many levels of symbolic links"),
]


@ACROSS
@pytest.mark.parametrize(("variable", "make", "reason"), BROKEN)
def test_a_variable_that_is_of_no_use_is_named(
    way: Way,
    server: RawServer,
    variable: str,
    make: Callable[[Path], Path],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = make(tmp_path)
    monkeypatch.setenv(variable, str(path))
    error = failure(way, server.base)
    assert isinstance(error, UsageError) or getattr(error, "final", False)
    assert f"the {variable} environment variable" in str(error)
    assert str(path) in str(error)
    assert reason in str(error)


@ACROSS
def test_a_context_of_ones_own_is_all_that_counts(
    way: Way, server: RawServer, trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/gone.pem")
    assert reach(way, server.base, ssl_context=trusted) is None


# ------------------------------------------------------------------------------ names, addresses


@ACROSS
@pytest.mark.parametrize("kind", ["direct", "http", "https", "socks5"])
def test_a_dot_at_the_end_of_a_name(
    way: Way,
    kind: str,
    server: RawServer,
    server_tls: ssl.SSLContext,
    trusted: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It keeps the resolver from trying search domains, and is no part of the name in TLS."""
    asked = addressed(monkeypatch, "api.corp.", "127.0.0.1")
    addressed(monkeypatch, "api.corp", "127.0.0.1")  # SOCKS has no use for the dot
    wanted: list[str | None] = []
    server_tls.sni_callback = lambda _, name, __: wanted.append(name)
    with ExitStack() as stack:
        options = proxied(stack, kind, server_tls)
        url = f"https://api.corp.:{server.port}"
        assert reach(way, url, ssl_context=trusted, **options) is None
    server_tls.sni_callback = None
    assert wanted[-1] == "api.corp"
    # As browsers do.
    assert server.seen.get_nowait().headers["host"] == f"api.corp.:{server.port}"
    assert kind != "direct" or "api.corp." in asked


@ACROSS
@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("kind", ["direct", "http", "https", "socks5"])
def test_an_ipv6_address(
    way: Way, secure: bool, kind: str, server_tls: ssl.SSLContext, trusted: ssl.SSLContext
) -> None:
    with serve(server_tls if secure else None, "::1") as server, ExitStack() as stack:
        options = proxied(stack, kind, server_tls)
        assert reach(way, server.base, ssl_context=trusted, **options) is None
    assert server.seen.get_nowait().headers["host"] == f"[::1]:{server.port}"


@ACROSS
@pytest.mark.parametrize("first", ["127.0.0.2", "::1"])
@pytest.mark.parametrize("of", ["server", "proxy"])
def test_the_second_address_of_a_host(
    way: Way, first: str, of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one swallows what is sent to it."""
    addressed(monkeypatch, "api.corp", first, "127.0.0.1")
    with serve() as server, Proxy() as proxy:
        port = server.port if of == "server" else proxy.port
        url = f"http://api.corp:{port}" if of == "server" else server.base
        options = {} if of == "server" else {"proxy": f"http://api.corp:{port}"}
        with dead(first, port):
            assert reach(way, url, timeout=Timeout(20.0, connect=2.0), **options) is None


@ACROSS
def test_no_address_answers(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    addressed(monkeypatch, "api.corp", "127.0.0.2", "127.0.0.3")
    with serve() as server, dead("127.0.0.2", server.port), dead("127.0.0.3", server.port):
        url = f"http://api.corp:{server.port}"
        error = failure(way, url, timeout=Timeout(20.0, connect=0.4))
    assert "within 0.4 s" in str(error)


# ---------------------------------------------------------------------------------------- proxies

PLAIN = b"us er:p@ss"
BEYOND = "jürgen:€100".encode()


def basic(credentials: bytes) -> str:
    return f"Basic {base64.b64encode(credentials).decode()}"


def proxied(stack: ExitStack, kind: str, context: ssl.SSLContext) -> dict[str, Any]:
    """A proxy of this kind, as the option of a client."""
    if kind == "direct":
        return {}
    proxy = (
        Socks() if kind.startswith("socks") else Proxy(context=context if kind == "https" else None)
    )
    stack.enter_context(proxy)
    return {"proxy": f"{kind}://127.0.0.1:{proxy.port}"}


@ACROSS
@pytest.mark.parametrize("kind", ["http", "https", "socks5", "socks5h"])
@pytest.mark.parametrize("secure", [True, False])
def test_every_kind_of_proxy(
    way: Way, kind: str, secure: bool, server_tls: ssl.SSLContext, trusted: ssl.SSLContext
) -> None:
    with serve(server_tls if secure else None) as server, ExitStack() as stack:
        options = proxied(stack, kind, server_tls)
        assert reach(way, server.base, ssl_context=trusted, **options) is None
        assert server.seen.qsize() == 1


@ACROSS
@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("scheme", ["http://", ""])
@pytest.mark.parametrize("variable", ["{}_PROXY", "ALL_PROXY"])
def test_the_proxy_of_the_environment(
    way: Way,
    secure: bool,
    scheme: str,
    variable: str,
    server_tls: ssl.SSLContext,
    trusted: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve(server_tls if secure else None) as server, Proxy() as proxy:
        name = variable.format("HTTPS" if secure else "HTTP")
        monkeypatch.setenv(name, f"{scheme}127.0.0.1:{proxy.port}")
        assert reach(way, server.base, ssl_context=trusted) is None
        assert proxy.seen.qsize() == 1


@ACROSS
@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:{port}", True),
        ("127.0.0.1:1", False),
        ("127.0.0.0/8", True),
        ("10.0.0.0/8, 127.0.0.0/24", True),
        ("10.0.0.0/8", False),
        ("*", True),
        ("localhost", False),
    ],
)
def test_what_no_proxy_excludes(
    way: Way, no_proxy: str, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve() as server, Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base)
        monkeypatch.setenv("NO_PROXY", no_proxy.format(port=server.port))
        assert reach(way, server.base) is None
        assert proxy.seen.empty() is direct


@ACROSS
def test_the_proxy_that_was_given_is_excluded_by_nothing(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve() as server, Proxy() as proxy:
        monkeypatch.setenv("NO_PROXY", "*")
        assert reach(way, server.base, proxy=proxy.base) is None
        assert not proxy.seen.empty()


@ACROSS
@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("tls_to_proxy", [True, False])
@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("us%20er:p%40ss", PLAIN),
        ("j%C3%BCrgen:%E2%82%AC100", BEYOND),
        ("ann", b"ann:"),
        ("%E4:%FF", b"\xe4:\xff"),
    ],
)
def test_credentials_are_sent_in_utf8(
    way: Way,
    secure: bool,
    tls_to_proxy: bool,
    written: str,
    sent: bytes,
    server_tls: ssl.SSLContext,
    trusted: ssl.SSLContext,
) -> None:
    """Bytes of another encoding arrive as they are."""
    with (
        serve(server_tls if secure else None) as server,
        Proxy(credentials=basic(sent), context=server_tls if tls_to_proxy else None) as proxy,
    ):
        url = proxy.base.replace("://", f"://{written}@")
        assert reach(way, server.base, proxy=url, ssl_context=trusted) is None
        seen = server.seen.get_nowait().headers
        assert secure is ("proxy-authorization" not in seen) or way.is_socket


@ACROSS
@pytest.mark.parametrize("credentials", [PLAIN, BEYOND])
def test_credentials_for_socks(way: Way, credentials: bytes) -> None:
    user, _, password = credentials.partition(b":")
    written = "us%20er:p%40ss" if credentials == PLAIN else "j%C3%BCrgen:%E2%82%AC100"
    with serve() as server, Socks(credentials=(user, password)) as proxy:
        assert reach(way, server.base, proxy=f"socks5://{written}@127.0.0.1:{proxy.port}") is None


@ACROSS
def test_credentials_of_the_environment_need_no_escapes(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve() as server, Proxy(credentials=basic(BEYOND)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"jürgen:€100@127.0.0.1:{proxy.port}")
        assert reach(way, server.base) is None


REFUSALS = [
    (b"HTTP/1.1 407 Give me money\r\n\r\n", "407 Proxy Authentication Required"),
    (b"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nhush", "403 Forbidden"),
    (b"HTTP/1.1 502 Bad\r\n\r\n", "502 Bad Gateway"),
    (b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\n\r\n", "302 Found"),
    (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "its response is not HTTP"),
    (b"HTTP/1.1 yes\r\n\r\n", "its response is not HTTP"),
]


@ACROSS
@pytest.mark.parametrize(("answer", "words"), REFUSALS)
@pytest.mark.parametrize("tls_to_proxy", [True, False])
def test_a_proxy_that_refuses(
    way: Way,
    answer: bytes,
    words: str,
    tls_to_proxy: bool,
    server: RawServer,
    server_tls: ssl.SSLContext,
    trusted: ssl.SSLContext,
) -> None:
    with Proxy(context=server_tls if tls_to_proxy else None) as proxy:
        proxy.refusal = answer
        error = failure(way, server.base, proxy=proxy.base, ssl_context=trusted)
    assert f"the proxy refused to connect: {words}" in str(error)
    assert "hush" not in str(error)
    assert server.seen.empty()


@ACROSS
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nX: y\r\n"])
@pytest.mark.parametrize("tls_to_proxy", [True, False])
def test_a_proxy_that_hangs_up(
    way: Way,
    said: bytes,
    tls_to_proxy: bool,
    server: RawServer,
    server_tls: ssl.SSLContext,
    trusted: ssl.SSLContext,
) -> None:
    def hang_up(connection: Connection, _: ReceivedRequest) -> None:
        connection.send(said)
        connection.drop()

    with RawServer(hang_up, server_tls if tls_to_proxy else None) as proxy:
        error = failure(way, server.base, proxy=proxy.base, ssl_context=trusted)
    assert "the proxy refused to connect: it closed the connection" in str(error)


@ACROSS
@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ({"reply": 5}, "connection refused"),
        ({"reply": 2}, "not allowed by its rules"),
        ({"reply": 99}, "reply 99"),
        ({"credentials": (b"a", b"b")}, "it requires user and password"),
    ],
)
def test_a_socks_proxy_that_refuses(way: Way, proxy: dict[str, Any], words: str) -> None:
    with serve() as server, Socks(**proxy) as socks:
        error = failure(way, server.base, proxy=f"socks5://127.0.0.1:{socks.port}")
    assert f"the proxy refused to connect: {words}" in str(error)


def shown(error: BaseException | None) -> str:
    """All that tools print of an error, local variables included, but those of the tests."""
    if error is None:
        return ""
    frames = traceback.StackSummary.extract(
        traceback.walk_tb(error.__traceback__), capture_locals=True
    )
    own = [str(frame.locals) for frame in frames if "/tests/" not in frame.filename]
    return "\n".join(
        [*own, repr(error), str(error), shown(error.__cause__), shown(error.__context__)]
    )


@ACROSS
@pytest.mark.parametrize("kind", ["refuses", "is not there", "is none", "speaks SOCKS"])
@pytest.mark.parametrize("secret", ["s3cret", "%E2%82%AC-s3cret"])
def test_no_secret_of_a_proxy_is_shown(
    way: Way,
    kind: str,
    secret: str,
    server: RawServer,
    trusted: ssl.SSLContext,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    with Proxy(credentials=basic(PLAIN)) as proxy, socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1] if kind == "is not there" else proxy.port
        unused.close()
        scheme = "socks5" if kind == "speaks SOCKS" else "http"
        host = "no host" if kind == "is none" else f"127.0.0.1:{port}"
        error: PoolseError | None
        try:
            url = f"{scheme}://s3cret-user:{secret}@{host}"
            timeout = Timeout(20.0, connect=0.5)  # an HTTP proxy waits for the rest of SOCKS
            error = reach(way, server.base, proxy=url, ssl_context=trusted, timeout=timeout)
        except UsageError as refusal:
            error = refusal
    assert error is not None
    assert "s3cret" not in shown(error)
    assert "s3cret" not in caplog.text


@ACROSS
@pytest.mark.parametrize("url", ["ftp://me:s3cret@proxy:1", "http://", "http://me:s3cret@proxy:x"])
def test_a_proxy_of_the_environment_that_is_none(
    way: Way, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve() as server:
        monkeypatch.setenv("HTTP_PROXY", url)
        error = failure(way, server.base)
    assert isinstance(error, UsageError) or getattr(error, "final", False)
    assert "HTTP_PROXY" in str(error)
    assert "s3cret" not in shown(error)
