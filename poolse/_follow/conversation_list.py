"""Which conversations there are, and how far each of them is, by the list of all.

The list is read after each join of the channel that announces new conversations, and now and then,
since an announcement may be lost as any other broadcast; more often while that channel is not
joined. No time of the server's decides anything here: a conversation that was in the first list is
old, and one that appears later is new.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import attrs

from poolse._follow.retry import Retry
from poolse._follow.settings import FeedSettings

__all__ = ["ConversationList", "Known"]


@attrs.frozen
class Known:
    """A conversation as a list shows it."""

    key: str
    head: int | None
    """The highest number that it has handed out; None where the server does not say."""


class ConversationList:
    """When to read the list of conversations."""

    def __init__(self, settings: FeedSettings, random: Callable[[], float]) -> None:
        self.retry = Retry(settings, random)
        """How reading the list goes."""
        self.was_listed: bool = False
        """Whether the first list was read: a conversation that appears from now on is new."""
        self._settings = settings
        self._random = random
        self._joined = False
        self._due = inf

    def joined(self, now: float) -> None:
        """New conversations are announced from now on."""
        self._joined = True
        self.look(now)

    def lost(self, now: float) -> None:
        """New conversations are not announced any more."""
        self._joined = False
        self._due = min(self._due, now + self._settings.poll_after * (0.5 + self._random()))

    def look(self, now: float) -> None:
        """There may be new ones."""
        self._due = min(self._due, now)

    def due_at(self) -> float:
        """When to read the list."""
        return max(self._due, self.retry.at)

    def asked(self, now: float) -> None:
        """The list is being read. What is announced meanwhile may be missing in it."""
        pause = self._settings.reconcile if self._joined else self._settings.poll
        self._due = now + pause * (0.8 + 0.4 * self._random())
