"""`poolse sandbox`: a whole poolse backend on this machine, until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from poolse.cli.failure import Failure
from poolse.cli.greeting import greeting

if TYPE_CHECKING:
    from poolse.testing import Sandbox

__all__ = ["ABOUT", "configure", "run"]

ABOUT = "run a whole poolse backend on this machine: REST and realtime"


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=_port, default=4000, help="default 4000; 0 for any free one")
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="keep the data in this file and in FILE.blobs/"
    )
    parser.add_argument("--tls", action="store_true", help="serve https and wss")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    try:
        from poolse.testing import Sandbox
    except ImportError as error:
        raise Failure(str(error)) from None
    options = {name: getattr(arguments, name) for name in ("host", "port", "data", "tls")}
    with _interrupts() as interrupted:
        sandbox = _started(Sandbox(**options))
        try:
            print(greeting(sandbox, arguments.data, tls=arguments.tls), flush=True)
            interrupted.wait()
        finally:
            sandbox.stop()
    return 0


def _started(sandbox: Sandbox) -> Sandbox:
    import sqlite3

    try:
        return sandbox.start()
    except OSError as error:
        raise Failure(f"cannot listen: {error.strerror or error}") from None
    except sqlite3.Error as error:
        raise Failure(f"cannot use the data file: {error}") from None


def _port(text: str) -> int:
    if text.isdecimal() and int(text) < 2**16:
        return int(text)
    raise argparse.ArgumentTypeError("it has to be a number from 0 to 65535")


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
