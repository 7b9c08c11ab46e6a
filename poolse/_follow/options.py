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
    """Times and sizes of a feed. All times are float seconds."""

    limit: int = 100
    """Messages per request. The server may return fewer."""
    buffer: int = 1000
    """Messages that may wait for the consumer, and as many that may wait for a gap to be filled."""
    total: int = 10_000
    """The same for all conversations of one follower together."""
    grace: float = 2.0
    """Time after a higher number was seen until a number that the list lacks is given up."""
    reorder: float = 0.25
    """Time for a missing number to arrive before the list is fetched."""
    reconcile: float = 300.0
    """Interval of list requests while all is well. They find lost broadcasts."""
    max_backfill: int | None = None
    """Numbers to backfill after a join; older ones are skipped. None for no limit."""
    pages: int = 8
    """Pages that are read before their messages are delivered, where one alone would be
    wasteful."""
    widest: int = 64
    """Where most numbers have no message in the list, these pages span up to this many times
    `limit`."""
    base_backoff: float = 0.25
    max_backoff: float = 30.0
    max_retry_after: float = 60.0
    """Maximum Retry-After."""
    stalled_after: float = 30.0
    """Requests that fail for this long are reported, and so is each longer wait."""
    poll_after: float = 3.0
    """A channel that is not joined for this long is replaced by polling the list."""
    poll: float = 10.0
    """Interval of list requests while the channel is not joined."""
    few: int = 4
    """More conversations than this are checked with one request, for the list of all."""
    gather: float = 1.0
    """Time after a reconnect that the list of all waits for more channels to be joined."""
    requests_per_second: float = 1000.0
    """Rate limit of all conversations of one follower together. One request is in progress at a
    time, so that only a server on the same machine is fast enough to reach this limit while a gap
    is filled."""
    burst: int = 100
    """Requests that may be made at once after a quiet time."""

    def pause(self, random: Callable[[], float], *, is_joined: bool) -> float:
        """Return the time until the next list request, scattered by a fifth."""
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
    """Returns the sender of a message."""
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
                raise UsageError("on_gap is required with max_backfill: it reports skipped numbers")

    def _check_checkpoint(self) -> None:
        for name in ("load", "save"):
            method: object = getattr(self.checkpoint, name, None)
            if not callable(method):
                raise ArgumentTypeError(
                    "checkpoint must have the methods load and save, like SQLiteCheckpoint(path); "
                    f"{name} is missing"
                )
            checked_callback(f"checkpoint.{name}", method, awaits=self.awaits)
