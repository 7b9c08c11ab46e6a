"""What a feed was told about times and sizes."""

from __future__ import annotations

import attrs

__all__ = ["FeedSettings"]


@attrs.frozen(kw_only=True)
class FeedSettings:
    """Everything that decides how a feed goes. All times are float seconds."""

    limit: int = 100
    """Rows to ask for in one request. The server may send fewer."""
    buffer: int = 1000
    """Rows that may wait for the consumer, and as many that may wait for a gap to be filled."""
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
    """Pages that are read before their rows are handed out, where one alone would be wasteful."""
    widest: int = 64
    """Where most numbers are no rows of the list, those pages span up to so many times `limit`."""
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
