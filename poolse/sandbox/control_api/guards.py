"""Who may reach control and its page: programs on this machine, and the page itself.

A web page of another origin could otherwise use the developer's browser to read tokens. It can
neither change its Origin nor, after DNS rebinding, the Host that its name stands for.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.uvicorn_protocols import HttpConnection

__all__ = ["ControlSettings", "check_content_type", "check_visitor"]

_OWN_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_HOST: Final = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[^\[\]:@/?#]+))(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class ControlSettings:
    """Settings of control."""

    host: str
    """Name or address that the sandbox listens on."""
    control_hosts: tuple[str, ...]
    """Names under which peers of every address may reach control."""
    ca_file: Path | None
    """Certificate authority of this run; None without TLS."""
    reset: Callable[[HttpConnection], Awaitable[None]]
    """Restarts the sandbox, but for the connection that the request came on."""


def check_visitor(scope: Scope, settings: ControlSettings) -> None:
    """Refuse a request of somebody else.

    Raises:
        ApiRefusal: 403, with what to do.
    """
    headers = Headers(scope=scope)
    host = headers.get("host", "").lower()
    name = _name_of(host)
    invited = name in {each.lower() for each in settings.control_hosts}
    if not invited and name not in {*_OWN_NAMES, settings.host.lower()}:
        raise _refusal(f"the Host {host!r} is not a name of the sandbox", name)
    if not invited and not _is_loopback(scope["client"]):
        raise _refusal("it is open to this machine only", name)
    origin = headers.get("origin")
    if origin is not None and origin.lower().partition("://")[2] != host:
        raise ApiRefusal(
            "forbidden", f"pages of other origins may not use it, and this one is of {origin!r}"
        )


def check_content_type(scope: Scope) -> None:
    """Refuse a body that a form of another page could send.

    Raises:
        ApiRefusal: 415.
    """
    content_type = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise ApiRefusal("unsupported_media_type", "the body has to be application/json")


def _name_of(host: str) -> str:
    """Return the name in a Host header; empty if it is malformed."""
    match = _HOST.fullmatch(host)
    return "" if match is None else match["v6"] or match["name"]


def _is_loopback(client: Collection[object] | None) -> bool:
    if not client:
        return False
    try:
        address = ip_address(str(next(iter(client))).partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def _refusal(what: str, name: str) -> ApiRefusal:
    shown = name or "NAME"
    message = (
        f"control of the sandbox is closed here: {what}. Use http://localhost on its machine, or "
        f"start it with --control-host {shown} or Sandbox(control_hosts=[{shown!r}])"
    )
    return ApiRefusal("forbidden", message)
