"""Statistics of a client, from `chat.stats()`, for dashboards and to find leaks.

They count the client and all its views together, since the client was created.
"""

from __future__ import annotations

import attrs

from poolse.types import RealtimeStatus

__all__ = ["CallStats", "FollowStats", "PoolStats", "RealtimeStats", "Stats"]


@attrs.frozen(kw_only=True)
class CallStats:
    """REST calls. An upload or download counts as two: of the API and of the object storage."""

    begun: int
    """Number of calls started."""
    active: int
    """Number of calls in progress."""
    retries: int
    """Number of retries."""
    errors: int
    """Number of calls that raised, cancellations included."""


@attrs.frozen(kw_only=True)
class PoolStats:
    """The HTTP connection pool."""

    size: int
    """Maximum number of connections: `max_connections`."""
    in_use: int
    """Number of requests in progress."""
    waiting: int
    """Number of requests that wait for a connection."""


@attrs.frozen(kw_only=True)
class RealtimeStats:
    """Sockets, channels and queued callbacks."""

    status: RealtimeStatus
    """Same as `chat.realtime.status`."""
    sockets: int
    """Number of open sockets."""
    channels: int
    """Number of channels in use."""
    joined: int
    """Number of channels that are joined."""
    reconnects: int
    """Number of reconnects of all sockets."""
    queued: int
    """Number of callback calls in the queues."""
    dropped: int
    """Number of callback calls that were dropped, same as `chat.realtime.dropped`."""


@attrs.frozen(kw_only=True)
class FollowStats:
    """Feeds of `follow`."""

    feeds: int
    """Number of open feeds."""
    delivered: int
    """Number of messages delivered."""
    gaps: int
    """Number of gaps reported."""
    pages: int
    """Number of requests for missed messages."""
    failures: int
    """Number of these requests that failed and were retried."""


@attrs.frozen(kw_only=True)
class Stats:
    """Statistics of one client."""

    calls: CallStats
    """REST calls."""
    pool: PoolStats | None
    """The HTTP connection pool; None with your own `http_client`, and before the first request."""
    realtime: RealtimeStats | None
    """Sockets and channels; None before the first use of realtime or `follow`."""
    follow: FollowStats | None
    """Feeds; None before the first use of realtime or `follow`."""
