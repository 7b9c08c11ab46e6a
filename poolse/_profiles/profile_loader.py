"""Load profiles by the resolver, keep them, and notify listeners, in sync and async clients."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from poolse._auth.single_flight import WITHIN, Abandoned, Flight
from poolse._profiles.profile_cache import Change, ProfileCache
from poolse._profiles.resolver import Known, ProfileSettings, checked_profile
from poolse._support.argument_checks import PLAIN_HINT, checked_callback, not_awaitable
from poolse._support.fork_safety import renew_after_fork
from poolse.errors import UsageError
from poolse.types import UNSET, Unset

__all__ = ["Profiles"]

_LOG: Final = logging.getLogger("poolse.users")


class Profiles:
    """The profiles of a client, for any number of threads."""

    def __init__(self, settings: ProfileSettings, begin: Callable[[], Flight[Known]]) -> None:
        self._resolver = settings.resolver
        self._cache = ProfileCache(settings, begin)
        self._lock = threading.Lock()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Renew the state in a forked child."""
        self._lock = threading.Lock()
        self._cache.reset_after_fork()

    async def get(self, user_id: str) -> Known:
        resolver = self._resolver
        if resolver is None:
            raise UsageError("chat.users needs a resolver: pass user_resolver= to the client")
        while True:
            with self._lock:
                profile = self._cache.peek(user_id, time.monotonic())
                if profile is not UNSET:
                    return profile
                ticket = self._cache.flights.join(user_id, WITHIN.get())
            load = partial(self._load, resolver, user_id, ticket.flight)
            try:
                return await ticket.result(load)
            except Abandoned:
                continue

    def peek(self, user_id: str) -> Known | Unset:
        with self._lock:
            return self._cache.peek(user_id, time.monotonic())

    def invalidate(self, user_id: str) -> None:
        with self._lock:
            self._cache.invalidate(user_id)
        self._notify()

    def invalidate_all(self) -> None:
        with self._lock:
            self._cache.invalidate_all()
        self._notify()

    def subscribe(
        self, user_id: str | None, function: Callable[[Known | Unset], object]
    ) -> Callable[[], None]:
        checked_callback("listener", function, awaits=False, hint=PLAIN_HINT)
        if user_id is None:
            return lambda: None
        with self._lock:
            listener = self._cache.subscribe(user_id, function)

        def unsubscribe() -> None:
            with self._lock:
                self._cache.unsubscribe(listener)

        return unsubscribe

    async def _load(
        self, resolver: Callable[[str], object], user_id: str, flight: Flight[Known]
    ) -> Known:
        try:
            profile = checked_profile(await flight.ask(resolver, user_id))
        except Exception as error:
            text = "user_resolver failed for user %r, who has no profile until invalidated"
            _LOG.error(text, user_id, exc_info=error)
            profile = None
        with self._lock:
            self._cache.complete(user_id, flight, profile, time.monotonic())
        self._notify()
        return profile

    def _notify(self) -> None:
        """Call the listeners. Without the lock: they may ask for profiles, or invalidate them."""
        with self._lock:
            if not self._cache.start_notifying():
                return
        try:
            while (change := self._next_change()) is not None:
                listener, value = change
                try:
                    not_awaitable("the listener", listener.function(value), PLAIN_HINT)
                except Exception:
                    _LOG.exception("a listener of chat.users failed")
        # Not for an Exception, which is logged: for what ends a thread.
        except BaseException:
            with self._lock:
                self._cache.stop_notifying()
            raise

    def _next_change(self) -> Change | None:
        with self._lock:
            return self._cache.next_change()
