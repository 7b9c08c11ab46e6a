"""When to read the list of all conversations, which shows new ones and how far each of them is.

The list is read after each join of the channel that announces new conversations, and now and then,
since an announcement may be lost as any other broadcast; more often while that channel is not
joined. No time of the server's decides anything here: a conversation that was in the first list is
old, and one that appears later is new.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from poolse._follow.options import FeedSettings
from poolse._follow.retry import Retry

__all__ = ["ConversationList"]


class ConversationList:
    """The schedule of reading it."""

    def __init__(self, settings: FeedSettings, random: Callable[[], float]) -> None:
        self.retry = Retry(settings, random)
        self.was_read: bool = False
        """Whether the first list was read: a conversation that appears from now on is new."""
        self._settings = settings
        self._random = random
        self._is_joined = False
        self._due = inf

    def joined(self, now: float) -> None:
        """New conversations are announced from now on."""
        self._is_joined = True
        self.refresh(now)

    def lost(self, now: float) -> None:
        """New conversations are not announced any more."""
        self._is_joined = False
        self.refresh(now + self._settings.poll_after * (0.5 + self._random()))

    def refresh(self, time: float) -> None:
        """Read it at this time, unless it is read earlier."""
        self._due = min(self._due, time)

    def due_at(self) -> float:
        """When to read the list."""
        return max(self._due, self.retry.at)

    def requested(self, now: float) -> None:
        """The list is being read. What is announced meanwhile may be missing in it."""
        self._due = now + self._settings.pause(self._random, is_joined=self._is_joined)
