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
"""Seconds that a join is waited for unless the caller says otherwise."""

REPLY_WAIT: Final = 10.0
"""Seconds that the reply to a push is waited for unless the caller says otherwise."""

CLOSE_WAIT: Final = 5.0
"""Seconds that closing waits for user code, which can hold it up for as long as it likes."""


@attrs.frozen(kw_only=True)
class RealtimeSettings:
    """Everything that decides how realtime goes. All times are float seconds."""

    url: str
    """Where the Phoenix socket is mounted: `wss://host/socket`."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    """Sent with every handshake."""
    proxy: str | None = attrs.field(default=None, repr=False)
    """URL of a proxy; None takes the environment's, or the system's."""
    ssl_context: SSLContext | None = None
    """TLS settings; None trusts SSL_CERT_FILE and SSL_CERT_DIR, or the system's store."""
    channels_per_socket: int = attrs.field(default=90, validator=attrs.validators.ge(1))
    """The server takes 100; some room is left for channels that are on their way out."""
    joins_at_once: int = attrs.field(default=8, validator=attrs.validators.ge(1))
    """Joins that may be unanswered on one socket. The server works on them one by one, and
    answers nothing else meanwhile."""

    heartbeat_interval: float = 30.0
    """From one heartbeat's reply to the next heartbeat. The server hangs up after 60 s without."""
    heartbeat_timeout: float = 10.0
    """For the reply to a heartbeat, counted from when the server could get to it."""
    reading_limit: float = 30.0
    """How much longer it is waited for the reply while something else still comes in. A large
    message may be in front of it; but a proxy, too, may hand on for a while what it had."""
    connect_timeout: float = 10.0
    """For TCP, TLS and handshake together."""
    token_timeout: float = 60.0
    """For an async `get_token`. Nothing can end one that blocks its thread."""
    join_timeout: float = 10.0
    """For the reply to a join, counted from the last join before it that the socket answered."""
    leave_timeout: float = 5.0
    close_timeout: float = 1.0
    """For the server's answer to our close frame."""
    stable_after: float = 10.0
    """Up, or joined, for so long, a connection or channel counts as good again."""
    reconnect_delays: tuple[float, ...] = (2.0,)
    """Spans of the first attempts. Later ones double from 5 s to 30 s. A random part is waited: a
    single client is back after one second on average, and a thousand come over two seconds."""
    connect_after: float = 5.0
    """After a failure, `connect` ends the wait for the next attempt only when so much time has
    passed. Called in an error handler, it would else make a hot loop of the backoff."""
    max_retry_after: float = 60.0
    """The longest wait that a Retry-After of a refused handshake can ask for."""
    rejoin_delays: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)
    """Between two joins of a channel; the last one repeats."""

    max_frame: int = MAX_FRAME
    """Bytes. A larger message ends the connection with code 1009."""
    observers: Observers | None = attrs.field(default=None, repr=False)
    """Notified of what becomes of sockets and channels."""
    queue_limit: int = 1000
    """Events that may wait for one consumer, and pushes that may wait for the socket."""
    policy: Policy = attrs.field(factory=Policy)
    """What we do otherwise than the official client."""
