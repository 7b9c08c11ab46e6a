"""What is known about users' names and pictures, for how long, and who wants to hear of changes.

The profiles are the caller's: a `user_resolver` finds them. None, for a user without a profile, is
kept like any other answer, and so is a failure, as None. A result that lands after an invalidation
may be older than it, so it is not kept. Nothing here locks, resolves or calls listeners: the bodies
do.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from math import inf

import attrs

from poolse._auth.single_flight import Flight, SingleFlight
from poolse._profiles.resolver import Known, ProfileSettings, asked_itself
from poolse.types import UNSET, Unset

__all__ = ["Change", "Listener", "ProfileCache"]


@attrs.define(eq=False)
class Listener:
    """One interest in one user's profile."""

    user_id: str
    function: Callable[[Known | Unset], object]
    active: bool = True
    """False once taken back. A change may still be on its way then."""


Change = tuple[Listener, Known | Unset]
"""Whom to tell, and of what."""


@attrs.frozen
class Entry:
    """An answer of the resolver."""

    profile: Known
    good_until: float


class ProfileCache:
    """The profiles that were used last, and the calls that bring more.

    All times are seconds of one clock that never goes back.
    """

    def __init__(self, settings: ProfileSettings, begin: Callable[[], Flight[Known]]) -> None:
        self.flights = SingleFlight[str, Known](begin, asked_itself)
        self._size = settings.size
        self._ttl = inf if settings.ttl is None else settings.ttl
        self._entries = OrderedDict[str, Entry]()
        self._listeners: dict[str, list[Listener]] = {}
        self._changes = deque[Change]()
        self._telling = False

    def __len__(self) -> int:
        return len(self._entries)

    def peek(self, user_id: str, now: float) -> Known | Unset:
        """What is known, UNSET for nothing. It counts as a use."""
        entry = self._entries.get(user_id)
        if entry is None or now >= entry.good_until:
            return UNSET
        self._entries.move_to_end(user_id)
        return entry.profile

    def land(
        self,
        user_id: str,
        flight: Flight[Known],
        profile: Known,
        now: float,
    ) -> None:
        """Keep what a flight brought, unless the user was invalidated since it began."""
        if not self.flights.complete(user_id, flight):
            return
        self._entries[user_id] = Entry(profile, now + self._ttl)
        self._entries.move_to_end(user_id)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
        self._changed(user_id, profile)

    def invalidate(self, user_id: str) -> None:
        """Forget a user: what is known, and what is on its way."""
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
        """Want to be told of changes from now on."""
        listener = Listener(user_id, function)
        self._listeners.setdefault(user_id, []).append(listener)
        return listener

    def unsubscribe(self, listener: Listener) -> None:
        """Take an interest back. Doing it again does nothing."""
        if not listener.active:
            return
        listener.active = False
        others = self._listeners[listener.user_id]
        others.remove(listener)
        if not others:
            del self._listeners[listener.user_id]

    def orphaned(self) -> None:
        """Whoever was busy here is gone: nothing is under way, and nobody tells of changes."""
        self.flights.forget_all()
        self._changes.clear()
        self._telling = False

    def start_telling(self) -> bool:
        """Whether to tell of changes now: not when somebody else does, who will tell of all.

        So listeners hear of changes one at a time and in their order, whichever threads make them.
        """
        if self._telling:
            return False
        self._telling = True
        return True

    def next_change(self) -> Change | None:
        """The next change to tell of. After the last one, None: the telling is over."""
        while self._changes:
            listener, value = self._changes.popleft()
            if listener.active:
                return listener, value
        self._telling = False
        return None

    def stop_telling(self) -> None:
        """The telling broke off; the next to tell goes on with it."""
        self._telling = False

    def _changed(self, user_id: str, value: Known | Unset) -> None:
        self._changes.extend((listener, value) for listener in self._listeners.get(user_id, ()))
