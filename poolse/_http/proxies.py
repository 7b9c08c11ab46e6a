"""Which proxy stands between us and a host."""

from __future__ import annotations

from importlib import import_module
from urllib.request import getproxies, proxy_bypass

import httpx

from poolse._core.addresses import check_proxy
from poolse.errors import UsageError

__all__ = ["Proxies"]


class Proxies:
    """The proxy that was given, for every host; else those of the environment.

    These are HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, and what Windows and macOS have in
    their settings, as they are when this is made.

    Raises:
        UsageError: The URL that was given is not one of a proxy.
    """

    def __init__(self, given: str | None) -> None:
        self._known: dict[httpx.URL, httpx.Proxy | None] = {}
        self._given = None if given is None else _proxy(given)
        self._environment = {} if self._given else getproxies()

    def of(self, origin: httpx.URL) -> httpx.Proxy | None:
        """The proxy to reach a host through, None to connect directly."""
        if self._given or not self._environment:
            return self._given
        if origin not in self._known:
            self._known[origin] = self._find(origin)
        return self._known[origin]

    def _find(self, origin: httpx.URL) -> httpx.Proxy | None:
        url = self._environment.get(origin.scheme) or self._environment.get("all")
        # Both forms, since NO_PROXY may name a port.
        names = {origin.host, f"{origin.host}:{origin.port}"}
        if not url or any(proxy_bypass(name) for name in names):
            return None
        return _proxy(url if "://" in url else f"http://{url}")


def _proxy(url: str) -> httpx.Proxy:
    check_proxy(url)
    try:
        proxy = httpx.Proxy(url)
    except (ValueError, httpx.InvalidURL):
        # Not said by whom: their words, and their local variables, have the password in them.
        raise UsageError("the URL of a proxy cannot be understood") from None
    if proxy.url.scheme.startswith("socks"):
        try:
            import_module("socksio")
        except ImportError:
            raise UsageError("a SOCKS proxy needs a further package: pip install socksio") from None
    return proxy
