"""Requests and responses of an httpx client that was passed in."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import Final

import httpx

from poolse._http.errors import phase_limit
from poolse._rest.messages import Request
from poolse.errors import TimeoutPhase
from poolse.options import Timeout

__all__ = ["httpx_request", "unread"]

OF_THE_BODY: Final = ("content-encoding", "content-length", "transfer-encoding")


def httpx_request(
    client: httpx.Client | httpx.AsyncClient,
    request: Request,
    timeout: Timeout,
    content: bytes | Iterable[bytes] | AsyncIterable[bytes] | None,
) -> httpx.Request:
    """Return the request in httpx's form, whatever the client's transport."""
    headers = request.wire_headers()
    # None of the limits outlasts the whole attempt.
    phases: tuple[TimeoutPhase, ...] = ("connect", "read", "write", "pool")
    limits = {phase: phase_limit(timeout, phase)[1] for phase in phases}
    sent = client.build_request(
        request.method,
        request.url,
        headers=headers,
        content=content,
        extensions={"timeout": limits},
    )
    if request.bare:
        # The client has put in headers, cookies and a query of its own.
        signed = {"host", "content-length", *(name.lower() for name, _ in headers)}
        for name in set(sent.headers) - signed:
            del sent.headers[name]
        sent.url = type(sent.url)(request.url)
    return sent


def unread(response: httpx.Response) -> httpx.Response:
    """Return the response so that it can be read.

    The client has read it already if its hooks look at the body, or if it made the response up.
    Such a body is decompressed.
    """
    if not response.is_stream_consumed:
        return response
    headers = [pair for pair in response.headers.multi_items() if pair[0] not in OF_THE_BODY]
    stream = httpx.ByteStream(response.content)
    return httpx.Response(response.status_code, headers=headers, stream=stream)
