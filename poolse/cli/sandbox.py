"""`poolse sandbox`: a complete poolse backend on this machine, until it is interrupted."""

from __future__ import annotations

import errno
import math
import os
import re
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, cast

import click

from poolse.cli.exit_codes import handling
from poolse.cli.failure import USAGE, Failure
from poolse.cli.options import reporting
from poolse.cli.sandbox_banner import DAY, USERS, Started, banner
from poolse.cli.sandbox_command import (
    export_lines,
    in_background,
    run_command,
    running_in_background,
)
from poolse.cli.sanitize import decoration, one_line
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse.testing import Request, Sandbox

    Requests = SimpleQueue[Request | None]
    """Ended requests; None ends the sandbox."""

__all__ = ["sandbox"]

PORT: Final = 4000

SEED: Final = """conversations = [{name = "Team", members = ["alice", "bob"]}]."""

EVAL: Final = 'eval "$(poolse sandbox --env)"'

UUID: Final = re.compile(r"([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@click.command(
    short_help="Run a complete poolse backend on this machine.",
    epilog="Example: poolse sandbox -- python bot.py",
    # What comes after COMMAND are its own options.
    context_settings={"allow_interspersed_args": False},
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Port to listen on; 0 for a free port. [default: {PORT}, with COMMAND 0]",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File to store the data in, with FILE.blobs/.",
)
@click.option("--tls", is_flag=True, help="Serve https and wss.")
@click.option(
    "--api",
    type=click.Choice(("2", "1.1")),
    default="2",
    show_default=True,
    help="Version of the API to speak.",
)
@click.option(
    "--api-key",
    metavar="KEY",
    help="API key; with the same key, all tokens are the same in each run.",
)
@click.option(
    "--user",
    "users",
    metavar="NAME",
    multiple=True,
    help="External ID of a user to create; may be repeated. [default: alice, bob]",
)
@click.option(
    "--seed",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"TOML file of what to create, such as {SEED} See docs/sandbox.md, Seed.",
)
@click.option(
    "--cors-origin",
    "cors_origins",
    metavar="ORIGIN",
    multiple=True,
    default=("*",),
    help="Origin whose web pages may call it; may be repeated. [default: every origin]",
)
@click.option(
    "--control-host",
    "control_hosts",
    metavar="NAME",
    multiple=True,
    help="Host name under which other machines may use page and control; may be repeated.",
)
@click.option(
    "--log/--no-log",
    default=None,
    help="Print each request to standard error. [default: on a terminal, without COMMAND]",
)
@click.option("--env", is_flag=True, help=f"Run in the background: {EVAL}")
@reporting
@click.pass_context
def sandbox(
    context: click.Context,
    /,
    command: tuple[str, ...],
    env: bool,
    seed: Path | None,
    users: tuple[str, ...],
    log: bool | None,
    **options: Any,  # noqa: ANN401  (arguments of `Sandbox`)
) -> None:
    """Run a complete poolse backend on this machine (REST, realtime, files) until Ctrl-C.

    Paste its output into another terminal to set the environment variables. With COMMAND, run the
    command with the variables set, end with it, and exit with its code.
    """
    session = context.ensure_object(Session)
    if env and command:
        raise click.UsageError("--env and COMMAND cannot be combined")
    if env:
        if sys.stdout.isatty() and not session.json:
            raise Failure("--env prints lines for a shell to run, not for a terminal", USAGE, EVAL)
        _print_environment(session, _arguments(context))
        return
    queue: Requests = SimpleQueue()
    if log is None:
        log = sys.stderr.isatty() and not command and not session.json
    if options["port"] is None:
        options["port"] = 0 if command else PORT
    with _running(seed, users, on_request=queue.put if log else None, **options) as started:
        if command:
            with _told_how_to_join(session, started, command):
                raise click.exceptions.Exit(_beside(started, command, queue))
        with _interrupts(queue):
            if session.json:
                session.print_json(started.to_json())
            else:
                print(banner(started), flush=True)
            _print_requests(queue)


@contextmanager
def _running(seed: Path | None, users: Sequence[str], **options: Any) -> Generator[Started]:  # noqa: ANN401
    """Start a sandbox with its users and its seed; stop it at the end."""
    from poolse.cli.seed import read_seed, sow

    try:
        from poolse.testing import Sandbox
    except ImportError as error:
        raise Failure(str(error)) from None
    wanted = None if seed is None else read_seed(seed)
    try:
        running = Sandbox(**options)
    except ValueError as error:
        raise Failure(str(error), USAGE) from None
    _start(running, options["data"])
    try:
        for name in users or USERS:
            running.user_id(name)
        yield Started(
            sandbox=running,
            data=options["data"],
            tls=options["tls"],
            users=users or USERS,
            lifetime=math.inf if options["api_key"] else DAY,
            conversations={} if seed is None or wanted is None else sow(seed, wanted, running),
        )
    finally:
        running.stop()


