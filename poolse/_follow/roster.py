"""Which conversations there are, when all are followed.

It is told when the channel that announces new ones was joined, and what it said; it says when to
ask for the list of all. The list is read after each join, and now and then, since an announcement
may be lost as any other broadcast.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import attrs

from poolse._follow.retry import Retry
from poolse._follow.settings import FeedSettings

__all__ = ["Known", "Roster"]


@attrs.frozen
class Known:
    """A conversation as a list shows it."""

    key: str
    head: int
    """The highest number that it has handed out."""
    born: int
    """When it was made, in microseconds of the server's clock."""
    active: int
    """When it was last changed, likewise."""


class Roster:
    """What is known of the conversations."""

    def __init__(self, settings: FeedSettings, random: Callable[[], float]) -> None:
        self.retry = Retry(settings, random)
        """How reading the list goes."""
        self.seen_until: int | None = None
        """Conversations made after this are new: nobody can have followed them before."""
        self._settings = settings
        self._random = random
        self._due = inf

    def look(self, now: float) -> None:
        """There may be new ones."""
        self._due = min(self._due, now)

    def due_at(self) -> float:
        """When to read the list."""
        return max(self._due, self.retry.at)

    def asked(self, now: float) -> None:
        """The list is being read. What is announced meanwhile may be missing in it."""
        self._due = now + self._settings.reconcile * (0.8 + 0.4 * self._random())

    def is_new(self, known: Known) -> bool:
        """Whether it was made since the list was first read."""
        return self.seen_until is not None and known.born > self.seen_until

    def saw(self, found: list[Known]) -> None:
        """The list was read, and all of these are followed now."""
        self.retry.worked()
        self.seen_until = max([self.seen_until or 0, *(known.active for known in found)])
