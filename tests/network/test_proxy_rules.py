"""Which proxy a connection goes through: pure decisions, in tables."""

from __future__ import annotations

import base64
import urllib.request
from collections.abc import Mapping

import pytest

from poolse._network import system_proxies
from poolse._network.proxies import Proxies, Proxy, is_excluded, parse_proxy, variable_for
from poolse.errors import ArgumentTypeError, UsageError


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy", Proxy("http", "proxy", 80)),
        ("HTTP://Proxy:3128/", Proxy("http", "proxy", 3128)),
        ("https://proxy", Proxy("https", "proxy", 443)),
        ("socks5://[::1]", Proxy("socks5", "::1", 1080)),
        ("socks5h://proxy:9", Proxy("socks5h", "proxy", 9)),
        ("http://ann@proxy", Proxy("http", "proxy", 80, b"ann")),
        ("http://ann:@proxy", Proxy("http", "proxy", 80, b"ann")),
        ("http://:key@proxy", Proxy("http", "proxy", 80, b"", b"key")),
        ("http://a%40b:p%3As%2Fs@proxy", Proxy("http", "proxy", 80, b"a@b", b"p:s/s")),
        ("http://ann:p@ss/w?o#r[d@proxy:1", Proxy("http", "proxy", 1, b"ann", b"p@ss/w?o#r[d")),
        ("http://jürgen:€@proxy", Proxy("http", "proxy", 80, "jürgen".encode(), "€".encode())),
        ("http://%E4:\udcff@proxy", Proxy("http", "proxy", 80, b"\xe4", b"\xff")),
    ],
)
def test_the_url_of_a_proxy(url: str, expected: Proxy) -> None:
    assert parse_proxy(url) == expected
    assert hash(parse_proxy(url)) == hash(expected)


@pytest.mark.parametrize(
    "url",
    [
        "proxy",
        "127.0.0.1:8080",
        "ftp://me:s3cret@proxy:1",
        "http://",
        "http://me:s3cret@",
        "http://me:s3cret@proxy:x",
        "http://me:s3cret@proxy:0",
        "http://me:s3cret@pro xy",
        "http://me:s3cret@prüxy",
        "http://me:s3cret@[::1",
        "socks4://me:s3cret@proxy",
    ],
)
def test_what_is_no_proxy_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_proxy(url)
    assert "s3cret" not in f"{caught.value}{caught.value!r}{caught.value.__context__!r}"


def test_a_proxy_is_a_str() -> None:
    with pytest.raises(ArgumentTypeError):
        parse_proxy(b"http://proxy")


def test_what_a_proxy_shows_of_itself() -> None:
    proxy = parse_proxy("https://ann:hush@[fe80::1]:8080")
    assert proxy.url == "https://[fe80::1]:8080"
    assert "hush" not in repr(proxy)
    assert "ann" not in repr(proxy)


def test_credentials_are_utf8() -> None:
    authorization = parse_proxy("http://jürgen:%E2%82%AC@proxy").authorization
    assert authorization == "Basic " + base64.b64encode("jürgen:€".encode()).decode()
    assert parse_proxy("http://proxy").authorization is None


ALL = {"http": "p", "https": "s", "all": "a", "ws": "w", "wss": "x"}


@pytest.mark.parametrize(
    ("scheme", "environment", "expected"),
    [
        ("http", ALL, "http"),
        ("https", ALL, "https"),
        ("ws", ALL, "ws"),
        ("wss", ALL, "wss"),
        ("ws", {"http": "p", "https": "s"}, "http"),
        ("wss", {"http": "p", "https": "s"}, "https"),
        ("http", {"all": "a"}, "all"),
        ("wss", {"all": "a"}, "all"),
        ("https", {"http": "p"}, None),
        ("wss", {"http": "p"}, None),
        ("https", {"https": "", "all": "a"}, "all"),
        ("https", {"no": "x"}, None),
    ],
)
def test_which_variable_counts(
    scheme: str, environment: Mapping[str, str], expected: str | None
) -> None:
    assert variable_for(scheme, environment) == expected


@pytest.mark.parametrize(
    ("no_proxy", "host", "expected"),
    [
        ("", "a.example", False),
        ("*", "a.example", True),
        ("b.example, *", "a.example", True),
        ("a.example", "a.example", True),
        ("a.example", "b.a.example", True),
        (".a.example", "b.a.example", True),
        (".a.example", "a.example", True),
        ("*.a.example", "b.a.example", True),
        ("a.example", "ba.example", False),
        ("A.Example", "a.eXample", True),
        ("a.example.", "a.example", True),
        ("a.example", "a.example.", True),
        ("b.example a.example", "a.example", True),
        ("b.example,\ta.example ,", "a.example", True),
        (",, ,", "a.example", False),
        (".", "a.example", False),
        ("a.example:443", "a.example", True),
        ("a.example:8443", "a.example", False),
        (".example:443", "a.example", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1:443", "10.0.0.1", True),
        ("10.0.0.1:80", "10.0.0.1", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.1.2.3/8", "10.9.9.9", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "ten.example", False),
        ("10.0.0.0/99", "10.1.2.3", False),
        ("a.example/8", "a.example", False),
        ("::1", "::1", True),
        ("[::1]", "::1", True),
        ("[::1]:443", "::1", True),
        ("[::1]:80", "::1", False),
        ("0:0::1", "::1", True),
        ("::1", "0:0:0:0:0:0:0:1", True),
        ("fd00::/8", "fd12::1", True),
        ("[fd00::]/8", "fd12::1", True),
        ("fd00::/8", "fe80::1", False),
        ("fd00::/8", "10.0.0.1", False),
        ("0.0.0.0/0", "::1", False),
    ],
)
def test_what_no_proxy_names(no_proxy: str, host: str, expected: bool) -> None:
    assert is_excluded(no_proxy, host, 443) is expected


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of a system that has no variables, such as macOS and Windows have them."""
    settings: dict[str, str] = {}

    def bypassed(name: str) -> bool:
        return name in ("inside", "inside:8443")

    monkeypatch.setattr(system_proxies, "HAS_SETTINGS", True)
    monkeypatch.setattr(urllib.request, "getproxies", lambda: settings)
    monkeypatch.setattr(urllib.request, "proxy_bypass", bypassed)
    return settings


def test_the_settings_of_the_system(system: dict[str, str]) -> None:
    assert Proxies(None).of("https", "outside", None) is None
    system["https"] = "proxy:3128"
    found = Proxies(None)
    for scheme in ("https", "wss"):
        assert found.of(scheme, "outside", None) == Proxy("http", "proxy", 3128)
        assert found.of(scheme, "inside", 8443) is None
    assert Proxies("http://given").of("https", "inside", 8443) == Proxy("http", "given", 80)


def test_a_variable_that_is_no_proxy_is_named(system: dict[str, str]) -> None:
    system["all"] = "ftp://me:s3cret@proxy"
    with pytest.raises(UsageError, match="ALL_PROXY cannot be used: ") as caught:
        Proxies(None).of("wss", "outside", None)
    assert "s3cret" not in str(caught.value)
