"""Exit codes and error messages of commands."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import Final, cast

import click

from poolse import errors
from poolse.cli.failure import (
    AUTH,
    BUG,
    FAILED,
    HUNG_UP,
    INTERRUPTED,
    NETWORK,
    NOT_FOUND,
    READER_GONE,
    TERMINATED,
    USAGE,
    Failure,
)
from poolse.cli.sanitize import json_text
from poolse.cli.session import Session
from poolse.cli.token_claims import expiry_of
from poolse.cli.wrapping import wrapped

__all__ = [
    "Terminated",
    "as_failure",
    "discard_output",
    "ending_signals",
    "exit_code_of",
    "handling",
    "no_poolse",
    "prepare_for_end",
    "terminable",
]

RENEW: Final = "get a new token: `poolse token EXTERNAL_ID` issues one, with the API key"
OTHER: Final = "check the API key of your tenant"

MEMBER: Final = "the user must be a member: ask the owner, or use another token"
LOOK: Final = "check the ID; `poolse conversations list` shows those of the user"
LIST: Final = "`poolse conversations list` shows those of conversations"
REACH: Final = "is the server running at this address? Set --api-url or POOLSE_API_URL to change it"
LATER: Final = "the request was retried several times; try again later"
SERVER: Final = "this is another server, or a proxy: check POOLSE_API_URL, which has no /v1"
PROXY: Final = "a proxy or the server is in trouble: try again later; `poolse doctor` checks both"
DOCTOR: Final = "`poolse doctor` checks whether the address is that of a poolse API"

TROUBLE: Final = (429, 500, 502, 503, 504)
"""What a proxy in front of poolse may respond with, too."""

MEANINGS: Final[tuple[tuple[type[Exception], int, str], ...]] = (
    (errors.ForbiddenError, AUTH, MEMBER),
    (errors.NotFoundError, NOT_FOUND, LOOK),
    (errors.RateLimitedError, FAILED, LATER),
    (errors.ServerError, FAILED, LATER),
    (errors.NetworkError, NETWORK, REACH),
    (errors.ConnectionFailed, NETWORK, REACH),
    (errors.PushTimeout, NETWORK, REACH),
    (errors.JoinError, AUTH, MEMBER),
    (errors.UsageError, USAGE, ""),
    (errors.DecodeError, FAILED, DOCTOR),
    (errors.PoolseError, FAILED, ""),
)
"""Exit codes and hints, by exception; the first match is used."""


ARGUMENT: Final = re.compile(r"\b(?:api|ws)_url\b|^(?:token|api_key)\b")
"""Arguments of clients that errors name, whose values are settings of the command."""


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP. Handled like Ctrl-C, but with another exit code."""

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__(number)
        self.exit_code: int = TERMINATED if number == signal.SIGTERM else HUNG_UP


def exit_code_of(session: Session, command: Callable[[], object]) -> int:
    """Run a command and return its exit code. What click raises for itself passes through."""
    try:
        command()
        sys.stdout.flush()
    except (click.ClickException, click.exceptions.Exit):
        raise
    except Terminated as ended:
        return ended.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        discard_output()
        return READER_GONE
    except Exception as error:
        try:
            return _report(session, error)
        except BrokenPipeError:
            discard_output()
            return as_failure(error, session).exit_code
    return 0


def as_failure(error: Exception, session: Session | None = None) -> Failure:
    """Return the error as a message for the user. With the session, it names the credential."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, errors.ApiError) and error.code == "unknown_error":
        return _without_envelope(error, session)
    if isinstance(error, errors.AuthError):
        return _refused_credential(error, session)
    for kind, exit_code, hint in MEANINGS:
        if isinstance(error, kind):
            # The library's own hint is about this very error.
            notes: list[str] = getattr(error, "__notes__", [])
            if notes:
                hint = f"{notes[0].partition('. ')[0]}; {LIST}"
            return Failure(_message(error, session), exit_code, hint)
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


def no_poolse(url: str, why: str = "") -> Failure:
    """Return the failure of an address at which another server responds."""
    return Failure(f"{url} is not a poolse API{why}", NETWORK, SERVER)


def _without_envelope(error: errors.ApiError, session: Session | None) -> Failure:
    """Return the failure of a response that is a proxy's, or that of another server."""
    if error.status in TROUBLE:
        return Failure(error.message, FAILED, PROXY)
    from poolse import POOLSE_API_URL

    known = None if session is None else session.settings.api_url
    return no_poolse(known or POOLSE_API_URL, f": {error.message}")


