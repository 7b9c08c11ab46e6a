"""Where the API is, where its socket is, and what stands in between, as the caller said it.

No message repeats a URL: it may hold a password.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from poolse._support.argument_checks import checked_text
from poolse._support.secret import hidden
from poolse.errors import UsageError

__all__ = [
    "DEFAULT_PORTS",
    "ServerAddress",
    "address_of",
    "api_url_from",
    "check_place",
    "check_proxy",
    "socket_url",
    "split",
]

DEFAULT_PORTS: Final[Mapping[str, int]] = {
    "http": 80,
    "https": 443,
    "socks5": 1080,
    "socks5h": 1080,
    "ws": 80,
    "wss": 443,
}
SOCKET_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
PROXY_SCHEMES: Final = ("http", "https", "socks5", "socks5h")

ABSOLUTE: Final = re.compile(r"(?=[!-~]+\Z)(https?://([^/?#@]+))([/?][^#]*)?")
ASCII_ONLY: Final = "are not ASCII: percent-encode those of a path, write a host as xn--..."
PRINTABLE: Final = re.compile(r"[!-~]*")
HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?")


def api_url_from(argument: object, environment: str | None, hosted: str) -> str:
    """Return the API's base URL: the argument, else POOLSE_API_URL, else that of the hosted API."""
    name = "api_url" if argument is not None else "POOLSE_API_URL"
    given = argument if argument is not None else environment or hosted
    scheme, rest = _base(name, given)
    if scheme not in ("http", "https"):
        raise UsageError(f"{name} must start with http:// or https://")
    return f"{scheme}://{rest}"


def socket_url(ws_url: object, api_url: str, socket_path: object) -> str:
    """Return the ws:// or wss:// URL of the Phoenix socket."""
    scheme, rest = _base("ws_url", api_url if ws_url is None else ws_url)
    if scheme not in SOCKET_SCHEMES:
        raise UsageError("ws_url must start with ws:// or wss://")
    path = checked_text("socket_path", socket_path)
    if not PRINTABLE.fullmatch(path) or "?" in path or "#" in path:
        raise UsageError("socket_path must be a path, percent-encoded, such as /socket")
    return f"{SOCKET_SCHEMES[scheme]}://{rest}/{path.strip('/')}"


def check_proxy(url: object) -> None:
    """Refuse what cannot be the URL of a proxy."""
    text = checked_text("proxy", url)
    if "://" not in text or text.partition("://")[0].lower() not in PROXY_SCHEMES:
        raise UsageError("the URL of a proxy starts with http, https, socks5 or socks5h")
    # Without the credentials, which may be anything.
    _check_host("the URL of a proxy", text.partition("://")[2].rpartition("@")[2].partition("/")[0])


def split(url: str) -> tuple[str, str, str]:
    """Origin, host, and what is asked of it.

    Raises:
        UsageError: It is no URL that a request can be sent to.
    """
    match = ABSOLUTE.fullmatch(url)
    if match is None:
        raise UsageError("a URL must be absolute, percent-encoded, and without credentials")
    origin, host, target = match.groups()
    if target is None or target.startswith("?"):
        target = f"/{target or ''}"
    return origin, host, target


class ServerAddress(NamedTuple):
    """What an origin such as `https://api.poolse.dev` says."""

    scheme: str
    host: str
    """In lower case, an IPv6 address without brackets."""
    port: int
    netloc: str
    """Host, and port unless it is that of the scheme, as in the Host header."""


def address_of(origin: str) -> ServerAddress:
    """Return the address of a server.

    Raises:
        UsageError: The origin names no host.
    """
    scheme, _, place = origin.lower().partition("://")
    host, given = _check_host("a URL", place)
    default = DEFAULT_PORTS[scheme]
    port = int(given or default)
    netloc = host if port == default else f"{host}:{port}"
    return ServerAddress(scheme, host.strip("[]"), port, netloc)


def check_place(url: str) -> None:
    """Refuse what a server names as a place, and is none."""
    _check_host("a URL", split(url)[1])


def _base(name: str, given: object) -> tuple[str, str]:
    """Scheme, and the rest without a slash at its end."""
    url = hidden(checked_text(name, given).rstrip("/"))
    # Before its parts are among the local variables, which some tools print.
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise UsageError(f"{name} must have no user and password in it")
    if not url:
        raise UsageError(f"{name} is empty: leave it out, or pass a URL")
    if not PRINTABLE.fullmatch(url):
        raise UsageError(f"{name} has blanks in it, or characters that {ASCII_ONLY}")
    scheme, separator, rest = url.partition("://")
    if not separator:
        start = "ws:// or wss://" if name == "ws_url" else "http:// or https://"
        raise UsageError(f"{name} must start with {start}, and name a host")
    if "?" in rest or "#" in rest:
        raise UsageError(f"{name} must have no query and no fragment")
    host, _, path = rest.partition("/")
    _check_host(name, host)
    if path.split("/")[-1] == "v1":
        why = "no socket is below it" if name == "ws_url" else "it is part of each call's path"
        raise UsageError(f"leave /v1 out of {name}: {why}")
    return scheme.lower(), rest


def _check_host(name: str, place: str) -> tuple[str, str | None]:
    """Return the host and the port that are named."""
    match = HOST.fullmatch(place)
    if match is None or (match[2] is not None and not 0 < int(match[2]) < 65_536):
        raise UsageError(f"{name} must name a host, and if a port then one from 1 to 65535")
    return match[1], match[2]
