"""What both bodies say when they knock, and what they make of not being let in."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from poolse._core.backoff import parse_retry_after
from poolse._core.causes import causes_of, forget_locals
from poolse._realtime.effects import Failure
from poolse._realtime.frames import VSN
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import PoolseError

__all__ = [
    "choose_proxy",
    "failure_of",
    "is_secure",
    "refused",
    "socket_url",
    "token_failure",
]

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


def is_secure(url: str) -> bool:
    """Whether it goes over TLS."""
    return urlsplit(url).scheme in ("wss", "https")


def choose_proxy(
    settings: RealtimeSettings,
    proxies: Callable[[], Mapping[str, str]],
    bypassed: Callable[[str], bool | int | None],
) -> str | None:
    """The proxy to go through: the one set, else the environment's for this kind of URL."""
    if settings.proxy is not None:
        return settings.proxy
    if bypassed(urlsplit(settings.url).hostname or ""):
        return None
    found = proxies()
    names = ("wss", "https", "all") if is_secure(settings.url) else ("ws", "http", "all")
    return next((found[name] for name in names if found.get(name)), None)


def refused(status: int, retry_after: str | None, now: float) -> Failure:
    """The handshake was answered, but not with an open socket.

    Args:
        status: Of the answer.
        retry_after: Its Retry-After header.
        now: Seconds since 1970.
    """
    return Failure(
        reason=f"the handshake was answered with HTTP {status}",
        status=status,
        retry_after=parse_retry_after(retry_after, now),
    )


def token_failure(error: Exception) -> Failure:
    """No token could be had."""
    return Failure(reason=f"no token: {type(error).__name__}", cause=error)


def failure_of(error: Exception) -> Failure:
    """There was no answer to the handshake, or none that makes sense.

    Texts of other libraries are not passed on: some quote the URL, and the token with it. It is
    among their local variables too.
    """
    forget_locals(causes_of(error, None))
    match error:
        case ssl.SSLCertVerificationError():
            reason = f"the server's certificate is not trusted: {error.verify_message}"
            return Failure(reason=reason, final=True, cause=error)
        case TimeoutError():
            return Failure(reason="no answer in time", cause=error)
        case PoolseError():
            return Failure(reason=error.message, final=True)
        case ConnectionRefusedError():
            return Failure(reason="nobody listens there: connection refused", cause=error)
        case OSError():
            return Failure(reason=error.strerror or type(error).__name__, cause=error)
        case _:
            return Failure(reason=f"no WebSocket handshake: {type(error).__name__}")
