"""Which proxy, if any, a connection goes through.

Decided here for REST and for the socket, sync and async, so that one setting has one meaning.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

import attrs

from poolse._network.system_proxies import is_bypassed, system_proxies
from poolse._network.urls import DEFAULT_PORTS, check_proxy
from poolse.errors import UsageError

__all__ = ["Proxies", "Proxy", "is_excluded", "parse_proxy", "variable_for"]

_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "http": ("http", "all"),
    "https": ("https", "all"),
    "ws": ("ws", "http", "all"),
    "wss": ("wss", "https", "all"),
}
"""The proxies of the environment that apply to a scheme, the most specific first."""

# With brackets an IPv6 address may have a port, without them it has none.
_ENTRY: Final = re.compile(r"\[(?P<literal>[^\]]*)\](?::(?P<a>\d+))?|(?P<host>[^:]*):(?P<b>\d+)")


@attrs.frozen
class Proxy:
    """A proxy. Hashable, so that connections can be kept by it."""

    scheme: str
    host: str
    """Lower case, an IPv6 address without brackets."""
    port: int
    user: bytes | None = attrs.field(default=None, repr=False)
    password: bytes = attrs.field(default=b"", repr=False)

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS 5, not HTTP."""
        return self.scheme.startswith("socks")

    @property
    def is_secure(self) -> bool:
        """Whether it is reached over TLS."""
        return self.scheme == "https"

    @property
    def authorization(self) -> str | None:
        """The value of Proxy-Authorization: the credentials in UTF-8, as RFC 7617 recommends."""
        if self.user is None:
            return None
        return f"Basic {b64encode(self.user + b':' + self.password).decode()}"

    @property
    def url(self) -> str:
        """Its URL, without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class Proxies:
    """The proxy that was given, for every host; otherwise those of the environment.

    These are HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, or what Windows and macOS have in
    their settings, as they are when this is created.

    Raises:
        UsageError: The URL that was given is not one of a proxy.
    """

    def __init__(self, given: str | None) -> None:
        self._given = None if given is None else parse_proxy(given)
        self._environment: Mapping[str, str] = {} if self._given else system_proxies()
        self._known: dict[tuple[str, str, int | None], Proxy | None] = {}

    def of(self, scheme: str, host: str, port: int | None) -> Proxy | None:
        """Return the proxy to reach a host through, None to connect directly.

        Raises:
            UsageError: The environment names a proxy whose URL cannot be used.
        """
        if self._given or not self._environment:
            return self._given
        target = (scheme, host, port)
        if target not in self._known:
            self._known[target] = _found(self._environment, *target)
        return self._known[target]


def parse_proxy(url: object) -> Proxy:
    """Return the proxy of a URL. No message repeats the URL, which may hold a password.

    Raises:
        UsageError: It is none.
    """
    check_proxy(url)
    scheme, _, rest = str(url).partition("://")
    # Not by `urlsplit`: a password may hold anything, and its errors would quote it.
    credentials, given, place = rest.rpartition("@")
    where = urlsplit(f"//{place.partition('/')[0]}")
    user, _, password = credentials.partition(":")
    return Proxy(
        scheme.lower(),
        where.hostname or "",
        where.port or DEFAULT_PORTS[scheme.lower()],
        _bytes(user) if given else None,
        _bytes(password),
    )


def variable_for(scheme: str, environment: Mapping[str, str]) -> str | None:
    """Return the proxy of the environment for a scheme: `https` for that of HTTPS_PROXY."""
    return next((name for name in _VARIABLES[scheme] if environment.get(name)), None)


def is_excluded(no_proxy: str, host: str, port: int) -> bool:
    """Return whether NO_PROXY names this host.

    Its entries are separated by commas or blanks. Each is `*`, a host with all of its subdomains,
    an IP address, or a network in CIDR notation; a host and an address may have a port. Case, a
    dot before a host and one after it make no difference.
    """
    host = _plain(host)
    return any(_names(entry, host, port) for entry in re.split(r"[,\s]+", no_proxy) if entry)


def _found(
    environment: Mapping[str, str],
    scheme: str,
    host: str,
    port: int | None,
) -> Proxy | None:
    variable = variable_for(scheme, environment)
    actual = port or DEFAULT_PORTS[scheme]
    if variable is None or is_excluded(environment.get("no", ""), host, actual):
        return None
    # The system's own settings, which have rules of their own. Both forms: some name a port.
    if any(is_bypassed(name) for name in (host, f"{host}:{actual}")):
        return None
    url = environment[variable]
    try:
        return parse_proxy(url if "://" in url else f"http://{url}")
    except UsageError as error:
        raise UsageError(f"{variable.upper()}_PROXY cannot be used: {error.message}") from None


def _names(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return _is_in_network(entry, host)
    if match := _ENTRY.fullmatch(entry):
        entry, wanted = match["literal"] or match["host"] or "", match["a"] or match["b"]
        if wanted and int(wanted) != port:
            return False
    name = _plain(entry.removeprefix("*").removeprefix("."))
    return name == host or (bool(name) and host.endswith(f".{name}"))


def _is_in_network(entry: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:  # a name, or no network
        return False


def _plain(host: str) -> str:
    """Return a host in the one form in which it is compared."""
    host = host.lower().rstrip(".")
    try:
        return ip_address(host).compressed
    except ValueError:
        return host


def _bytes(text: str) -> bytes:
    """Return a part of a URL, decoded. Bytes of the environment that are not UTF-8 are kept."""
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape"))
