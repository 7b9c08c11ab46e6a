"""`poolse sandbox`: a whole poolse backend on this machine, until it is interrupted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from poolse.cli.banner import DAY, USERS, greeting
from poolse.cli.failure import Failure
from poolse.cli.options import reporting
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse.testing import Sandbox

__all__ = ["sandbox"]


@click.command(
    short_help="Run a whole poolse backend on this machine.",
    epilog="Example: poolse sandbox --port 4000 --data chat.db",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=4000,
    show_default=True,
    help="Port to listen on; 0 takes any free one.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the data in this file and in FILE.blobs/.",
)
@click.option("--tls", is_flag=True, help="Serve https and wss.")
@reporting
@click.pass_obj
def sandbox(session: Session, host: str, port: int, data: Path | None, tls: bool) -> None:
    """Run a whole poolse backend on this machine: REST, realtime and files, until Ctrl-C.

    What it prints when it is up can be pasted into another terminal as it stands.
    """
    try:
        from poolse.testing import Sandbox
    except ImportError as error:
        raise Failure(str(error)) from None
    with _interrupts() as interrupted:
        running = _started(Sandbox(host=host, port=port, data=data, tls=tls))
        try:
            if session.json:
                session.tell(_facts(running, tls=tls))
            else:
                print(greeting(running, data, tls=tls), flush=True)
            interrupted.wait()
        finally:
            running.stop()


def _facts(sandbox: Sandbox, *, tls: bool) -> dict[str, object]:
    """The greeting for programs."""
    users = {
        name: {"id": sandbox.user_id(name), "token": sandbox.token(name, lifetime=DAY)}
        for name in USERS
    }
    ca_file = {"ca_file": str(sandbox.ca_file)} if tls else {}
    return {"api_url": sandbox.url, "api_key": sandbox.api_key, **ca_file, "users": users}


def _started(sandbox: Sandbox) -> Sandbox:
    import sqlite3

    try:
        return sandbox.start()
    except OSError as error:
        raise Failure(error.strerror or str(error)) from None
    except sqlite3.Error as error:
        raise Failure(f"cannot use the data file: {error}") from None


@contextmanager
def _interrupts() -> Generator[threading.Event]:
    """An event that is set by Ctrl-C and by SIGTERM."""
    interrupted = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        interrupted.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
