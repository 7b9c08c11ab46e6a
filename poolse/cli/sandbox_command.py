"""Programs beside a sandbox: `poolse sandbox -- COMMAND`, and `poolse sandbox --env`."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final, cast
from urllib.parse import urlsplit

from poolse.cli.exit_codes import ending_signals, handling
from poolse.cli.failure import Failure
from poolse.cli.sandbox_banner import CONFLICTING

__all__ = ["export_lines", "in_background", "run_command", "running_in_background"]

NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
"""Exit codes of shells for commands that cannot be run."""


def run_command(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a command to its end with these variables, and return its exit code.

    Raises:
        Failure: It cannot be run.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in CONFLICTING}
    with _forwarding() as (running, received):
        try:
            with subprocess.Popen(command, env={**inherited, **variables}) as process:
                running.append(process)
                for number in received:  # while it started
                    process.send_signal(number)
                code = process.wait()
        except FileNotFoundError:
            raise Failure(f"command not found: {command[0]}", NOT_FOUND) from None
        except OSError as error:
            why = error.strerror or str(error)
            raise Failure(f"cannot run {command[0]}: {why}", NOT_EXECUTABLE) from None
    # As in a shell: 128 and the number of the signal that ended it.
    return code if code >= 0 else 128 - code


@contextmanager
def _forwarding() -> Generator[tuple[list[subprocess.Popen[bytes]], list[int]]]:
    """Leave signals to the command. A terminal sends Ctrl-C to both; others are forwarded.

    Yields the list to add the command to, and that of the signals that were received.
    """
    running: list[subprocess.Popen[bytes]] = []
    received: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT:
            received.append(number)
            for process in running:
                process.send_signal(number)

    with handling(forward, signal.SIGINT, *ending_signals()):
        yield running, received


def in_background(arguments: Sequence[str]) -> tuple[dict[str, object], int]:
    """Start a sandbox that stays when this process ends.

    Args:
        arguments: Options of `poolse sandbox`.

    Returns:
        What it prints with `--json`, and its process ID.

    Raises:
        Failure: It did not start.
    """
    command = [sys.executable, "-m", "poolse.cli", "sandbox", "--json", *arguments]
    # A file: a pipe would break when this process has ended.
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        assert process.stdout is not None  # noqa: S101  (it is a pipe)
        with process.stdout as stdout:
            line = stdout.readline()
        if line:
            # It is not waited for: it ends long after this process.
            process.returncode = 0
            return cast("dict[str, object]", json.loads(line)), process.pid
        code = process.wait()
        errors.seek(0)
        raise _failure_of(errors.read().decode(errors="replace"), code)


def running_in_background(environ: Mapping[str, str]) -> int | None:
    """Return the process ID of the sandbox that the variables are of, None if it has ended."""
    number, url = environ.get("POOLSE_SANDBOX_PID", ""), urlsplit(environ.get("POOLSE_API_URL", ""))
    # Windows has no signal 0: there it would end the process.
    if os.name != "posix" or not number.isdecimal():
        return None
    try:
        os.kill(int(number), 0)
        # The process may be another one by now.
        socket.create_connection((url.hostname or "", url.port or 0), timeout=1).close()
    except (OSError, ValueError, OverflowError):
        return None
    return int(number)


def _failure_of(printed: str, code: int) -> Failure:
    """Return the failure that the other process printed as JSON."""
    try:
        told = json.loads(printed.splitlines()[-1])["error"]
        return Failure(str(told["message"]), code, told["hint"] or "")
    except (ValueError, LookupError, TypeError):
        return Failure(f"the sandbox did not start: {printed.strip()[-500:]}", code)


def export_lines(variables: Mapping[str, str]) -> str:
    """Return lines for `eval` in a shell."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
