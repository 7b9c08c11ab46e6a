"""Where the API and its socket are, as the caller or the environment says."""

from __future__ import annotations

from typing import Any

import pytest

from poolse import POOLSE_API_URL, ArgumentTypeError, UsageError
from poolse._network import urls
from poolse._network.urls import check_proxy, socket_url


def api_url_from(argument: object, environment: str | None) -> str:
    """Where the API is, as the clients ask for it."""
    return urls.api_url_from(argument, environment, POOLSE_API_URL)


def test_the_argument_wins_over_the_environment_over_the_hosted_api() -> None:
    assert api_url_from("https://argument//", "http://environment/") == "https://argument"
    assert api_url_from(None, "http://environment/") == "http://environment"
    assert api_url_from(None, "") == POOLSE_API_URL
    assert api_url_from(None, None) == POOLSE_API_URL


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("HTTPS://api.test", "https://api.test"),
        ("http://localhost:4000/chat/api/", "http://localhost:4000/chat/api"),
        ("http://[::1]:4000", "http://[::1]:4000"),
        ("https://api.test/v1/proxy", "https://api.test/v1/proxy"),
        ("https://api.test/v10", "https://api.test/v10"),
    ],
)
def test_a_url_may_have_a_port_and_a_path(given: str, meant: str) -> None:
    assert api_url_from(given, None) == meant


WRONG: list[tuple[Any, str]] = [
    ("", "NAME is empty"),
    ("/", "NAME is empty"),
    ("example.com", "NAME must start with"),
    ("localhost:4000", "NAME must start with"),
    ("ftp://example.com", "NAME must start with"),
    ("://example.com", "NAME must start with"),
    ("SCHEME://example.com/v1", "leave /v1 out of NAME"),
    ("SCHEME://example.com/v1/", "leave /v1 out of NAME"),
    ("SCHEME://example.com/api/v1//", "leave /v1 out of NAME"),
    ("SCHEME://ann:s3cret@example.com", "no user and password"),
    ("SCHEME://example.com?a=s3cret", "no query"),
    ("SCHEME://example.com/x#y", "no fragment"),
    ("SCHEME://", "NAME must start with"),
    ("SCHEME:///x", "name a host"),
    ("SCHEME://:80", "name a host"),
    ("SCHEME://example.com:", "port"),
    ("SCHEME://example.com:http", "port"),
    ("SCHEME://example.com:0", "port"),
    ("SCHEME://example.com:65536", "port"),
    ("SCHEME://exa[mple.com", "name a host"),
    ("SCHEME://exa mple.com", "blanks"),
    (" SCHEME://example.com", "blanks"),
    ("SCHEME://example.com\n", "blanks"),
    ("SCHEME://exämple.com", "write a host as xn--"),
    (b"SCHEME://example.com", "NAME must be a str, not bytes"),
    (7, "NAME must be a str, not int"),
]


def ws_url_from(given: object, _: None) -> str:
    return socket_url(given, "https://api.test", "/socket")


@pytest.mark.parametrize(("given", "complaint"), WRONG)
@pytest.mark.parametrize(("name", "scheme"), [("api_url", "https"), ("ws_url", "wss")])
def test_what_is_no_address_is_refused(given: Any, complaint: str, name: str, scheme: str) -> None:
    given = given.replace("SCHEME", scheme) if isinstance(given, str) else given
    judge = api_url_from if name == "api_url" else ws_url_from
    with pytest.raises(UsageError, match=complaint.replace("NAME", name)) as caught:
        judge(given, None)
    assert "s3cret" not in str(caught.value)


def test_an_address_of_the_environment_is_refused_by_its_name() -> None:
    with pytest.raises(UsageError, match="leave /v1 out of POOLSE_API_URL"):
        api_url_from(None, "https://example.com/v1")


@pytest.mark.parametrize(
    ("ws_url", "path", "expected"),
    [
        (None, "/socket", "wss://api.test/socket"),
        ("ws://other:4000/", "socket/", "ws://other:4000/socket"),
        ("HTTP://other", "/a/b", "ws://other/a/b"),
    ],
)
def test_the_socket_is_where_the_api_is_unless_said_otherwise(
    ws_url: str | None, path: str, expected: str
) -> None:
    assert socket_url(ws_url, "https://api.test", path) == expected


@pytest.mark.parametrize("path", [7, None, "/a b", "/a?b", "/a#b", "/ü", "/a\r\nb"])
def test_what_is_no_path_is_refused(path: object) -> None:
    with pytest.raises(UsageError, match="socket_path must be"):
        socket_url(None, "https://api.test", path)


@pytest.mark.parametrize(
    "url",
    [
        "http://proxy",
        "HTTP://proxy:3128/",
        "https://ann:p%40ss@proxy:3128",
        "http://ann:p@ss@proxy",
        "socks5://[::1]:1080",
        "socks5h://proxy",
    ],
)
def test_a_proxy_has_one_of_four_schemes(url: str) -> None:
    check_proxy(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "proxy:3128",
        "ftp://ann:s3cret@proxy",
        "http://",
        "http://ann:s3cret@",
        "http://ann:s3cret@proxy:port",
        "http://ann:s3cret@pro xy",
        "http",
    ],
)
def test_what_is_no_proxy_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(UsageError, match="the URL of a proxy") as caught:
        check_proxy(url)
    assert "s3cret" not in str(caught.value)


def test_a_proxy_is_a_str() -> None:
    with pytest.raises(ArgumentTypeError, match="proxy must be a str, not dict"):
        check_proxy({"http": "http://proxy"})
