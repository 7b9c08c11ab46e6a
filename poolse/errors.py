"""Every error that the library raises. All of them can be pickled and copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

__all__ = [
    "ApiError",
    "ArgumentTypeError",
    "AuthError",
    "BadRequestError",
    "Cancelled",
    "ChannelClosed",
    "CheckpointError",
    "CheckpointInUse",
    "CheckpointUnusable",
    "ConflictError",
    "ConnectionFailed",
    "DecodeError",
    "DownloadError",
    "FeedReset",
    "ForbiddenError",
    "JoinError",
    "NetworkError",
    "NotFoundError",
    "PoolseError",
    "PushError",
    "PushOutcomeUnknown",
    "PushTimeout",
    "RateLimitedError",
    "RealtimeError",
    "RequestTimeout",
    "ServerError",
    "SlowConsumer",
    "UploadError",
    "UsageError",
    "ValidationError",
]

TimeoutPhase = Literal["connect", "read", "write", "pool", "total"]
"""Which limit of a `Timeout` was reached."""


def _rebuild(cls: type[BaseException], state: dict[str, Any]) -> BaseException:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    error.args = (str(state.get("message", "")),)
    return error


class PoolseError(Exception):
    """Base of all errors of this library.

    Attributes:
        message: What happened, for people.
        request_id: The server's id of the request, or None. Name it when you ask for help.
        idempotency_key: That of the call, or None: a later call with it takes effect once.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.request_id: str | None = None
        self.idempotency_key: str | None = None

    def __str__(self) -> str:
        return self.message  # which may have been added to

    def __reduce__(self) -> tuple[Callable[..., BaseException], tuple[object, ...]]:
        return _rebuild, (type(self), dict(self.__dict__))


class UsageError(PoolseError, ValueError):
    """The library was used in a way that cannot work: wrong arguments, or a closed client."""


class ArgumentTypeError(UsageError, TypeError):
    """An argument has a type that cannot be sent. Also the builtin `TypeError`."""


class CheckpointError(PoolseError):
    """A checkpoint file could not be read or written. `__cause__` has the error of SQLite.

    Nothing is lost: the message in hand is not acknowledged. Asking the feed for the next message
    saves the position again.

    Attributes:
        path: The file.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class CheckpointUnusable(CheckpointError, UsageError):  # noqa: N818  (as ChannelClosed)
    """A file cannot be opened as a checkpoint, or the checkpoint was closed."""


class CheckpointInUse(CheckpointUnusable):
    """Another process, or another object of this one, follows with the same checkpoint file."""


class Cancelled(Exception):  # noqa: N818  (the word of concurrent.futures and asyncio)
    """A `CancelToken` was cancelled. No `PoolseError`, so that one is never taken for the other."""

    def __init__(self, message: str = "cancelled") -> None:
        super().__init__(message)


class ApiError(PoolseError):
    """The server answered with a status that is not 2xx.

    Attributes:
        status: The HTTP status.
        code: The stable code of the error envelope, `unknown_error` when there was no envelope.
        doc_url: Where the code is explained, "" when unknown.
        details: What the envelope said beyond that, as parsed JSON, or None.
        retry_after: Seconds that the server asked to wait, 0.0 when it did not.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        doc_url: str = "",
        details: object = None,
        request_id: str | None = None,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.status: int = status
        self.code: str = code
        self.doc_url: str = doc_url
        self.details: object = details
        self.request_id: str | None = request_id
        self.retry_after: float = retry_after

    def __str__(self) -> str:
        known = [("request_id", self.request_id), ("see", self.doc_url)]
        more = ", ".join(f"{name}={value}" for name, value in known if value)
        what = f": {self.details!s:.200}" if self.details else ""
        return f"{self.status} {self.code}: {self.message}{what}" + (f" ({more})" if more else "")


class BadRequestError(ApiError):
    """400: the request made no sense to the server."""


class AuthError(ApiError):
    """401: the token is refused, also after one refresh. Sign the user in again.

    Realtime raises it too, when the handshake is refused (401 or 403) twice in a row.
    """


class ForbiddenError(ApiError):
    """403: the token is good, but may not do this."""


class NotFoundError(ApiError):
    """404: there is no such row, or the user may not know of it."""


class ConflictError(ApiError):
    """409: the row is in a state that forbids the change."""


class ValidationError(ApiError):
    """422: a value was refused. `details` often says which."""


