"""Profiles of users, how long they are kept, and the listeners of changes.

The caller's `user_resolver` finds the profiles. None, for a user without a profile, is kept like
any other result, and so is a failure, as None. A result that arrives after an invalidation may be
older than it, so it is not kept. Nothing here locks, resolves or calls listeners: `Profiles` does.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from math import inf

import attrs

from poolse._auth.single_flight import Flight, SingleFlight
from poolse._profiles.resolver import Known, ProfileSettings, resolver_deadlock
from poolse.types import UNSET, Unset

__all__ = ["Change", "Listener", "ProfileCache"]


@attrs.define(eq=False)
class Listener:
    """A listener of one user's profile."""

    user_id: str
    function: Callable[[Known | Unset], object]
    active: bool = True
    """False once unsubscribed. A change may still be queued then."""


Change = tuple[Listener, Known | Unset]
"""A listener, and the value to call it with."""


@attrs.frozen
class Entry:
    """A result of the resolver."""

    profile: Known
    good_until: float


class ProfileCache:
    """The profiles that were used last, and the calls that bring more.

    All times are seconds of one clock that never goes back.
    """

    def __init__(self, settings: ProfileSettings, begin: Callable[[], Flight[Known]]) -> None:
        self.flights = SingleFlight[str, Known](begin, resolver_deadlock)
        self._size = settings.size
        self._ttl = inf if settings.ttl is None else settings.ttl
        self._entries = OrderedDict[str, Entry]()
        self._listeners: dict[str, list[Listener]] = {}
        self._changes = deque[Change]()
        self._notifying = False

    def __len__(self) -> int:
        return len(self._entries)

    def peek(self, user_id: str, now: float) -> Known | Unset:
        """Return what is known, UNSET for nothing. It counts as a use."""
        entry = self._entries.get(user_id)
        if entry is None or now >= entry.good_until:
            return UNSET
        self._entries.move_to_end(user_id)
        return entry.profile

    def complete(
        self,
        user_id: str,
        flight: Flight[Known],
        profile: Known,
        now: float,
    ) -> None:
        """Keep the result of a flight, unless the user was invalidated since it began."""
        if not self.flights.complete(user_id, flight):
            return
        self._entries[user_id] = Entry(profile, now + self._ttl)
        self._entries.move_to_end(user_id)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
        self._changed(user_id, profile)

    def invalidate(self, user_id: str) -> None:
        """Forget a user: what is known, and calls of the resolver under way."""
        known = self._entries.pop(user_id, None) is not None
        if self.flights.forget(user_id) or known:
            self._changed(user_id, UNSET)

    def invalidate_all(self) -> None:
        """Forget all users."""
        for user_id in self._listeners:
            if user_id in self._entries or user_id in self.flights:
                self._changed(user_id, UNSET)
        self._entries.clear()
        self.flights.forget_all()

    def subscribe(self, user_id: str, function: Callable[[Known | Unset], object]) -> Listener:
        """Add a listener of changes from now on."""
        listener = Listener(user_id, function)
        self._listeners.setdefault(user_id, []).append(listener)
        return listener

    def unsubscribe(self, listener: Listener) -> None:
        """Remove a listener. Doing it again does nothing."""
        if not listener.active:
            return
        listener.active = False
        remaining = self._listeners[listener.user_id]
        remaining.remove(listener)
        if not remaining:
            del self._listeners[listener.user_id]

    def reset_after_fork(self) -> None:
        """Reset in a forked child, where no call is in progress and no thread notifies."""
        self.flights.forget_all()
        self._changes.clear()
        self._notifying = False

    def start_notifying(self) -> bool:
        """Return whether to call listeners now: not while another thread does, for all of them.

        So listeners are called with one change at a time, in order, whichever threads cause them.
        """
        if self._notifying:
            return False
        self._notifying = True
        return True

    def next_change(self) -> Change | None:
        """Return the next change; None after the last one, when no thread notifies any more."""
        while self._changes:
            listener, value = self._changes.popleft()
            if listener.active:
                return listener, value
        self._notifying = False
        return None

    def stop_notifying(self) -> None:
        """Note that a thread was interrupted while it notified; the next one resumes."""
        self._notifying = False

    def _changed(self, user_id: str, value: Known | Unset) -> None:
        self._changes.extend((listener, value) for listener in self._listeners.get(user_id, ()))
