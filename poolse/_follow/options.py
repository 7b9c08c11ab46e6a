"""The options of a feed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import attrs

from poolse._follow.checkpoints import AsyncCheckpoint, Checkpoint
from poolse._follow.positions import After, Gap, Numbered, start_of
from poolse._support.argument_checks import checked_callback, checked_count
from poolse.cancel import CancelToken
from poolse.errors import ArgumentTypeError, UsageError
from poolse.types import UNSET, Unset

__all__ = ["FeedSettings", "FollowOptions"]

M = TypeVar("M", bound=Numbered)


@attrs.frozen(kw_only=True)
class FeedSettings:
    """Times and sizes. All times are float seconds."""

    limit: int = 100
    """Messages to ask for in one request. The server may send fewer."""
    buffer: int = 1000
    """Messages that may wait for the consumer, and as many that may wait for a gap to be filled."""
    total: int = 10_000
    """The same of all conversations of one follower together."""
    grace: float = 2.0
    """So long after a higher number was seen, a number that the list lacks is given up."""
    reorder: float = 0.25
    """So long a missing number may still come by itself, before the list is asked for it."""
    reconcile: float = 300.0
    """Between two looks at the list while all is well. They find a broadcast that was lost."""
    max_backfill: int | None = None
    """After each join, numbers below the last so many are skipped; None for none."""
    pages: int = 8
    """Pages that are read before their messages are handed out, where one alone would be
    wasteful."""
    widest: int = 64
    """Where most numbers have no message in the list, those pages span up to so many times
    `limit`."""
    base_backoff: float = 0.25
    max_backoff: float = 30.0
    max_retry_after: float = 60.0
    """The longest wait that a server can ask for."""
    stalled_after: float = 30.0
    """Requests that fail for so long are reported, and so is each wait that is longer."""
    poll_after: float = 3.0
    """A channel that is not joined for so long is replaced by reading the list."""
    poll: float = 10.0
    """Between two looks at the list while the channel is not joined."""
    few: int = 4
    """More conversations than this are looked at with one request, for the list of all."""
    gather: float = 1.0
    """After a reconnect, how long the list of all waits for more channels to be joined."""
    requests_per_second: float = 1000.0
    """Of all conversations of one follower together. One is under way at a time, so that only a
    server on the same machine is quick enough to meet this bound while a gap is filled."""
    burst: int = 100
    """So many requests may go out at once after a quiet time."""

    def pause(self, random: Callable[[], float], *, is_joined: bool) -> float:
        """Return the time until the next look at a list, scattered by a fifth."""
        return (self.reconcile if is_joined else self.poll) * (0.8 + 0.4 * random())


@attrs.frozen(kw_only=True)
class FollowOptions(Generic[M]):
    """The arguments of `follow`, checked."""

    only: Sequence[str] | None
    """The conversations; None for all."""
    after: After | Unset = UNSET
    checkpoint: Checkpoint | AsyncCheckpoint | None = None
    skip_own: bool = False
    on_gap: Callable[[Gap], object] | None = None
    cancel: CancelToken | None = None
    author: Callable[[M], str | None]
    """Who wrote a message."""
    settings: FeedSettings = attrs.field(factory=FeedSettings)
    awaits: bool = True
    """Whether the user's functions may be async."""

    def __attrs_post_init__(self) -> None:
        if self.after is not UNSET:
            start_of(self.after, 0)
        if self.checkpoint is not None:
            self._check_checkpoint()
        if self.on_gap is not None:
            checked_callback("on_gap", self.on_gap, awaits=self.awaits)
        if self.settings.max_backfill is not None:
            checked_count("max_backfill", self.settings.max_backfill)
            if self.on_gap is None:
                raise UsageError(
                    "max_backfill skips messages: give on_gap too, which is told of them"
                )

    def _check_checkpoint(self) -> None:
        for name in ("load", "save"):
            method: object = getattr(self.checkpoint, name, None)
            if not callable(method):
                raise ArgumentTypeError(
                    f"checkpoint must have load and save, as SQLiteCheckpoint(path) has; {name} is "
                    "missing"
                )
            checked_callback(f"checkpoint.{name}", method, awaits=self.awaits)
