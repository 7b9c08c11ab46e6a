"""The sync transport: requests over httpcore's connections, within a deadline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from poolse._http.connections import Connections
from poolse._http.deadline import Deadline, pieces_of
from poolse._http.sender import HttpSender
from poolse._network.proxies import Proxies
from poolse._network.trust import context_of
from poolse._rest.http_messages import (
    BodyDecoder,
    Request,
    Response,
    ResponseSink,
    response_headers,
)
from poolse._rest.request_io import run_sync
from poolse._support.interruptible_event import InterruptibleEvent
from poolse.cancel import CancelToken, any_of, told
from poolse.options import Timeout

if TYPE_CHECKING:
    import httpx

    from poolse.stats import PoolStats

__all__ = ["SyncSender"]


class SyncSender(HttpSender):
    """Shared by any number of threads.

    With an `http_client` of the caller's own, the total acts between its phases only: before it
    sends, and between two pieces of the response.
    """

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        context = context_of(self.ssl_context)
        self._connections = Connections(Proxies(self.proxy), context, self.max_connections)
        self.resources.connections = self._connections

    async def _attempt(
        self, request: Request, timeout: Timeout, cancel: CancelToken | None
    ) -> Response:
        with Deadline(timeout.total, cancel, self.lifetime) as deadline:
            if self.http_client is None:
                return self._exchange(request, timeout, deadline)
            return self._send_by_client(self.http_client, request, timeout, deadline)

    async def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        """Wait.

        Raises:
            Cancelled: By the token, at once.
            UsageError: This was closed, at once too.
        """
        over = InterruptibleEvent()
        stop = any_of(self.lifetime, cancel)
        with told(stop, over.set):
            if over.wait(seconds) and stop is not None:
                stop.raise_if_cancelled()

    def pool(self) -> PoolStats | None:
        """Return the use of the connections; None for those of another client."""
        return self._connections.stats() if self.http_client is None else None

    def close(self) -> None:
        """Close the connections, also those in use. Calling it again does nothing."""
        self.lifetime.close()
        self._connections.close()

    def _send_by_client(
        self, client: httpx.Client, request: Request, timeout: Timeout, deadline: Deadline
    ) -> Response:
        # Imported lazily: few programs bring a client of their own.
        from poolse._http.given_client import Steps, httpx_request, unread

        body = request.content
        content = body if body is None or isinstance(body, bytes) else pieces_of(body, deadline)
        sent = httpx_request(client, request, timeout, content)
        auth: dict[str, None] = {"auth": None} if request.bare else {}

        received: list[httpx.Response] = []

        def send() -> None:
            response = client.send(sent, stream=True, follow_redirects=False, **auth)
            received.append(unread(response))

        def close() -> None:
            for response in received:
                response.close()

        run = Steps(deadline)
        try:
            run(send)
            (response,) = received
            stream = response.iter_raw()
            pieces = iter(lambda: run(lambda: next(stream, None)), None)
            headers = response_headers(response.headers.raw)
            return self._response(response.status_code, headers, pieces, deadline, request.sink)
        finally:
            run.end(close)

    def _exchange(self, request: Request, timeout: Timeout, deadline: Deadline) -> Response:
        connections = self._connections
        origin = connections.origin(request.origin)
        sent = origin.request(request, timeout, deadline)
        deadline.method = request.method
        connections.acquire(timeout.pool)
        try:
            deadline.check()
            connection = connections.take(origin)
            response = connection.handle_request(sent)
            try:
                deadline.has_head = True
                headers = response_headers(response.headers)
                pieces = response.iter_stream()
                return self._response(response.status, headers, pieces, deadline, request.sink)
            finally:
                response.close()
                if deadline.is_spoilt:
                    # Bytes came that belong to no response: no other request gets the connection.
                    connection.close()
                connections.put_back(origin, connection)
        finally:
            connections.release()

    def _response(
        self,
        status: int,
        headers: dict[str, str],
        pieces: Iterator[bytes],
        deadline: Deadline,
        sink: ResponseSink | None,
    ) -> Response:
        if sink is not None and run_sync(sink.begins(status, headers)):
            for piece in pieces:
                deadline.check()
                run_sync(sink.takes(piece))
            return Response(status, headers, b"")
        body = BodyDecoder(status, headers, self.max_response)
        for piece in pieces:
            deadline.check()
            body.add(piece)
        return Response(status, headers, body.finish())
