"""What a client tells its observers: calls, answers, retries, and what becomes of the sockets.

No info object holds a body, a header, a token or a URL. A path is that of the API's description,
such as `/v1/conversations/{conversation_id}`, so that there are few of them.
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
"""What can become of a socket, or of a channel on it."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RequestInfo(ReprMixin):
    """A call begins. The same object is in all that is told of that call later."""

    method: str
    """The HTTP method."""
    path: str
    """The template of the path. Of a call that the spec does not know, what may be an id is `{}`;
    of bytes that go to or come from the storage it is `(storage)`."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RetryInfo(ReprMixin):
    """An attempt did not work, and another one follows."""

    request: RequestInfo
    """The call."""
    attempt: int
    """Which one it was, from 1."""
    status: int | None
    """The HTTP status of its answer; None when none came. With 401, the next one has another token,
    and with a 4xx of the storage another URL."""
    error: NetworkError | None
    """Why no answer came, or None."""
    wait: float
    """Seconds until the next attempt."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ResponseInfo(ReprMixin):
    """A call is over, with a result or with an error. There is one for each `RequestInfo`."""

    request: RequestInfo
    """The call."""
    attempts: int
    """How often it was sent: 1 and the retries; 0 when there was no token to send."""
    status: int | None
    """The HTTP status of the last attempt's answer; None when none came."""
    request_id: str | None
    """The server's id of that attempt. Name it when you ask for help."""
    seconds: float
    """From the start of the call to its end, waits included."""
    error: BaseException | None
    """What it raised, cancellations included, or None."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RealtimeInfo(ReprMixin):
    """Something became of a socket, or of a channel on it."""

    event: RealtimeEvent
    """`failed` is for good; after `trouble` it is tried again."""
    socket: int
    """Which one, from 1."""
    topic: str | None
    """Of `joined` and `left`: the channel."""
    error: PoolseError | None
    """What was the matter, or None."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Hooks(ReprMixin):
    """Functions that a client calls with what happens. Leave out what is not wanted.

    Those of REST are called in the thread or task of the call, which waits for them. The one of
    realtime is called one event after the other by the thread or task of the callbacks. In an async
    client each may be `async`. What one raises is logged, and changes nothing else.

    Example:
        >>> chat = Poolse(token=token, hooks=Hooks(on_retry=print))
    """

    on_request: Callable[[RequestInfo], object] | None = None
    """A call begins."""
    on_response: Callable[[ResponseInfo], object] | None = None
    """A call is over."""
    on_retry: Callable[[RetryInfo], object] | None = None
    """An attempt failed, and another one follows."""
    on_realtime: Callable[[RealtimeInfo], object] | None = None
    """Something became of a socket or of a channel."""
