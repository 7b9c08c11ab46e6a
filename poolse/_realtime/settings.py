"""Settings of realtime: where to connect, and how long to wait for what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs

from poolse._realtime.reconnect_policy import Policy
from poolse._support.size_limits import MAX_FRAME

if TYPE_CHECKING:
    from ssl import SSLContext

    from poolse._observe.observers import Observers

__all__ = ["CLOSE_WAIT", "JOIN_WAIT", "REPLY_WAIT", "RealtimeSettings"]

JOIN_WAIT: Final = 30.0
"""Default timeout of `wait_joined`, in seconds."""

REPLY_WAIT: Final = 10.0
"""Default timeout of a push and its reply, in seconds."""

CLOSE_WAIT: Final = 5.0
"""Seconds that closing waits for user code, which may never return."""


@attrs.frozen(kw_only=True)
class RealtimeSettings:
    """Settings of realtime. All times are float seconds."""

    url: str
    """URL of the Phoenix socket, such as `wss://host/socket`."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    """Headers of every handshake."""
    proxy: str | None = attrs.field(default=None, repr=False)
    """URL of a proxy; None for the environment's, or the system's."""
    ssl_context: SSLContext | None = None
    """TLS settings; None trusts SSL_CERT_FILE and SSL_CERT_DIR, or the system's store."""
    channels_per_socket: int = attrs.field(default=90, validator=attrs.validators.ge(1))
    """The server allows 100; the difference is for channels that are being left."""
    joins_at_once: int = attrs.field(default=8, validator=attrs.validators.ge(1))
    """Joins without a reply on one socket. The server handles them one by one, and replies to
    nothing else meanwhile."""

    heartbeat_interval: float = 30.0
    """From the reply of a heartbeat to the next heartbeat. The server closes after 60 s without."""
    heartbeat_timeout: float = 10.0
    """For the reply to a heartbeat, counted from when the server could handle it."""
    reading_limit: float = 30.0
    """Additional wait for the reply while other bytes still arrive. A large message may be in front
    of it; but a proxy, too, may forward for a while what it has buffered."""
    connect_timeout: float = 10.0
    """For TCP, TLS and handshake together."""
    token_timeout: float = 60.0
    """For an async `get_token`. One that blocks its thread cannot be ended."""
    join_timeout: float = 10.0
    """For the reply to a join, counted from the reply to the last join before it on the socket."""
    leave_timeout: float = 5.0
    close_timeout: float = 1.0
    """For the server's reply to our close frame."""
    stable_after: float = 10.0
    """After being connected, or joined, for this long, the backoff starts over."""
    reconnect_delays: tuple[float, ...] = (2.0,)
    """Backoff of the first attempts. Later ones double from 5 s to 30 s. The wait is random, up to
    the backoff: a single client is back after one second on average, and a thousand clients spread
    over two seconds."""
    connect_after: float = 5.0
    """After a failure, `connect` ends the wait for the next attempt only after this time. Called in
    an error handler, it would otherwise turn the backoff into a hot loop."""
    max_retry_after: float = 60.0
    """Maximum Retry-After of a refused handshake."""
    rejoin_delays: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)
    """Waits between two joins of a channel; the last one repeats."""

    max_frame: int = MAX_FRAME
    """Maximum size of a message in bytes. A larger one closes the connection with code 1009."""
    observers: Observers | None = attrs.field(default=None, repr=False)
    """Notified of events of sockets and channels."""
    queue_limit: int = 1000
    """Queue limit: events per consumer, and pushes that wait for the socket."""
    policy: Policy = attrs.field(factory=Policy)
    """Where this client differs from the official one."""
