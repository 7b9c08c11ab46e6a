"""Requests and responses of an httpx client that was passed in.

The sockets of a sync one know nothing of cancel tokens, and nothing can end what blocks in them. So
a call that can be cancelled is made in a thread, which the caller can leave at any time.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterable, Callable, Iterable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Final, TypeVar

import httpx

from poolse._http.deadline import NEVER, Deadline
from poolse._http.errors import phase_limit
from poolse._rest.http_messages import Request
from poolse.errors import TimeoutPhase
from poolse.options import Timeout

__all__ = ["Steps", "httpx_request", "unread"]

T = TypeVar("T")

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


class Steps:
    """Runs the steps of an exchange one by one: in a thread if the call can be cancelled.

    When the caller has left, the thread ends after its current step. The last step closes the
    response, so that a connection with half a response on it is not used again.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._todo = SimpleQueue[Callable[[], None] | None]()
        self._has_thread = deadline.can_be_cancelled and self._start()

    def __call__(self, step: Callable[[], T]) -> T:
        """Return what the step returns."""
        if not self._has_thread:
            return step()
        done = Future[T]()
        self._todo.put(partial(_run_step, step, done))
        return self._deadline.outcome(done, NEVER)

    def end(self, last: Callable[[], object]) -> None:
        """Run the last step, or leave that to the thread if the call was cancelled."""
        try:
            self(last)
        finally:
            self._todo.put(None)

    def _start(self) -> bool:
        # A daemon, so that the program can end while it waits for a server.
        run = copy_context().run
        thread = threading.Thread(target=run, args=(self._run,), name="poolse-request", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # There are none left, or the interpreter is shutting down. Then the caller's own does
            # it, which can be cancelled between two steps only.
            return False
        return True

    def _run(self) -> None:
        while step := self._todo.get():
            step()


def _run_step(step: Callable[[], T], done: Future[T]) -> None:
    try:
        done.set_result(step())
    except BaseException as error:
        done.set_exception(error)