def _refused_credential(error: errors.AuthError, session: Session | None) -> Failure:
    """Return the failure, with the source of the token or the API key that was refused."""
    is_key = error.code == "invalid_api_key"
    hint = OTHER if is_key else RENEW
    credential = None
    if session is not None:
        credential = session.settings.api_key if is_key else session.settings.token
    if credential is None:
        return Failure(_message(error), AUTH, hint)
    secret = credential.read()
    expiry = expiry_of(secret)
    over = expiry is not None and expiry < datetime.now(UTC)
    ended = f", which expired at {expiry:%Y-%m-%d %H:%M} UTC" if over and not is_key else ""
    what = "API key" if is_key else "token"
    return Failure(_message(error), AUTH, f"the {what} is from {credential.source}{ended}; {hint}")


@contextmanager
def terminable() -> Generator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that nothing is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _frame: FrameType | None) -> None:
        prepare_for_end(number)
        raise Terminated(number)

    with handling(end, *ending_signals()):
        yield


@contextmanager
def handling(
    handler: Callable[[int, FrameType | None], object], *numbers: signal.Signals
) -> Generator[None]:
    """Let a function handle these signals in the block."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def ending_signals() -> list[signal.Signals]:
    """Return the signals that end a command, apart from Ctrl-C."""
    # Windows has no SIGHUP; nohup ignores it.
    hangup: signal.Signals | None = getattr(signal, "SIGHUP", None)
    if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN:
        return [signal.SIGTERM]
    return [signal.SIGTERM, hangup]


def prepare_for_end(number: int) -> None:
    """Do what must be done before the command ends by a signal."""
    if number == signal.SIGTERM:
        return
    # A closed terminal sends it more than once, and nothing can be printed on it.
    signal.signal(number, signal.SIG_IGN)
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    os.close(devnull)


def _message(error: Exception, session: Session | None = None) -> str:
    if isinstance(error, errors.RequestTimeout):
        # Its own words are about an argument in Python.
        return f"no response within {error.limit:g} s ({error.phase})"
    if isinstance(error, errors.UsageError) and session is not None:
        # Its own words are about arguments in Python.
        return ARGUMENT.sub(lambda name: _source(name[0], session), str(error))
    if not isinstance(error, errors.ApiError):
        return str(error)
    details = f": {_in_words(error.details)}" if error.details else ""
    request = f", request {error.request_id}" if error.request_id else ""
    return f"{error.message}{details} ({error.status} {error.code}{request})"


def _source(argument: str, session: Session) -> str:
    """Return where the argument of a client comes from: a flag, a variable, the config file."""
    settings = session.settings
    secrets = {"token": settings.token, "api_key": settings.api_key}
    if argument in secrets:
        credential = secrets[argument]
        return argument if credential is None else credential.source
    return settings.api_url_source if argument == "api_url" else settings.ws_url_source


def _in_words(details: object) -> str:
    """Return the details of an error: in general, lists of complaints by field."""
    if isinstance(details, dict):
        fields = cast("dict[str, object]", details).items()
        return "; ".join(f"{name}: {_in_words(value)}" for name, value in fields)
    if isinstance(details, list):
        return ", ".join(map(_in_words, cast("list[object]", details)))
    return details if isinstance(details, str) else json_text(details)


def _report(session: Session, error: Exception) -> int:
    """Print an error and return the exit code."""
    failure = as_failure(error, session)
    if session.debug:
        traceback.print_exception(error)
    if session.json:
        print(json_text(_as_json(error, failure)), file=sys.stderr)
    else:
        session.note(str(failure))
        if failure.hint:
            print(wrapped(f"{'':8}> {failure.hint}", indent=8), file=sys.stderr)
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


def discard_output() -> None:
    """Discard what is still to be printed, whose reader has gone, so that the exit is quiet."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            # Or Python's own flush at the exit would fail, and print so.
            os.dup2(devnull, stream.fileno())
    os.close(devnull)
