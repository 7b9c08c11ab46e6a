"""Hooks: functions that a client calls on requests, responses, retries and socket events.

The info objects contain no body, header, token or URL. A path is a template such as
`/v1/conversations/{conversation_id}`, which keeps the number of distinct values low.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import attrs

from poolse._support.repr import ReprMixin
from poolse.errors import NetworkError, PoolseError

__all__ = [
    "Hooks",
    "RealtimeEvent",
    "RealtimeInfo",
    "RequestInfo",
    "ResponseInfo",
    "RetryInfo",
]


RealtimeEvent = Literal["connected", "disconnected", "failed", "joined", "left", "trouble"]
"""Kind of an event of a socket, or of a channel on it."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RequestInfo(ReprMixin):
    """Start of a call. All later info objects of the call refer to this object."""

    method: str
    """HTTP method."""
    path: str
    """Path template. In paths outside the spec, possible IDs are replaced by `{}`; requests to the
    object storage have `(storage)`."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RetryInfo(ReprMixin):
    """A failed attempt that is going to be retried."""

    request: RequestInfo
    """The call."""
    attempt: int
    """Number of the failed attempt, from 1."""
    status: int | None
    """HTTP status of the response; None without a response. The retry uses a new token after 401,
    and a new URL after a 4xx of the object storage."""
    error: NetworkError | None
    """Error of the attempt if there was no response, else None."""
    wait: float
    """Seconds until the next attempt."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ResponseInfo(ReprMixin):
    """End of a call, with a result or an error. There is one for each `RequestInfo`."""

    request: RequestInfo
    """The call."""
    attempts: int
    """Number of attempts: 1 plus the retries; 0 if no token was available."""
    status: int | None
    """HTTP status of the last response; None without a response."""
    request_id: str | None
    """The server's ID of the last attempt. Include it in support requests."""
    seconds: float
    """Duration of the call, including waits."""
    error: BaseException | None
    """Exception that the call raised, cancellations included, or None."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RealtimeInfo(ReprMixin):
    """An event of a socket, or of a channel on it."""

    event: RealtimeEvent
    """Kind of event. `failed` is final; after `trouble` the client retries."""
    socket: int
    """Number of the socket, from 1."""
    topic: str | None
    """Topic of the channel, for `joined` and `left`."""
    error: PoolseError | None
    """Error that caused the event, or None."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Hooks(ReprMixin):
    """Functions that a client calls on its requests and events. All are optional.

    REST hooks are called in the thread or task of the call, which waits for them. The realtime hook
    is called for one event at a time, by the thread or task of the callbacks. An async client also
    accepts async functions. Exceptions of a hook are logged and have no other effect.

    Example:
        >>> chat = Poolse(token=token, hooks=Hooks(on_retry=print))
    """

    on_request: Callable[[RequestInfo], object] | None = None
    """Called at the start of a call."""
    on_response: Callable[[ResponseInfo], object] | None = None
    """Called at the end of a call."""
    on_retry: Callable[[RetryInfo], object] | None = None
    """Called before a retry."""
    on_realtime: Callable[[RealtimeInfo], object] | None = None
    """Called on each event of a socket or a channel."""
