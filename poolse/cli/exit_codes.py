"""How a command ends: well, with an error in one line, or because somebody wants it to."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from poolse.cli.error_messages import error_message
from poolse.cli.failure import INTERRUPTED, READER_GONE, TERMINATED, Failure
from poolse.cli.sanitize import json_text, sanitized
from poolse.cli.session import Session

__all__ = ["Terminated", "ended", "terminable"]


class Terminated(KeyboardInterrupt):
    """SIGTERM: as Ctrl-C, but with another exit code."""


def ended(session: Session, work: Callable[[], object]) -> int:
    """Do it, and give back the exit code. What click raises for itself passes through."""
    import click

    try:
        work()
        sys.stdout.flush()
    except (click.ClickException, click.exceptions.Exit):
        raise
    except Terminated:
        return TERMINATED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _let_go_of_stdout()
        return READER_GONE
    except Exception as error:
        return told(session, error)
    return 0


def told(session: Session, error: Exception) -> int:
    """Say what went wrong, and give back the exit code."""
    failure = error_message(error)
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
    known = {name: getattr(error, name, None) for name in ("status", "code", "request_id")}
    return {
        "error": {
            "message": str(failure),
            "hint": failure.hint or None,
            "exit_code": failure.exit_code,
            **{name: value for name, value in known.items() if value is not None},
        }
    }


def _let_go_of_stdout() -> None:
    """Nobody reads it any more, and Python would complain when it flushes it at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def terminable() -> Generator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that the terminal is left as it was."""
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
