"""What both bodies say when they knock, and what they make of not being let in."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from poolse._realtime.effects import Failure
from poolse._realtime.frames import VSN
from poolse.errors import PoolseError

__all__ = ["choose_proxy", "failure_of", "refused", "socket_url", "token_failure"]

_SCHEMES: Final[Mapping[str, str]] = {"http": "ws", "https": "wss"}


def socket_url(url: str, token: str | None) -> str:
    """The URL of the handshake. It carries the token: never show or log it."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if not path.endswith("/websocket"):
        path += "/websocket"
    query = [parts.query] if parts.query else []
    if token is not None:
        query.append(f"token={quote(token, safe='')}")
    query.append(f"vsn={VSN}")
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, path, "&".join(query), ""))


def choose_proxy(url: str, given: str | None, environment: Mapping[str, str]) -> str | None:
    """The proxy for a socket: the one given, else the environment's for this kind of URL."""
    if given is not None:
        return given
    secure = urlsplit(url).scheme in ("wss", "https")
    names = ("wss", "https", "all") if secure else ("ws", "http", "all")
    return next((environment[name] for name in names if environment.get(name)), None)


def refused(status: int, retry_after: float) -> Failure:
    """The handshake was answered, but not with an open socket."""
    return Failure(
        reason=f"the handshake was answered with HTTP {status}",
        status=status,
        retry_after=retry_after,
    )


def token_failure(error: Exception) -> Failure:
    """No token could be had."""
    return Failure(reason=f"no token: {type(error).__name__}", cause=error)


def failure_of(error: Exception) -> Failure:
    """There was no answer to the handshake, or none that makes sense.

    Texts of other libraries are not passed on: some quote the URL, and the token with it.
    """
    match error:
        case ssl.SSLCertVerificationError():
            reason = f"the server's certificate is not trusted: {error.verify_message}"
            return Failure(reason=reason, final=True, cause=error)
        case TimeoutError():
            return Failure(reason="no answer in time", cause=error)
        case PoolseError():
            return Failure(reason=error.message, final=True)
        case OSError():
            return Failure(reason=error.strerror or type(error).__name__, cause=error)
        case _:
            return Failure(reason=f"no WebSocket handshake: {type(error).__name__}")
