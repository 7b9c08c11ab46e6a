"""Every error that the library raises. All of them can be pickled and copied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

__all__ = [
    "ApiError",
    "ArgumentTypeError",
    "AuthError",
    "BadRequestError",
    "CallStateError",
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
    "VoiceError",
]

TimeoutPhase = Literal["connect", "read", "write", "pool", "total"]
"""The timeout of a `Timeout` that expired."""


def _rebuild(cls: type[BaseException], state: dict[str, Any]) -> BaseException:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    error.args = (str(state.get("message", "")),)
    return error


class PoolseError(Exception):
    """Base class of all errors of this library, except `Cancelled`.

    Attributes:
        message: Description of the error.
        request_id: The server's ID of the request, or None. Include it in support requests.
        idempotency_key: Idempotency key of the call, or None. A later call with the same key takes
            effect only once.
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
    """Invalid use of the library: an invalid argument, or a closed client."""


class ArgumentTypeError(UsageError, TypeError):
    """An argument has the wrong type. Also a builtin `TypeError`."""


class CheckpointError(PoolseError):
    """A checkpoint file could not be read or written. `__cause__` is the error of SQLite.

    No message is lost: the current message is not acknowledged. Requesting the next message retries
    the save.

    Attributes:
        path: Path of the file.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class CheckpointUnusable(CheckpointError, UsageError):  # noqa: N818  (as ChannelClosed)
    """The file cannot be opened as a checkpoint, or the checkpoint is closed."""


class CheckpointInUse(CheckpointUnusable):
    """The checkpoint file is in use by another process, or another object of this process."""


class Cancelled(Exception):  # noqa: N818  (the word of concurrent.futures and asyncio)
    """A `CancelToken` was cancelled. Not a `PoolseError`, so `except PoolseError` misses it."""

    def __init__(self, message: str = "cancelled") -> None:
        super().__init__(message)


class ApiError(PoolseError):
    """The server responded with a status that is not 2xx.

    Attributes:
        status: HTTP status.
        code: Stable code of the error envelope; `unknown_error` without an envelope.
        doc_url: URL of the documentation of the code, or "".
        details: Further details of the envelope, as parsed JSON, or None.
        retry_after: Seconds of the Retry-After header, or 0.0.
        rate_limit: Rate-limit headers of the response, such as `ratelimit-remaining`, by their
            names in lower case; empty if the server sends none. New in 0.5.
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
        self.rate_limit: Mapping[str, str] = {}

    def __str__(self) -> str:
        known = [("request_id", self.request_id), ("see", self.doc_url)]
        more = ", ".join(f"{name}={value}" for name, value in known if value)
        what = f": {self.details!s:.200}" if self.details else ""
        return f"{self.status} {self.code}: {self.message}{what}" + (f" ({more})" if more else "")


class BadRequestError(ApiError):
    """400: the request was malformed."""


class AuthError(ApiError):
    """401: the token was refused, even after it was refreshed once. Sign the user in again.

    Realtime also raises it, if the handshake is refused (401 or 403) twice in a row.
    """


class ForbiddenError(ApiError):
    """403: the token is valid, but does not permit this."""


class NotFoundError(ApiError):
    """404: the object does not exist, or is not visible to the user."""


class ConflictError(ApiError):
    """409: the state of the object forbids the change."""


class ValidationError(ApiError):
    """422: a value was invalid. `details` often names it."""


class RateLimitedError(ApiError):
    """429: too many requests; the retries are exhausted, or `retry_after` is too long."""


class ServerError(ApiError):
    """5xx: the server failed, even after the retries."""


class NetworkError(PoolseError):
    """No complete response: connection refused or lost, or host not found. See `__cause__`."""


