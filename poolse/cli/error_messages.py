"""What an error means to the person who typed the command, and what to do about it."""

from __future__ import annotations

from typing import Final

from poolse import errors
from poolse.cli.failure import AUTH, BUG, FAILED, NETWORK, NOT_FOUND, USAGE, Failure

__all__ = ["error_message"]

RENEW: Final = "get a new one: `poolse token EXTERNAL_ID` makes them, with the API key"
OTHER: Final = "look the key up where you keep the secrets of your tenant"
MEMBER: Final = "the user of the token has to be a member: ask the owner, or take another token"
LOOK: Final = "look at the id again; `poolse listen` shows those of the user's conversations"
REACH: Final = "is it up, and is that its address? --api-url or POOLSE_API_URL says another"
LATER: Final = "the request was tried several times; try again later"

_MEANING: Final[tuple[tuple[type[Exception], int, str], ...]] = (
    (errors.AuthError, AUTH, RENEW),
    (errors.ForbiddenError, AUTH, MEMBER),
    (errors.NotFoundError, NOT_FOUND, LOOK),
    (errors.RateLimitedError, FAILED, LATER),
    (errors.ServerError, FAILED, LATER),
    (errors.NetworkError, NETWORK, REACH),
    (errors.ConnectionFailed, NETWORK, REACH),
    (errors.PushTimeout, NETWORK, REACH),
    (errors.JoinError, AUTH, MEMBER),
    (errors.UsageError, USAGE, ""),
    (errors.PoolseError, FAILED, ""),
)
"""The first kind that fits counts."""


def error_message(error: Exception) -> Failure:
    """The failure that a person is told of."""
    if isinstance(error, Failure):
        return error
    for kind, exit_code, hint in _MEANING:
        if isinstance(error, kind):
            is_key = isinstance(error, errors.ApiError) and error.code == "invalid_api_key"
            return Failure(_said(error), exit_code, OTHER if is_key else hint)
    if isinstance(error, ModuleNotFoundError) and error.name == "rich":
        return Failure("this needs rich", FAILED, "pip install 'poolse[cli]'")
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return Failure(f"{error.strerror}{where}")
    return Failure(
        f"this should not happen ({type(error).__name__}): it is a mistake in poolse, not yours",
        BUG,
        "run it again with --debug, and report what it prints to the makers of poolse",
    )


def _said(error: Exception) -> str:
    if isinstance(error, errors.RequestTimeout):
        # Its own words are about an argument in Python.
        return f"no answer within {error.limit:g} s ({error.phase})"
    if not isinstance(error, errors.ApiError):
        return str(error)
    details = f": {error.details}" if error.details else ""
    request = f", request {error.request_id}" if error.request_id else ""
    return f"{error.message}{details} ({error.status} {error.code}{request})"
