"""Requests over a sync httpx client that was passed in.

Its sockets know nothing of cancel tokens, and nothing can end what blocks in them. So a call that
can be cancelled has it run in a thread, which the caller can leave at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

import httpx

from poolse._http.deadline import NEVER, Deadline, pieces_of
from poolse._http.httpx_client import httpx_request, unread
from poolse._rest.messages import Request
from poolse.options import Timeout

__all__ = ["exchange"]

T = TypeVar("T")


@contextmanager
def exchange(
    client: httpx.Client, request: Request, timeout: Timeout, deadline: Deadline
) -> Generator[httpx.Response | ThreadedExchange]:
    """Send a request, and close the response when the block ends."""
    body = request.content
    content = body if body is None or isinstance(body, bytes) else pieces_of(body, deadline)
    sent = httpx_request(client, request, timeout, content)
    without_auth: dict[str, None] = {"auth": None} if request.bare else {}
    send = partial(client.send, sent, stream=True, follow_redirects=False, **without_auth)
    response: httpx.Response | ThreadedExchange
    if deadline.can_be_cancelled:
        response = ThreadedExchange(lambda: unread(send()), deadline)
    else:
        response = unread(send())
    try:
        yield response
    finally:
        response.close()


class ThreadedExchange:
    """An exchange in a thread, with those attributes of its response that are needed.

    When the caller has left, the thread ends after its current step. It closes the response
    itself, so that a connection with half a response on it is not used again.
    """

    def __init__(self, send: Callable[[], httpx.Response], deadline: Deadline) -> None:
        self._deadline = deadline
        self._steps = SimpleQueue[Callable[[], object] | None]()
        self._response: httpx.Response | None = None
        self._over = Future[None]()
        self._has_thread = self._start()
        try:
            self._do(lambda: self._sent(send))
        except BaseException:
            self.close()
            raise

    @property
    def status_code(self) -> int:
        return self._received.status_code

    @property
    def headers(self) -> httpx.Headers:
        return self._received.headers

    def iter_raw(self) -> Iterator[bytes]:
        return self._each(self._received.iter_raw())

    def close(self) -> None:
        """Close the response, or leave that to the thread if the call was cancelled."""
        if not self._has_thread:
            self._closed()
            return
        self._steps.put(None)
        self._deadline.outcome(self._over, NEVER)

    @property
    def _received(self) -> httpx.Response:
        if self._response is None:
            raise AssertionError("the exchange has no response")
        return self._response

    def _sent(self, send: Callable[[], httpx.Response]) -> None:
        self._response = send()

    def _each(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        while (piece := self._do(lambda: next(pieces, None))) is not None:
            yield piece

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

    def _do(self, step: Callable[[], T]) -> T:
        if not self._has_thread:
            return step()
        done = Future[T]()
        self._steps.put(lambda: _run_step(step, done))
        return self._deadline.outcome(done, NEVER)

    def _run(self) -> None:
        while step := self._steps.get():
            step()
        _run_step(self._closed, self._over)

    def _closed(self) -> None:
        if self._response is not None:
            self._response.close()


def _run_step(step: Callable[[], T], done: Future[T]) -> None:
    try:
        done.set_result(step())
    except BaseException as error:
        done.set_exception(error)
