"""ONE call from start to end: token, send, judge, then return, refresh, back off or raise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from poolse._json.codec import decode
from poolse._observe.observers import RequestObserver
from poolse._rest.endpoint import Endpoint
from poolse._rest.request import authorised, build
from poolse._rest.request_io import Request, RequestIO
from poolse._rest.retry import (
    Progress,
    Raise,
    Refresh,
    Retry,
    Return,
    Verdict,
    decide,
    decide_without_response,
    may_repeat,
)
from poolse._rest.settings import Settings
from poolse._support.exceptions import own_copy
from poolse.errors import NetworkError, PoolseError

__all__ = ["call"]

T = TypeVar("T")


async def call(
    hands: RequestIO,
    settings: Settings,
    endpoint: Endpoint[T],
    path: Mapping[str, object],
    query: Mapping[str, object] | None = None,
    body: object = None,
) -> T:
    """Carry out one operation. `settings` are those of this call.

    Raises:
        ApiError: The server refused, and trying again did not help or is not allowed.
        NetworkError: No answer came.
        DecodeError: An answer came that the API does not promise.
        Cancelled: The cancel token was cancelled.
        UsageError: An argument that cannot be sent.
    """
    request = build(endpoint, path, query, body, settings)
    budget = settings.max_retries if may_repeat(endpoint, request) else 0
    progress = Progress(budget, endpoint.none_on)
    async with RequestObserver(hands, request.method, endpoint.path, progress) as watch:
        try:
            # In one: what the answer holds must not be among the local variables of a traceback.
            result = decode(endpoint.read, await _answer(hands, settings, request, progress, watch))
        except PoolseError as error:
            failure = _identified(error, request, progress, endpoint.idempotency or "")
        except BaseException as error:
            hands.captures.add(request, progress.answer, progress.attempts, error)
            raise
        else:
            hands.captures.add(request, progress.answer, progress.attempts)
            return result
        hands.captures.add(request, progress.answer, progress.attempts, failure)
        try:
            # Out here, so that it does not have the error that it is a copy of as its context.
            raise failure
        finally:
            del failure


def _identified(
    error: PoolseError, request: Request, progress: Progress, header: str
) -> PoolseError:
    """The error, saying which request it is about, on either side.

    A copy: one that `get_token` raised may be raised in other calls too, and each call has a key
    of its own. That of the call counts, and none of a request for a token.
    """
    own = own_copy(error)
    own.idempotency_key = request.header(header)
    if progress.answer is not None:
        own.request_id = own.request_id or progress.answer.headers.get("x-request-id")
    return own


async def _answer(
    hands: RequestIO,
    settings: Settings,
    request: Request,
    progress: Progress,
    watch: RequestObserver,
) -> bytes:
    # With an Authorization of the caller's own, neither a token nor its refresh is of any use.
    foreign = request.header("Authorization") is not None
    while True:
        token = None if foreign else await hands.tokens.get(settings.cancel)
        match await _attempt(hands, settings, authorised(request, token), progress):
            case Return(content):
                return content
            case Refresh(otherwise):
                if foreign or not hands.tokens.reject(token):
                    raise otherwise
                progress.refreshed = True
                await watch.retries(0.0)
            case Retry(seconds):
                await watch.retries(seconds)
                await hands.sender.sleep(seconds, settings.cancel)
                progress.retries += 1
            case Raise(error):
                raise error


async def _attempt(
    hands: RequestIO, settings: Settings, request: Request, progress: Progress
) -> Verdict:
    progress.attempts += 1
    progress.answer = None
    try:
        answer = await hands.sender.send(request, settings.timeout, settings.cancel)
    except NetworkError as error:
        progress.loss = error
        return decide_without_response(error, settings, progress, hands.random())
    progress.answer = answer
    return decide(answer, settings, progress, hands.now(), hands.random())