def _start(sandbox: Sandbox, data: Path | None) -> None:
    import sqlite3

    try:
        sandbox.start()
    except OSError as error:
        hint = ""
        if error.errno == errno.EADDRINUSE:
            hint = "another program uses it, perhaps another sandbox: --port 0 takes a free port"
        elif error.errno in (errno.EACCES, errno.EPERM):
            hint = "ports below 1024 are reserved: use a higher one, or --port 0 for a free port"
        raise Failure(error.strerror or str(error), hint=hint) from None
    except sqlite3.Error as error:
        raise Failure(f"cannot use the data file: {error}", hint=_why_unusable(data)) from None


def _why_unusable(data: Path | None) -> str:
    """Return what to do about a data file that cannot be opened; "" if its own error says it."""
    if data is None:
        return ""
    if not data.absolute().parent.is_dir():
        return f"the folder {data.absolute().parent} does not exist: create it"
    paths = [path for path in (data.absolute().parent, data) if path.exists()]
    closed = [str(path) for path in paths if not os.access(path, os.W_OK)]
    return f"not writable: {closed[0]}" if closed else ""


def _beside(started: Started, command: Sequence[str], queue: Requests) -> int:
    """Run the command. Requests are printed from a thread meanwhile, if they are in the queue."""
    import threading

    printer = threading.Thread(target=_print_requests, args=(queue,), daemon=True)
    printer.start()
    try:
        return run_command(command, started.environment())
    finally:
        queue.put(None)
        printer.join()


@contextmanager
def _told_how_to_join(
    session: Session, started: Started, command: Sequence[str]
) -> Generator[None]:
    """Print on a terminal how another terminal uses the sandbox, too: it reads a file."""
    if not sys.stderr.isatty() or shutil.which(command[0]) is None:
        yield
        return
    # For the owner's eyes only.
    with TemporaryDirectory(prefix="poolse-sandbox-", ignore_cleanup_errors=True) as folder:
        file = Path(folder, "env")
        file.write_text(f"{export_lines(started.environment())}\n", encoding="utf-8")
        name = one_line(started.users[0])
        session.note(f"you are {name} at {started.sandbox.url} until {command[0]} ends")
        session.note(f"in another terminal: . {shlex.quote(str(file))}")
        yield


def _arguments(context: click.Context) -> list[str]:
    """Return the options of this call, without those about its output."""
    arguments: list[str] = []
    for option in context.command.params:
        if option.name in ("env", "log") or not isinstance(option, click.Option):
            continue
        value: object = context.params.get(str(option.name))
        if option.name == "port" and value is None:
            value = 0
        values = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
        for each in values:
            if each is not None and each is not False:
                arguments += [option.opts[0], *([] if each is True else [str(each)])]
    return arguments


def _print_environment(session: Session, arguments: Sequence[str]) -> None:
    """Start the same sandbox in the background, and print its variables."""
    earlier = running_in_background(os.environ)
    told, process_id = in_background(arguments)
    if session.json:
        session.print_json({**told, "pid": process_id})
        return
    variables = cast("dict[str, str]", told["environment"])
    lines = export_lines({**variables, "POOLSE_SANDBOX_PID": str(process_id)})
    print(f"{lines}\n# kill {process_id} ends the sandbox", flush=True)
    session.note(f"the sandbox runs in the background: kill {process_id} ends it")
    if earlier is not None:
        session.note(f"an earlier one still runs: kill {earlier} ends it")


def _print_requests(queue: Requests) -> None:
    """Print requests as they end, up to None."""
    while (request := queue.get()) is not None:
        status = "cut" if request.status is None else str(request.status)
        path = one_line(UUID.sub(decoration(r"\1…"), request.shown_path))
        line = f"{time.strftime('%H:%M:%S')}  {request.method:<6}  {status}  {path}"
        # A terminal that is gone does not end the sandbox.
        with suppress(OSError):
            print(line, file=sys.stderr, flush=True)


@contextmanager
def _interrupts(queue: Requests) -> Generator[None]:
    """Let Ctrl-C and SIGTERM put None into the queue."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        queue.put(None)

    with handling(on_signal, signal.SIGINT, signal.SIGTERM):
        yield