class RateLimitedError(ApiError):
    """429: too many calls, and the retries are used up, or the wait asked for is too long."""


class ServerError(ApiError):
    """5xx: the server failed, also after the retries."""


class NetworkError(PoolseError):
    """No usable answer came: refused, dropped, cut short, or no name found. See `__cause__`."""


class RequestTimeout(NetworkError, TimeoutError):  # noqa: N818 (as TimeoutError, said first)
    """A time limit was reached. Also the builtin `TimeoutError`.

    Attributes:
        phase: Which limit: `connect`, `read`, `write`, `pool` or `total`.
        limit: That limit in seconds.
    """

    def __init__(self, phase: TimeoutPhase, limit: float) -> None:
        missed = {"connect": "no connection", "pool": "no free connection", "write": "not sent"}
        more = ", or allow more with max_connections=... on the client" if phase == "pool" else ""
        super().__init__(
            f"{missed.get(phase, 'no answer')} within {limit:g} s ({phase} timeout); "
            f"raise it with timeout=Timeout({phase}=...) on the client, a view or the call{more}"
        )
        self.phase: TimeoutPhase = phase
        self.limit = limit


class DecodeError(PoolseError):
    """The server sent something else than the API promises.

    Attributes:
        path: Where in the answer, as `$.data[3].sequence`.
    """

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message if path == "$" else f"{path}: {message}")
        self.path = path


class UploadError(PoolseError):
    """The storage refused the bytes of an upload.

    Attributes:
        status: The storage's HTTP status.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class DownloadError(PoolseError):
    """The bytes of a download did not come, are the wrong ones, or could not be kept.

    Attributes:
        status: The storage's HTTP status when it refused, else None.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RealtimeError(PoolseError):
    """Something went wrong on the socket or on a channel."""


class ConnectionFailed(RealtimeError):  # noqa: N818  (an event, as the three below)
    """The socket could not be opened, or was lost. The client tries again by itself unless `final`.

    Attributes:
        code: WebSocket close code, or HTTP status of a refused handshake, or None.
        final: True when it will not be tried again.
    """

    def __init__(self, message: str, code: int | None = None, *, final: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.final = final


class JoinError(RealtimeError):
    """The server refused a channel.

    Attributes:
        topic: The channel's topic.
        reason: The server's reason, such as `unauthorized`.
    """

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"cannot join {topic}: {reason}")
        self.topic = topic
        self.reason = reason


class ChannelClosed(RealtimeError):  # noqa: N818
    """The channel was left, or the client closed, while something waited on it."""


class PushError(RealtimeError):
    """The server answered a push with an error.

    Attributes:
        event: The event pushed.
        response: The server's response.
    """

    def __init__(self, event: str, response: object) -> None:
        super().__init__(f"{event} was refused: {response}")
        self.event = event
        self.response = response


class PushTimeout(RealtimeError, TimeoutError):  # noqa: N818
    """No reply to a push, or to a join, came in time. Also the builtin `TimeoutError`."""


class PushOutcomeUnknown(RealtimeError):  # noqa: N818
    """The connection was lost between a push and its reply: it may or may not have worked."""


class FeedReset(RealtimeError):  # noqa: N818
    """The log of a conversation began anew on the server: the position means nothing now.

    The feed of one conversation raises it. A feed of several reports it to `on_socket_error`, and
    follows that conversation from its first message.

    Attributes:
        sequence: The number that another message has now.
        conversation_id: The conversation.
    """

    def __init__(self, message: str, sequence: int, conversation_id: str = "") -> None:
        super().__init__(message)
        self.sequence = sequence
        self.conversation_id = conversation_id


class SlowConsumer(RealtimeError):  # noqa: N818
    """Events arrived faster than a subscriber took them, and its queue ran full.

    Attributes:
        dropped: How many events that subscriber lost since the last report.
        topic: The channel's topic; None for handlers that belong to no channel.
        event: Name of the event on the wire; None for an iterator, which takes all events.
        handler: Name of the function that was too slow; None for an iterator.
    """

    def __init__(
        self,
        message: str,
        dropped: int,
        *,
        topic: str | None = None,
        event: str | None = None,
        handler: str | None = None,
    ) -> None:
        super().__init__(message)
        self.dropped = dropped
        self.topic = topic
        self.event = event
        self.handler = handler
