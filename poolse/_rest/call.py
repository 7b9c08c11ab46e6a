"""One call from start to end: build the request, then get a token, send and decide, in a loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from poolse._json.codec import decode
from poolse._observe.observers import RequestObserver
from poolse._rest.endpoint import Auth, Endpoint
from poolse._rest.http_messages import Request
from poolse._rest.request import authorised, build
from poolse._rest.request_io import RequestIO
from poolse._rest.retry import (
    Progress,
    Raise,
    Refresh,
    Retry,
    Return,
    decide,
    decide_without_response,
    may_repeat,
)
from poolse._rest.settings import Settings
from poolse._support.exception_copies import own_copy
from poolse._support.id_arguments import hint_for
from poolse.errors import NetworkError, NotFoundError, PoolseError

__all__ = ["call"]

T = TypeVar("T")


async def call(
    io: RequestIO,
    settings: Settings,
    endpoint: Endpoint[T],
    path: Mapping[str, object],
    query: Mapping[str, object] | None = None,
    body: object = None,
) -> T:
    """Carry out one operation. `settings` are those of this call.

    Raises:
        ApiError: The server refused, and retries did not help or are not allowed.
        NetworkError: No response came.
        DecodeError: The response is not what the API promises.
        Cancelled: The cancel token was cancelled.
        UsageError: An argument that cannot be sent.
    """
    request = build(endpoint, path, query, body, settings)
    budget = settings.max_retries if may_repeat(endpoint, request) else 0
    progress = Progress(budget, endpoint.none_on)
    observer = RequestObserver(io.observers, request.method, endpoint.path, progress, request)
    async with observer:
        try:
            # In one: the body, which may hold a token, must not be among the local variables.
            return decode(
                endpoint.read,
                await _content(io, settings, endpoint.auth, request, progress, observer),
            )
        except PoolseError as error:
            failure = _identified(error, request, progress)
            if isinstance(error, NotFoundError):
                _add_hints(failure, path)
        try:
            # Out here, so that it does not have the error that it is a copy of as its context.
            raise failure
        finally:
            del failure


async def _content(
    io: RequestIO,
    settings: Settings,
    auth: Auth,
    request: Request,
    progress: Progress,
    observer: RequestObserver,
) -> bytes:
    """Send the request until it succeeds, and return the body of the response."""
    # With an Authorization of the caller's own, neither a token nor its refresh is of any use.
    foreign = auth.name.lower() in settings.header_names
    while True:
        token = None if foreign else await io.tokens.get(settings.cancel)
        progress.attempts += 1
        progress.response = None
        decision: Return | Refresh | Retry | Raise
        try:
            progress.response = await io.sender.send(
                authorised(request, token, auth), settings.timeout, settings.cancel
            )
        except NetworkError as failure:
            progress.network_error = failure
            decision = decide_without_response(failure, settings, progress, io.random())
        else:
            decision = decide(progress.response, settings, progress, io.now(), io.random())
        match decision:
            case Return(content):
                return content
            case Refresh(error):
                if foreign or not io.tokens.reject(token):
                    raise error
                progress.refreshed = True
                await observer.retry(0.0)
            case Retry(seconds):
                await observer.retry(seconds)
                await io.sender.sleep(seconds, settings.cancel)
                progress.retries += 1
            case Raise(error):
                raise error


def _add_hints(error: PoolseError, path: Mapping[str, object]) -> None:
    """Add notes about IDs in the path that cannot be IDs, which a traceback shows."""
    for name, value in path.items():
        hint = hint_for(name, value) if name.endswith("_id") else None
        if hint is not None:
            error.add_note(hint)


def _identified(error: PoolseError, request: Request, progress: Progress) -> PoolseError:
    """Return the error with the IDs of the request, on either side.

    A copy: an error that `get_token` raised may be raised in other calls too, and each call has a
    key of its own. That of the call counts, and none of a request for a token.
    """
    own = own_copy(error)
    own.idempotency_key = request.idempotency_key
    if progress.response is not None:
        own.request_id = own.request_id or progress.response.headers.get("x-request-id")
    return own
