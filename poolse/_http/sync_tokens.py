"""The token of a sync client: one fetch at a time, shared by all threads that wait for it."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from poolse._core.tokens import TokenCache, checked
from poolse.cancel import CancelToken

__all__ = ["SyncTokens"]

Fetch = tuple[int, "Future[str | None]"]


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
            epoch = self._cache.epoch
            if self._under_way is not None and self._under_way[0] == epoch:
                future, mine = self._under_way[1], False
            else:
                future, mine = Future[str | None](), True
                self._under_way = (epoch, future)
        if mine:
            self._run(epoch, future)
        return _wait(future, cancel)

    def reject(self, token: str | None) -> bool:
        with self._lock:
            self._cache.reject(token)
        return True

    def _run(self, epoch: int, future: Future[str | None]) -> None:
        # BaseException too: whoever waits for this fetch must not wait for ever.
        try:
            token = checked(_closed(self._fetch()))
        except BaseException as error:
            self._finish(epoch, future, None)
            future.set_exception(error)
        else:
            self._finish(epoch, future, token)
            future.set_result(token)

    def _finish(self, epoch: int, future: Future[str | None], token: str | None) -> None:
        with self._lock:
            self._cache.store(token, epoch, time.time())
            if self._under_way == (epoch, future):
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
