"""The hands of the sync client: sends, and waits, in the calling thread."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import httpx

from poolse._http.deadline import Deadline
from poolse._http.errors import (
    MAX_CONNECTIONS,
    client_closed,
    for_client,
    for_ourselves,
    named_failures,
    unread,
)
from poolse._http.sync_transport import HttpcoreTransport
from poolse._network.proxies import Proxies
from poolse._network.trust import context_of
from poolse._observe.log_redaction import redact_library_logs
from poolse._rest.body_decoder import BodyDecoder
from poolse._rest.lifetime import Lifetime
from poolse._rest.request_io import Request, RequestBody, Response, ResponseSink, run_sync
from poolse._support.interruptible_event import InterruptibleEvent
from poolse._support.open_resources import OpenResources
from poolse._support.size_limits import MAX_RESPONSE
from poolse.cancel import CancelToken, any_of, told
from poolse.errors import NetworkError
from poolse.options import Timeout

if TYPE_CHECKING:
    from poolse._http.threaded_exchange import ThreadedExchange
    from poolse.stats import PoolStats

__all__ = ["MAX_CONNECTIONS", "SyncSender"]


class SyncSender:
    """Shared by any number of threads. Making one opens nothing and loads no certificates.

    With an `http_client` of the caller's own, the total acts between its phases only: before it
    sends, and between two pieces of the answer. It is not changed and not closed.
    """

    def __init__(
        self,
        *,
        http_client: httpx.Client | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        max_connections: int = MAX_CONNECTIONS,
        max_response: int = MAX_RESPONSE,
        belongings: OpenResources | None = None,
        lifetime: Lifetime | None = None,
    ) -> None:
        self._lifetime = lifetime or Lifetime()
        self._limit = max_response
        self._given = http_client
        self._own = HttpcoreTransport(Proxies(proxy), context_of(ssl_context), max_connections)
        belongings = belongings or OpenResources()
        belongings.connections = self._own
        # Not of the client: this outlives it where a view, or a walk over pages, goes on.
        belongings.of(self)

    def send(
        self,
        request: Request,
        timeout: Timeout,
        cancel: CancelToken | None,
        intake: ResponseSink | None = None,
    ) -> Response:
        """Send once and read the whole answer, whatever its status.

        Raises:
            Cancelled: By the token.
            DecodeError: The answer is too large.
            NetworkError: No complete answer came.
            RequestTimeout: One of the limits was reached.
            UsageError: The request cannot be sent as HTTP, or this is or was closed meanwhile.
        """
        with (
            Deadline(timeout.total, cancel, self._lifetime.closing) as attempt,
            redact_library_logs(),
        ):
            try:
                with named_failures(request, timeout):
                    response = self._exchange(request, timeout, attempt)
                    try:
                        content = self._content(response, attempt, intake)
                    finally:
                        response.close()
            except NetworkError as error:
                # What `close` did to the connection is no failure of the network.
                if self._lifetime.closed:
                    raise client_closed() from error
                raise
        return Response(response.status_code, response.headers, content)

    def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        """Wait.

        Raises:
            Cancelled: By the token, at once.
            UsageError: This was closed, at once too.
        """
        over = InterruptibleEvent()
        stop = any_of(self._lifetime.closing, cancel)
        with told(stop, over.set):
            if over.wait(seconds) and stop is not None:
                stop.raise_if_cancelled()

    def pool(self) -> PoolStats | None:
        """How the connections are used; None where they are those of another client."""
        return self._own.stats() if self._given is None else None

    def close(self) -> None:
        """Close the connections, also those in use. Calling it again does nothing."""
        self._lifetime.close()
        self._own.close()

    def _exchange(
        self, request: Request, timeout: Timeout, attempt: Deadline
    ) -> httpx.Response | ThreadedExchange:
        body = request.content
        content = body if body is None or isinstance(body, bytes) else _pieces(body, attempt)
        client = self._given
        if client is None:
            return self._own.handle_request(for_ourselves(request, timeout, content, attempt.check))
        sent = for_client(client, request, timeout, content)
        own: dict[str, None] = {"auth": None} if request.bare else {}
        send = partial(client.send, sent, stream=True, follow_redirects=False, **own)
        if attempt.can_be_cancelled:
            from poolse._http.threaded_exchange import ThreadedExchange

            return ThreadedExchange(lambda: unread(send()), attempt)
        return unread(send())

    def _content(
        self,
        response: httpx.Response | ThreadedExchange,
        attempt: Deadline,
        intake: ResponseSink | None,
    ) -> bytes:
        status, headers = response.status_code, response.headers
        pieces = _checked(response.iter_raw(), attempt)
        if intake is not None and run_sync(intake.begins(status, headers)):
            for piece in pieces:
                run_sync(intake.takes(piece))
            return b""
        whole = BodyDecoder(status, headers, self._limit)
        for piece in pieces:
            whole.takes(piece)
        return whole.finish()


def _pieces(body: RequestBody, attempt: Deadline) -> Iterator[bytes]:
    while piece := _next(body, attempt):
        yield piece


def _next(body: RequestBody, attempt: Deadline) -> bytes:
    # Nobody expects that the file of a cancelled call is still read.
    attempt.check()
    return run_sync(body.next())


def _checked(pieces: Iterator[bytes], attempt: Deadline) -> Iterator[bytes]:
    for piece in pieces:
        attempt.check()
        yield piece
