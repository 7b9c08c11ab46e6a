"""What both senders agree on: how a request becomes httpx's, and what each failure is called."""

from __future__ import annotations

import functools
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterable, Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Final

import httpx

from poolse._network.urls import split
from poolse._observe.traceback_redaction import error_causes, forget_locals
from poolse._rest.body_decoder import ENCODINGS
from poolse._rest.request_io import Request
from poolse._support.argument_checks import TOKEN, check_header
from poolse.errors import NetworkError, PoolseError, RequestTimeout, TimeoutPhase, UsageError
from poolse.options import Timeout

__all__ = [
    "IDLE",
    "MAX_CONNECTIONS",
    "client_closed",
    "for_client",
    "for_ourselves",
    "named_failures",
    "unread",
]

MAX_CONNECTIONS: Final = 100
"""Connections of a client to all hosts together."""

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

UNPACKED: Final = "the body of the answer could not be decompressed"

FAILURES: Final = {
    "ConnectError": "could not connect",
    "DecodingError": UNPACKED,
    "error": UNPACKED,  # zlib's
    "NetworkError": "the connection failed",
    "ProtocolError": "the answer was cut off, or is not HTTP",
    "ProxyError": "the proxy refused to connect",
    "ReadError": "the connection was lost while waiting for the answer",
    "RequestError": "the request failed",
    "TooManyRedirects": "too many redirects",
    "WriteError": "the connection was lost while sending",
}

MISTAKES: Final = {
    "InvalidURL": "the URL cannot be used",
    "LocalProtocolError": "the request cannot be sent as HTTP",
    "UnsupportedProtocol": "the URL is neither http nor https",
}


OF_THE_BODY: Final = ("content-encoding", "content-length", "transfer-encoding")

Content = bytes | Iterable[bytes] | AsyncIterable[bytes] | None
"""What httpx takes as a body. A `Body` of ours becomes one or the other iterable."""


def for_ourselves(
    request: Request, timeout: Timeout, content: Content, check: Callable[[], None]
) -> httpx.Request:
    """A request for a transport of ours, which takes path and query from the extension `target`.

    httpx would normalise them. The extension `check` raises once the client is closed: a transport
    calls it after it has waited, before it sends.

    Raises:
        UsageError: It cannot be sent as HTTP.
    """
    origin, _, target = split(request.url)
    return httpx.Request(
        _method(request),
        _origin_url(origin),
        headers=_headers(request),
        content=content,
        extensions={
            "timeout": _limits(timeout),
            "target": target.encode("ascii"),
            "check": check,
        },
    )


def for_client(
    client: httpx.Client | httpx.AsyncClient, request: Request, timeout: Timeout, content: Content
) -> httpx.Request:
    """A request for a client that was passed in, whatever its transport.

    Raises:
        UsageError: It cannot be sent as HTTP.
    """
    split(request.url)
    headers = _headers(request)
    sent = client.build_request(
        _method(request),
        request.url,
        headers=headers,
        content=content,
        extensions={"timeout": _limits(timeout)},
    )
    if request.bare:
        # The client has put in headers, cookies and a query of its own.
        signed = {"host", "content-length", *(name.lower() for name, _ in headers)}
        for name in set(sent.headers) - signed:
            del sent.headers[name]
        sent.url = type(sent.url)(request.url)
    return sent


def unread(response: httpx.Response) -> httpx.Response:
    """The answer, so that it can be read.

    A client that was passed in has done so already when its hooks look at it, or when it made it
    up. It is unpacked then.
    """
    if not response.is_stream_consumed:
        return response
    headers = [pair for pair in response.headers.multi_items() if pair[0] not in OF_THE_BODY]
    stream = httpx.ByteStream(response.content)
    return httpx.Response(response.status_code, headers=headers, stream=stream)


def client_closed() -> UsageError:
    """What to raise when a client is used that was closed."""
    return UsageError("this client is closed; make a new one")


@contextmanager
def named_failures(request: Request, timeout: Timeout) -> Generator[None]:
    """Turn what the HTTP library raises into our own errors; let everything else through."""
    before = sys.exception()
    try:
        yield
    except BaseException as error:
        causes = error_causes(error, before)
        ours = _named(error, causes, request, timeout)
        # Cancellations and limits that were reached pass too, and whatever they interrupted.
        forget_locals(causes)
        # Nor may they be found here: aiohttp's errors show the password of a proxy.
        del causes
        if ours is None:
            raise
        raise ours from error


def _method(request: Request) -> str:
    if not TOKEN.fullmatch(request.method):
        raise UsageError("the method of a request must be a plain word")
    return request.method


@functools.lru_cache(maxsize=64)
def _origin_url(origin: str) -> httpx.URL:
    return httpx.URL(origin)


def _headers(request: Request) -> list[tuple[str, str]]:
    headers = list(request.headers)
    if not request.bare:
        # A client that was passed in may ask for more, which has no end when it is unpacked.
        headers.insert(0, ("Accept-Encoding", ENCODINGS))
    content = request.content
    if not (content is None or isinstance(content, bytes)):
        headers = [pair for pair in headers if pair[0].lower() != "content-length"]
        headers.append(("Content-Length", str(content.size)))
    return [(name, check_header(name, value)) for name, value in headers]


def _limits(timeout: Timeout) -> dict[str, float | None]:
    """The limits of the phases. None of them outlasts the whole attempt."""
    return {phase: _limit(timeout, phase)[1] for phase in ("connect", "read", "write", "pool")}


def _limit(timeout: Timeout, phase: TimeoutPhase) -> tuple[TimeoutPhase, float | None]:
    """What ends a phase: its own limit, or the total if that is shorter."""
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
            phase, limit = _limit(timeout, TIMEOUTS[kind.__name__])
            return RequestTimeout(phase, limit or 0.0)
        for table, ours in ((FAILURES, NetworkError), (MISTAKES, UsageError)):
            if kind.__name__ in table:
                said = [f"{request.method} {split(request.url)[1]}", table[kind.__name__]]
                return ours(": ".join([*said, *_reason(causes)]))
    return None


def _reason(causes: list[BaseException]) -> list[str]:
    """What the operating system, TLS or the proxy said, if one of them did."""
    for cause in causes:
        match cause:
            case ssl.SSLCertVerificationError():
                return [f"the certificate is not trusted: {cause.verify_message}"]
            case ssl.SSLError():
                return [f"TLS failed: {cause.reason}"]
            case socket.gaierror():
                return [cause.strerror or "no such host"]
            case OSError(errno=int(number)):
                return [os.strerror(number)]
            case _ if type(cause).__name__ == "ProxyError":
                return [str(cause)]
            case _:
                continue
    return []