class RequestTimeout(NetworkError, TimeoutError):  # noqa: N818 (as TimeoutError, said first)
    """A timeout expired. Also a builtin `TimeoutError`.

    Attributes:
        phase: The timeout that expired: `connect`, `read`, `write`, `pool` or `total`.
        limit: This timeout in seconds.
    """

    def __init__(self, phase: TimeoutPhase, limit: float) -> None:
        missed = {"connect": "no connection", "pool": "no free connection", "write": "not sent"}
        more = ", or allow more with max_connections=... on the client" if phase == "pool" else ""
        super().__init__(
            f"{missed.get(phase, 'no response')} within {limit:g} s ({phase} timeout); "
            f"raise it with timeout=Timeout({phase}=...) on the client, a view or the call{more}"
        )
        self.phase: TimeoutPhase = phase
        self.limit = limit


class DecodeError(PoolseError):
    """The response does not match the API.

    Attributes:
        path: Path in the response, such as `$.data[3].sequence`.
    """

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message if path == "$" else f"{path}: {message}")
        self.path = path


class UploadError(PoolseError):
    """The object storage refused the bytes of an upload.

    Attributes:
        status: HTTP status of the object storage.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class DownloadError(PoolseError):
    """A download failed: refused by the object storage, wrong size or hash, or not writable.

    Attributes:
        status: HTTP status of the object storage if it refused, else None.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RealtimeError(PoolseError):
    """Base class of errors of the socket and of channels."""


class ConnectionFailed(RealtimeError):  # noqa: N818  (an event, as the three below)
    """The socket could not connect, or was lost. The client reconnects unless `final`.

    Attributes:
        code: WebSocket close code, or HTTP status of a refused handshake, or None.
        final: True if the client does not reconnect.
    """

    def __init__(self, message: str, code: int | None = None, *, final: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.final = final


class JoinError(RealtimeError):
    """The server refused to join a channel.

    Attributes:
        topic: Topic of the channel.
        reason: Reason from the server, such as `unauthorized`.
    """

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"cannot join {topic}: {reason}")
        self.topic = topic
        self.reason = reason


class ChannelClosed(RealtimeError):  # noqa: N818
    """The channel was left, or the client closed, while a call waited for it."""


class PushError(RealtimeError):
    """The server replied to a push with an error.

    Attributes:
        event: Name of the pushed event.
        response: Response from the server.
    """

    def __init__(self, event: str, response: object) -> None:
        super().__init__(f"{event} was refused: {response}")
        self.event = event
        self.response = response


class PushTimeout(RealtimeError, TimeoutError):  # noqa: N818
    """No reply to a push or join, or no event, in time. Also a builtin `TimeoutError`."""


class PushOutcomeUnknown(RealtimeError):  # noqa: N818
    """The connection was lost before the reply to a push: it may or may not have taken effect."""


class CallStateError(RealtimeError):
    """The call does not allow this now, for example because the caller cancelled it.

    Attributes:
        status: Status of the call, such as `cancelled`.
    """

    def __init__(self, message: str, status: str) -> None:
        super().__init__(message)
        self.status = status


class VoiceError(RealtimeError):
    """The server refused something in a voice room, or the room is not joined.

    Attributes:
        reason: Reason from the server, such as `invalid_signal`; `not_joined` if nothing was sent.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class FeedReset(RealtimeError):  # noqa: N818
    """The sequence numbers of a conversation restarted on the server, so the position is invalid.

    The feed of one conversation raises it. A feed of several reports it to `on_socket_error` and
    follows that conversation from its first message.

    Attributes:
        sequence: Sequence number that belongs to another message now.
        conversation_id: ID of the conversation.
    """

    def __init__(self, message: str, sequence: int, conversation_id: str = "") -> None:
        super().__init__(message)
        self.sequence = sequence
        self.conversation_id = conversation_id


class SlowConsumer(RealtimeError):  # noqa: N818
    """A subscriber consumed events too slowly, its queue was full, and events were dropped.

    Attributes:
        dropped: Number of events that the subscriber lost since the last report.
        topic: Topic of the channel; None for handlers without a channel.
        event: Name of the event on the wire; None for an iterator, which receives all events.
        handler: Name of the slow function; None for an iterator.
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
