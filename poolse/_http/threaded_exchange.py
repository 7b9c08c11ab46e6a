"""A client that was passed in, at work in a thread that its caller can leave at any time.

Its own sockets know nothing of cancel tokens, and nothing can end what blocks in them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextvars import copy_context
from queue import SimpleQueue
from typing import TypeVar

import httpx

from poolse._http.deadline import NEVER, Deadline

__all__ = ["ThreadedExchange"]

T = TypeVar("T")


class ThreadedExchange:
    """One exchange, in the shape of its response as far as that is needed.

    When the caller is gone, the thread ends with the step that it is at. It closes the response
    itself, so that a connection with half an answer on it is not used again.
    """

    def __init__(self, send: Callable[[], httpx.Response], attempt: Deadline) -> None:
        self._attempt = attempt
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
        return self._answer.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    def iter_raw(self) -> Iterator[bytes]:
        return self._each(self._answer.iter_raw())

    def close(self) -> None:
        """Close the response, or leave that to the thread if the call was cancelled."""
        if not self._has_thread:
            self._closed()
            return
        self._steps.put(None)
        self._attempt.outcome(self._over, NEVER)

    @property
    def _answer(self) -> httpx.Response:
        if self._response is None:
            raise AssertionError("the exchange has no answer")
        return self._response

    def _sent(self, send: Callable[[], httpx.Response]) -> None:
        self._response = send()

    def _each(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        while (piece := self._do(lambda: next(pieces, None))) is not None:
            yield piece

    def _start(self) -> bool:
        # A daemon, so that the program can end while it waits for a server.
        run = copy_context().run
        thread = threading.Thread(target=run, args=(self._run,), name="poolse-apart", daemon=True)
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
        self._steps.put(lambda: _carry_out(step, done))
        return self._attempt.outcome(done, NEVER)

    def _run(self) -> None:
        while step := self._steps.get():
            step()
        _carry_out(self._closed, self._over)

    def _closed(self) -> None:
        if self._response is not None:
            self._response.close()


def _carry_out(step: Callable[[], T], done: Future[T]) -> None:
    try:
        done.set_result(step())
    except BaseException as error:
        done.set_exception(error)
