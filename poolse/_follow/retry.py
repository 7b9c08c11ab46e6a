"""When to ask again after a request that failed."""

from __future__ import annotations

from collections.abc import Callable

from poolse._follow.settings import FeedSettings
from poolse._support.backoff import full_jitter

__all__ = ["Retry"]


class Retry:
    """The requests of one feed, as far as they fail."""

    def __init__(self, settings: FeedSettings, random: Callable[[], float]) -> None:
        self.at = 0.0
        """Nothing is asked before."""
        self._settings = settings
        self._random = random
        self._attempt = 0
        self._since: float | None = None
        self._told = False
        self._is_long = False

    def worked(self) -> None:
        """A request did not fail."""
        self._attempt = 0
        self._since = None
        self._told = False

    def failed(self, now: float, at_least: float) -> None:
        """A request failed; the server may have said how long to wait at least.

        It cannot ask for more than `max_retry_after`.
        """
        settings = self._settings
        backoff = full_jitter(
            settings.base_backoff, settings.max_backoff, self._attempt, self._random()
        )
        self._attempt += 1
        wait = max(backoff, min(at_least, settings.max_retry_after))
        self.at = now + wait
        self._is_long = wait > settings.stalled_after
        if self._since is None:
            self._since = now

    def has_stalled(self, now: float) -> bool:
        """Whether somebody should know: it fails for long, once, or the next wait is long."""
        if self._is_long:
            self._is_long, self._told = False, True
            return True
        if self._since is None or self._told or now - self._since < self._settings.stalled_after:
            return False
        self._told = True
        return True
