"""The handshake of the WebSocket: its URL and headers, and what its failure means."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import attrs

from poolse._network.tunnels import ProxyError
from poolse._network.urls import ServerAddress, address_of
from poolse._observe.traceback_redaction import error_causes, forget_locals
from poolse._realtime.effects import Failure
from poolse._realtime.frames import VSN
from poolse._realtime.settings import RealtimeSettings
from poolse._support.backoff import parse_retry_after
from poolse.errors import PoolseError, UsageError

__all__ = [
    "Address",
    "NotOpened",
    "Parameter",
    "address",
    "failure_of",
    "refused",
    "server_address",
    "socket_url",
    "token_failure",
]

_TIMEOUT: Final = "timeout=Timeout(connect=...) on the client"

_SCHEMES: Final[Mapping[str, str]] = {"http": "ws", "https": "wss"}
_SUBPROTOCOL: Final = "phoenix"
_BEARER: Final = "base64url.bearer.phx."

Parameter = str | int | None | Sequence["Parameter"] | Mapping[str, "Parameter"]
"""What a parameter of the URL may be. None stands for one that is left out."""


class NotOpened(Exception):  # noqa: N818  (carries the reason to the connection)
    """The WebSocket could not be opened."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


@attrs.frozen
class Address:
    """Where to connect, and what to offer there. Both may carry the token: never log either."""

    url: str = attrs.field(repr=False)
    subprotocols: tuple[str, ...] = attrs.field(default=(), repr=False)


def address(settings: RealtimeSettings, token: str | None) -> Address:
    """Return where to connect with this token.

    Raises:
        UsageError: The token cannot be part of a header.
    """
    if settings.policy.token_in_url or token is None:
        return Address(socket_url(settings.url, {"token": token}))
    # Despite its prefix it is the standard alphabet that Phoenix decodes.
    encoded = b64encode(token.encode()).rstrip(b"=").decode()
    if "/" in encoded:
        raise UsageError("this token cannot be sent as a subprotocol: send it in the URL")
    return Address(socket_url(settings.url, {}), (_SUBPROTOCOL, _BEARER + encoded))


def socket_url(url: str, parameters: Mapping[str, Parameter]) -> str:
    """The URL of the handshake: of a mount point, with these parameters and the version."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if not path.endswith("/websocket"):
        path += "/websocket"
    query = [parts.query] if parts.query else []
    query += _pairs(parameters, "")
    query.append(f"vsn={VSN}")
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, path, "&".join(query), ""))


def _pairs(value: Parameter, name: str) -> list[str]:
    """Parameters as Phoenix reads them: `user[id]=1`, `tags[0]=x`."""
    match value:
        case None:
            return []
        case str() | int():
            return [f"{quote(name, safe='')}={quote(str(value), safe='')}"]
        case Mapping():
            items = [(f"{name}[{key}]" if name else key, inner) for key, inner in value.items()]
        case _:
            items = [(f"{name}[{index}]", inner) for index, inner in enumerate(value)]
    return [pair for key, inner in items for pair in _pairs(inner, key)]


def server_address(settings: RealtimeSettings) -> ServerAddress:
    """Return where the server is; its scheme is `ws` or `wss`."""
    parts = urlsplit(settings.url)
    return address_of(f"{_SCHEMES.get(parts.scheme, parts.scheme)}://{parts.netloc}")


def refused(status: int, retry_after: str | None, now: float) -> Failure:
    """The handshake was refused with an HTTP status.

    Args:
        status: HTTP status of the response.
        retry_after: Its Retry-After header.
        now: Seconds since 1970.
    """
    return Failure(
        reason=f"the handshake was refused with HTTP {status}",
        status=status,
        retry_after=parse_retry_after(retry_after, now),
    )


def token_failure(error: BaseException) -> Failure:
    """No token was available."""
    return Failure(reason=f"no token: {type(error).__name__}", cause=error)


def failure_of(error: Exception, limit: float) -> Failure:
    """There was no response to the handshake, or an invalid one.

    Texts of other libraries are not passed on: some quote the URL, and the token with it. It is
    among their local variables too.

    Args:
        error: What was raised.
        limit: Seconds that there were for it.
    """
    forget_locals(error_causes(error, None))
    match error:
        case ssl.SSLCertVerificationError():
            reason = f"the server's certificate is not trusted: {error.verify_message}"
            return Failure(reason=reason, final=True, cause=error)
        case TimeoutError():
            reason = f"no response within {limit:g} s (connect timeout); raise it with {_TIMEOUT}"
            return Failure(reason=reason, cause=error)
        case ProxyError():
            return Failure(reason=f"the proxy refused to connect: {error}", cause=error)
        case PoolseError():
            return Failure(reason=error.message, final=True)
        case ConnectionRefusedError():
            return Failure(reason="connection refused: no server listens there", cause=error)
        case OSError():
            return Failure(reason=error.strerror or type(error).__name__, cause=error)
        case _:
            return Failure(reason=f"no WebSocket handshake: {type(error).__name__}")
