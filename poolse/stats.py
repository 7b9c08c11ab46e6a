"""What `chat.stats()` gives: numbers of a client, for dashboards and for whoever looks for a leak.

They are those of the client and all its views together, since it was made.
"""

from __future__ import annotations

import attrs

from poolse.types import RealtimeStatus

__all__ = ["CallStats", "FollowStats", "PoolStats", "RealtimeStats", "Stats"]


@attrs.frozen(kw_only=True)
class CallStats:
    """Calls over REST. An upload, and a download, is two of them: the API's and the storage's."""

    begun: int
    """All calls so far."""
    active: int
    """Those that are not over."""
    retries: int
    """Attempts that were repeated."""
    errors: int
    """Calls that raised, cancellations included."""


@attrs.frozen(kw_only=True)
class PoolStats:
    """The connections of REST."""

    size: int
    """How many requests can be under way: `max_connections`."""
    in_use: int
    """Requests that are under way."""
    waiting: int
    """Requests that wait for their turn."""


@attrs.frozen(kw_only=True)
class RealtimeStats:
    """Sockets, channels, and what waits to be told to the program."""

    status: RealtimeStatus
    """As `chat.realtime.status`."""
    sockets: int
    """Sockets that are open."""
    channels: int
    """Channels that somebody wants."""
    joined: int
    """Those that the server has let us into."""
    reconnects: int
    """How often a socket was opened again."""
    queued: int
    """Calls of callbacks that wait for their turn."""
    dropped: int
    """Calls of callbacks that were dropped, as `chat.realtime.dropped`."""


@attrs.frozen(kw_only=True)
class FollowStats:
    """What `follow` did."""

    feeds: int
    """Feeds that are open."""
    delivered: int
    """Messages that were handed out."""
    gaps: int
    """Times that numbers were passed over."""
    pages: int
    """Requests for what was missed."""
    failures: int
    """Those that failed, and were made again."""


@attrs.frozen(kw_only=True)
class Stats:
    """Numbers of one client."""

    calls: CallStats
    """Calls over REST."""
    pool: PoolStats | None
    """Their connections; None with an `http_client` of your own, and before the first request."""
    realtime: RealtimeStats | None
    """None before realtime, or `follow`, is first used."""
    follow: FollowStats | None
    """None before realtime, or `follow`, is first used."""
