"""When to send the next request after one that failed, and whether to report it."""

from __future__ import annotations

from collections.abc import Callable

from poolse._follow.options import FeedSettings
from poolse._support.backoff import full_jitter

__all__ = ["Retry"]


class Retry:
    """The backoff of one kind of request."""

    def __init__(self, settings: FeedSettings, random: Callable[[], float]) -> None:
        self.at = 0.0
        """No request is sent before this time."""
        self._settings = settings
        self._random = random
        self._attempt = 0
        self._since: float | None = None
        self._is_reported = False

    def worked(self) -> None:
        """A request succeeded."""
        self._attempt = 0
        self._since = None
        self._is_reported = False

    def failed(self, now: float, at_least: float) -> bool:
        """A request failed. Return whether to report it.

        Failures are reported once when they last for long, and whenever the next wait is long.

        Args:
            now: The time.
            at_least: Seconds that the server wants to be left alone. It cannot ask for more than
                `max_retry_after`.
        """
        settings = self._settings
        backoff = full_jitter(
            settings.base_backoff, settings.max_backoff, self._attempt, self._random()
        )
        wait = max(backoff, min(at_least, settings.max_retry_after))
        self.at = now + wait
        self._attempt += 1
        if self._since is None:
            self._since = now
        is_due = not self._is_reported and now - self._since >= settings.stalled_after
        if wait > settings.stalled_after or is_due:
            self._is_reported = True
            return True
        return False
