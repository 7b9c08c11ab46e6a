"""What an answer, or its absence, means for a call.

Pure and total: every outcome of an attempt has exactly one verdict here, so the loop in `call.py`
has nothing left to decide.
"""

from __future__ import annotations

import attrs

from poolse._core.answers import api_error
from poolse._core.backoff import full_jitter, parse_retry_after
from poolse._core.endpoint import Endpoint
from poolse._core.hands import Answer, Outgoing
from poolse._core.settings import Settings
from poolse.errors import NetworkError, PoolseError

__all__ = [
    "Done",
    "Fail",
    "Progress",
    "Refresh",
    "Verdict",
    "Wait",
    "judge_answer",
    "judge_loss",
    "may_pass",
    "may_repeat",
    "pause",
]

NOTHING = b"null"
"""What JSON says of nothing."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@attrs.frozen(eq=False, repr=False)
class Done:
    """Decode this and return it."""

    content: bytes


@attrs.frozen(eq=False, repr=False)
class Refresh:
    """Reject the token; if another can be had, send again, outside the budget of retries."""

    otherwise: PoolseError


@attrs.frozen(eq=False, repr=False)
class Wait:
    """Sleep so many seconds, then send again."""

    seconds: float


@attrs.frozen(eq=False, repr=False)
class Fail:
    """Raise."""

    error: PoolseError


Verdict = Done | Refresh | Wait | Fail


@attrs.define(eq=False, repr=False)
class Progress:
    """How far a call has come."""

    budget: int
    """Retries that it may use in all."""
    none_on: tuple[int, ...] = ()
    """Statuses that say that there is nothing."""
    retries: int = 0
    refreshed: bool = False
    attempts: int = 0
    """How often the request was sent."""
    answer: Answer | None = None
    """To the last attempt, if one came."""
    loss: NetworkError | None = None
    """Why none came."""


def may_repeat(endpoint: Endpoint[object], request: Outgoing) -> bool:
    """Whether the request can be sent twice and still take effect once."""
    # A lost attempt may have been carried out: only the key makes it safe to send a change again.
    # An empty one is none to the server.
    key = request.header(endpoint.idempotency) if endpoint.idempotency else None
    return endpoint.retry and (request.method in SAFE_METHODS or bool(key))


def judge_answer(
    answer: Answer, settings: Settings, progress: Progress, now: float, random: float
) -> Verdict:
    """The verdict on an answer with any status."""
    status = answer.status
    if 200 <= status < 300:
        return Done(answer.content)
    if status in progress.none_on:
        return Done(NOTHING)
    asked = parse_retry_after(answer.headers.get("retry-after"), now)
    error = api_error(answer, asked)
    if status == 401 and not progress.refreshed:
        return Refresh(error)
    if may_pass(status) and asked <= settings.max_retry_after:
        return pause(settings, progress, random, at_least=asked) or Fail(error)
    return Fail(error)


def judge_loss(
    error: NetworkError, settings: Settings, progress: Progress, random: float
) -> Wait | Fail:
    """The verdict on an attempt that brought no answer."""
    return pause(settings, progress, random) or Fail(error)


def may_pass(status: int) -> bool:
    """Whether a refusal with this status may be over soon."""
    return status == 429 or status >= 500


def pause(
    settings: Settings, progress: Progress, random: float, at_least: float = 0.0
) -> Wait | None:
    """The wait before another attempt, if there is one left."""
    if progress.retries >= progress.budget:
        return None
    backoff = full_jitter(settings.base_backoff, settings.max_backoff, progress.retries, random)
    return Wait(max(at_least, backoff))
