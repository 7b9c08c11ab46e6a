"""The token of a sync client: one fetch at a time, shared by all threads that wait for it."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import attrs

from poolse._core.tokens import TokenCache, asked_itself, checked
from poolse.cancel import CancelToken

__all__ = ["SyncTokens"]


@attrs.define(eq=False)
class Fetch:
    """A call of `get_token` under way."""

    epoch: int
    thread: int
    result: Future[str | None] = attrs.field(factory=Future[str | None])


class SyncTokens:
    """Calls `fetch` once per token life."""

    def __init__(self, fetch: Callable[[], object]) -> None:
        self._fetch = fetch
        self._cache = TokenCache()
        self._lock = threading.Lock()
        self._under_way: Fetch | None = None

    async def get(self, cancel: CancelToken | None) -> str | None:
        with self._lock:
            token = self._cache.fresh(time.time())
            if token is not None:
                return token
            fetch, mine = self._join()
        if mine:
            self._run(fetch)
        elif fetch.thread == threading.get_ident() and not fetch.result.done():
            raise asked_itself()
        return _wait(fetch.result, cancel)

    @property
    def last(self) -> str | None:
        return self._cache.last

    def reject(self, token: str | None) -> bool:
        with self._lock:
            self._cache.reject(token)
        return True

    def _join(self) -> tuple[Fetch, bool]:
        """The fetch to wait for, and whether it is this thread's to carry out."""
        epoch = self._cache.epoch
        if self._under_way is not None and self._under_way.epoch == epoch:
            return self._under_way, False
        self._under_way = Fetch(epoch, threading.get_ident())
        return self._under_way, True

    def _run(self, fetch: Fetch) -> None:
        # BaseException too: whoever waits for this fetch must not wait for ever.
        try:
            token = checked(_closed(self._fetch()))
        except BaseException as error:
            with self._lock:
                self._finish(fetch)
            fetch.result.set_exception(error)
        else:
            with self._lock:
                self._cache.store(token, fetch.epoch, time.time())
                self._finish(fetch)
            fetch.result.set_result(token)

    def _finish(self, fetch: Fetch) -> None:
        if self._under_way is fetch:
            self._under_way = None


def _closed(found: object) -> object:
    """What `get_token` returned. A coroutine is refused soon, and Python would complain of it."""
    if inspect.iscoroutine(found):
        found.close()
    return found


def _wait(future: Future[str | None], cancel: CancelToken | None) -> str | None:
    if cancel is not None and not future.done():
        over = threading.Event()
        future.add_done_callback(lambda _: over.set())
        forget = cancel.on_cancel(over.set)
        over.wait()
        forget()
        cancel.raise_if_cancelled()
    return future.result()
