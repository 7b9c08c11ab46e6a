"""Fetched tokens: one fetch at a time, shared by all threads or tasks that wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

from poolse._auth.single_flight import WITHIN, Abandoned, Flight, SingleFlight
from poolse._auth.token_cache import TokenCache, asked_itself, checked
from poolse._support.argument_checks import has_method
from poolse._support.fork_safety import renew_after_fork
from poolse.cancel import CancelToken

__all__ = ["FetchedTokens", "Provider"]


class Provider(Protocol):
    """A `get_token` that keeps tokens of its own."""

    def reject(self, token: str | None) -> object:
        """Discard a token that the server refused."""
        ...


class FetchedTokens:
    """Calls `fetch` once per token life."""

    def __init__(
        self, fetch: Callable[[], object], begin: Callable[[], Flight[str | None]]
    ) -> None:
        """Fetch nothing yet; `begin` creates a flight in which to fetch."""
        self._fetch = fetch
        self._begin = begin
        self._cache = TokenCache()
        self._renew()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Forget the token in a forked child, which fetches its own."""
        last = self._cache.last
        self._lock = threading.Lock()
        self._cache = TokenCache()
        self._cache.last = last
        # By epoch: a fetch that began before a refusal is not shared after it.
        self._fetches = SingleFlight[int, str | None](self._begin, asked_itself)

    async def get(self, cancel: CancelToken | None) -> str | None:
        while True:
            with self._lock:
                if time.monotonic() < self._cache.good_until:
                    return self._cache.token
                epoch = self._cache.epoch
                ticket = self._fetches.join(epoch, WITHIN.get())
            try:
                return await ticket.result(partial(self._fetched, epoch, ticket.flight), cancel)
            except Abandoned:
                continue

    @property
    def last(self) -> str | None:
        return self._cache.last

    def reject(self, token: str | None) -> bool:
        with self._lock:
            self._cache.reject(token)
        # A provider of tokens keeps them too, and must not hand out this one again.
        if has_method(self._fetch, "reject"):
            cast("Provider", self._fetch).reject(token)
        return True

    async def _fetched(self, epoch: int, flight: Flight[str | None]) -> str | None:
        try:
            token = checked(await flight.ask(self._fetch))
            with self._lock:
                self._cache.store(token, epoch, now=time.monotonic(), date=time.time())
            return token
        finally:
            with self._lock:
                self._fetches.complete(epoch, flight)
