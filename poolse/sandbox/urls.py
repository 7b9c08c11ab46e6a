"""Addresses: where the sandbox listens, and where a client believes it to be."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.requests import Request

__all__ = ["listening_url", "requested_url"]

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (compared with, not bound)
"""Where an address that stands for all interfaces is reached from this machine."""

_PORTS = {"http": "80", "https": "443"}

_FORWARDED = {
    "proto": re.compile("https?", re.IGNORECASE),
    "host": re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE),
    "port": re.compile("[0-9]{1,5}"),
    "prefix": re.compile(r"(/[\w.~%-]+)*/?", re.ASCII),
}
"""What the values of the `X-Forwarded-` headers look like; others are ignored."""


def listening_url(scheme: str, host: str, port: int) -> str:
    """Return the URL of a listening address, as clients on this machine reach it."""
    host = _LOOPBACK.get(host, host)
    if ":" in host:
        host = f"[{host.replace('%', '%25')}]"
    return f"{scheme}://{host}:{port}"


def requested_url(request: Request) -> str:
    """Return the URL that the client sent a request to, without its path and a final slash.

    This is what the Host header names, unless a proxy rewrote it and reports the original address
    in `X-Forwarded-Host`, `-Port`, `-Proto` and `-Prefix`. Anybody may send these headers; they
    only appear in the response to their sender.
    """
    base = request.base_url
    scheme = _forwarded(request.headers, "proto").lower() or base.scheme
    netloc = _forwarded(request.headers, "host")
    port = _forwarded(request.headers, "port")
    if netloc and not re.search(":[0-9]+$", netloc) and port not in {"", _PORTS.get(scheme)}:
        netloc = f"{netloc}:{port}"
    prefix = _forwarded(request.headers, "prefix")
    return f"{scheme}://{netloc or base.netloc}{prefix or base.path}".rstrip("/")


def _forwarded(headers: Mapping[str, str], name: str) -> str:
    """Return what the first proxy reports, empty if there is nothing that makes sense."""
    value = headers.get(f"x-forwarded-{name}", "").partition(",")[0].strip()
    return value if _FORWARDED[name].fullmatch(value) else ""
