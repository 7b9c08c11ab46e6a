"""Exit codes and error messages of commands."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import click

from poolse import errors
from poolse.cli.failure import (
    AUTH,
    BUG,
    FAILED,
    INTERRUPTED,
    NETWORK,
    NOT_FOUND,
    READER_GONE,
    TERMINATED,
    USAGE,
    Failure,
)
from poolse.cli.sanitize import json_text, sanitized
from poolse.cli.session import Session

__all__ = ["Terminated", "as_failure", "exit_code_of", "terminable"]

RENEW: Final = "get a new token: `poolse token EXTERNAL_ID` issues one, with the API key"
OTHER: Final = "check the API key of your tenant"
MEMBER: Final = "the user must be a member: ask the owner, or use another token"
LOOK: Final = "check the ID; `poolse listen` shows the IDs of the user's conversations"
REACH: Final = "is the server running at this address? Set --api-url or POOLSE_API_URL to change it"
LATER: Final = "the request was retried several times; try again later"

MEANINGS: Final[tuple[tuple[type[Exception], int, str], ...]] = (
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
"""Exit codes and hints, by exception; the first match is used."""


class Terminated(KeyboardInterrupt):
    """SIGTERM. Handled like Ctrl-C, but with another exit code."""


def exit_code_of(session: Session, command: Callable[[], object]) -> int:
    """Run a command and return its exit code. What click raises for itself passes through."""
    try:
        command()
        sys.stdout.flush()
    except (click.ClickException, click.exceptions.Exit):
        raise
    except Terminated:
        return TERMINATED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard_stdout()
        return READER_GONE
    except Exception as error:
        return _report(session, error)
    return 0


def as_failure(error: Exception) -> Failure:
    """Return the error as a message for the user."""
    if isinstance(error, Failure):
        return error
    for kind, exit_code, hint in MEANINGS:
        if isinstance(error, kind):
            is_key = isinstance(error, errors.ApiError) and error.code == "invalid_api_key"
            return Failure(_message(error), exit_code, OTHER if is_key else hint)
    if isinstance(error, ModuleNotFoundError) and error.name == "rich":
        return Failure("this needs rich", FAILED, "pip install 'poolse[cli]'")
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return Failure(f"{error.strerror}{where}")
    return Failure(
        f"internal error ({type(error).__name__})",
        BUG,
        "run it again with --debug, and report the output as a poolse bug",
    )


@contextmanager
def terminable() -> Generator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that the terminal is left as it was."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _message(error: Exception) -> str:
    if isinstance(error, errors.RequestTimeout):
        # Its own words are about an argument in Python.
        return f"no response within {error.limit:g} s ({error.phase})"
    if not isinstance(error, errors.ApiError):
        return str(error)
    details = f": {error.details}" if error.details else ""
    request = f", request {error.request_id}" if error.request_id else ""
    return f"{error.message}{details} ({error.status} {error.code}{request})"


def _report(session: Session, error: Exception) -> int:
    """Print an error and return the exit code."""
    failure = as_failure(error)
    if session.debug:
        traceback.print_exception(error)
    if session.json:
        print(json_text(_as_json(error, failure)), file=sys.stderr)
    else:
        session.note(str(failure))
        if failure.hint:
            print(f"        {sanitized(failure.hint)}", file=sys.stderr)
    return failure.exit_code


def _as_json(error: Exception, failure: Failure) -> dict[str, object]:
    details = {name: getattr(error, name, None) for name in ("status", "code", "request_id")}
    return {
        "error": {
            "message": str(failure),
            "hint": failure.hint or None,
            "exit_code": failure.exit_code,
            **{name: value for name, value in details.items() if value is not None},
        }
    }


def _discard_stdout() -> None:
    """Discard standard output, whose reader has gone, so that Python's flush at exit succeeds."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
