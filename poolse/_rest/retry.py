"""What a response, or its absence, means for a call.

Pure and total: every outcome of an attempt has exactly one decision here, so the loop in `call.py`
has nothing left to decide.
"""

from __future__ import annotations

import attrs

from poolse._rest.api_errors import api_error
from poolse._rest.endpoint import Endpoint
from poolse._rest.http_messages import Request, Response
from poolse._rest.settings import Settings
from poolse._support.backoff import full_jitter, parse_retry_after
from poolse.errors import NetworkError, PoolseError

__all__ = [
    "Decision",
    "Progress",
    "Raise",
    "Refresh",
    "Retry",
    "Return",
    "decide",
    "decide_without_response",
    "is_transient",
    "may_repeat",
    "retry_delay",
]

NOTHING = b"null"
"""JSON null."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@attrs.frozen(eq=False, repr=False)
class Return:
    """Decode this and return it."""

    content: bytes


@attrs.frozen(eq=False, repr=False)
class Refresh:
    """Reject the token; if another can be had, send again, outside the budget of retries."""

    otherwise: PoolseError


@attrs.frozen(eq=False, repr=False)
class Retry:
    """Sleep so many seconds, then send again."""

    seconds: float


@attrs.frozen(eq=False, repr=False)
class Raise:
    """Raise."""

    error: PoolseError


Decision = Return | Refresh | Retry | Raise


@attrs.define(eq=False, repr=False)
class Progress:
    """How far a call has come."""

    budget: int
    """Retries that it may use in all."""
    none_on: tuple[int, ...] = ()
    """Statuses that mean None."""
    retries: int = 0
    refreshed: bool = False
    attempts: int = 0
    """How often the request was sent."""
    response: Response | None = None
    """That of the last attempt, if one came."""
    network_error: NetworkError | None = None
    """Why none came."""


def may_repeat(endpoint: Endpoint[object], request: Request) -> bool:
    """Return whether the request can be sent twice and still take effect once."""
    # A lost attempt may have been carried out: only the key makes it safe to send a change again.
    # An empty one is none to the server.
    return endpoint.retry and (request.method in SAFE_METHODS or bool(request.idempotency_key))


def decide(
    response: Response, settings: Settings, progress: Progress, now: float, random: float
) -> Decision:
    """Decide on a response with any status."""
    status = response.status
    if 200 <= status < 300:
        return Return(response.content)
    if status in progress.none_on:
        return Return(NOTHING)
    asked = parse_retry_after(response.headers.get("retry-after"), now)
    error = api_error(response, asked, settings.errors)
    if status == 401 and not progress.refreshed:
        return Refresh(error)
    if is_transient(status) and asked <= settings.max_retry_after:
        return retry_delay(settings, progress, random, at_least=asked) or Raise(error)
    return Raise(error)


def decide_without_response(
    error: NetworkError, settings: Settings, progress: Progress, random: float
) -> Retry | Raise:
    """Decide on an attempt that brought no response."""
    return retry_delay(settings, progress, random) or Raise(error)


def is_transient(status: int) -> bool:
    """Return whether an error with this status is a transient failure."""
    return status == 429 or status >= 500


def retry_delay(
    settings: Settings, progress: Progress, random: float, at_least: float = 0.0
) -> Retry | None:
    """Return the wait before another attempt, if there is one left."""
    if progress.retries >= progress.budget:
        return None
    backoff = full_jitter(settings.base_backoff, settings.max_backoff, progress.retries, random)
    return Retry(max(at_least, backoff))
