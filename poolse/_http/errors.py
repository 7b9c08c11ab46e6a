"""Errors of the HTTP libraries as errors of ours, and the limits that both transports share."""

from __future__ import annotations

import os
import socket
import ssl
from typing import Final

from poolse._observe.traceback_redaction import error_causes, forget_locals
from poolse._rest.http_messages import Request
from poolse._rest.request_io import Lifetime, closed_error
from poolse.errors import NetworkError, PoolseError, RequestTimeout, TimeoutPhase, UsageError
from poolse.options import Timeout

__all__ = [
    "IDLE",
    "MAX_CONNECTIONS",
    "MAX_ORIGINS",
    "our_error",
    "phase_limit",
]

MAX_CONNECTIONS: Final = 100
"""Connections of a client to all hosts together."""

MAX_ORIGINS: Final = 64
"""Servers that a client remembers, with the proxy to each."""

IDLE: Final = 30.0
"""Seconds that an unused connection is kept; common servers and gateways close theirs after 60."""

# By name, because httpx, httpcore and their successors httpx2 and httpcore2 share these names,
# and any of them may be at work under a client that was passed in.
LIBRARIES: Final = ("httpx", "httpcore", "httpx2", "httpcore2", "zlib")

TIMEOUTS: Final[dict[str, TimeoutPhase]] = {
    "ConnectTimeout": "connect",
    "PoolTimeout": "pool",
    "ReadTimeout": "read",
    "TimeoutException": "read",
    "WriteTimeout": "write",
}

CANNOT_DECOMPRESS: Final = "the body of the response could not be decompressed"

FAILURES: Final = {
    "ConnectError": "could not connect",
    "DecodingError": CANNOT_DECOMPRESS,
    "error": CANNOT_DECOMPRESS,  # zlib's
    "NetworkError": "the connection failed",
    "ProtocolError": "the response was truncated, or is not HTTP",
    "ProxyError": "the proxy refused to connect",
    "ReadError": "the connection was lost while waiting for the response",
    "RequestError": "the request failed",
    "TooManyRedirects": "too many redirects",
    "WriteError": "the connection was lost while sending",
}

REFUSALS: Final = {
    "InvalidURL": "the URL cannot be used",
    "LocalProtocolError": "the request cannot be sent as HTTP",
    "UnsupportedProtocol": "the URL is neither http nor https",
}


def our_error(
    error: BaseException,
    before: BaseException | None,
    request: Request,
    timeout: Timeout,
    lifetime: Lifetime,
) -> PoolseError | None:
    """Return the error of ours for what an HTTP library raised; None for everything else.

    Args:
        error: What was raised.
        before: What the caller was handling at that time.
        request: What was sent.
        timeout: Its limits.
        lifetime: That of the client.
    """
    causes = error_causes(error, before)
    ours = _named(error, causes, request, timeout)
    # Cancellations and limits that were reached pass too, and so does what they interrupted.
    forget_locals(causes)
    if lifetime.closed and isinstance(ours or error, NetworkError | RuntimeError):
        # What `close` did to the connection is no failure of the network. aiohttp says by a
        # RuntimeError that its session is closed.
        return closed_error()
    return ours


def phase_limit(timeout: Timeout, phase: TimeoutPhase) -> tuple[TimeoutPhase, float | None]:
    """Return what ends a phase: its own limit, or the total if that is shorter."""
    own: float | None = getattr(timeout, phase)
    if timeout.total is not None and (own is None or timeout.total < own):
        return "total", timeout.total
    return phase, own


def _named(
    error: BaseException, causes: list[BaseException], request: Request, timeout: Timeout
) -> PoolseError | None:
    for kind in type(error).__mro__:
        if kind.__module__.partition(".")[0] not in LIBRARIES:
            continue
        if kind.__name__ in TIMEOUTS:
            phase, limit = phase_limit(timeout, TIMEOUTS[kind.__name__])
            return RequestTimeout(phase, limit or 0.0)
        for table, ours in ((FAILURES, NetworkError), (REFUSALS, UsageError)):
            if kind.__name__ in table:
                host = request.origin.partition("://")[2]
                message = [f"{request.method} {host}", table[kind.__name__], *_reason(causes)]
                return ours(": ".join(message))
    return None


def _reason(causes: list[BaseException]) -> list[str]:
    """Return the reason that the operating system, TLS or the proxy gave, if any."""
    for cause in causes:
        match cause:
            case ssl.SSLCertVerificationError():
                return [f"the certificate is not trusted: {cause.verify_message}"]
            case ssl.SSLError():
                return [f"TLS failed: {cause.reason}"]
            case socket.gaierror():
                return [cause.strerror or "host not found"]
            case OSError(errno=int(number)):
                return [os.strerror(number)]
            case _ if type(cause).__name__ == "ProxyError":
                return [str(cause)]
            case _:
                continue
    return []
