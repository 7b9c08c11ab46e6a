"""`poolse sandbox`: a complete poolse backend on this machine, until it is interrupted."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from poolse.cli.failure import Failure
from poolse.cli.options import reporting
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse.testing import Sandbox

__all__ = ["banner", "sandbox"]

USERS = ("alice", "bob")

DAY = 24 * 3600.0
"""Lifetime of the tokens in seconds."""


@click.command(
    short_help="Run a complete poolse backend on this machine.",
    epilog="Example: poolse sandbox --port 4000 --data chat.db",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=4000,
    show_default=True,
    help="Port to listen on; 0 for a free port.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File to store the data in, with FILE.blobs/.",
)
@click.option("--tls", is_flag=True, help="Serve https and wss.")
@reporting
@click.pass_obj
def sandbox(session: Session, host: str, port: int, data: Path | None, tls: bool) -> None:
    """Run a complete poolse backend on this machine (REST, realtime, files) until Ctrl-C.

    Paste its output into another terminal to set the environment variables.
    """
    try:
        from poolse.testing import Sandbox
    except ImportError as error:
        raise Failure(str(error)) from None
    with _interrupts() as interrupted:
        running = _started(Sandbox(host=host, port=port, data=data, tls=tls))
        try:
            if session.json:
                session.print_json(_facts(running, tls=tls))
            else:
                print(banner(running, data, tls=tls), flush=True)
            interrupted.wait()
        finally:
            running.stop()


def _facts(sandbox: Sandbox, *, tls: bool) -> dict[str, object]:
    """Return the banner for programs."""
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


def banner(sandbox: Sandbox, data: Path | None, *, tls: bool) -> str:
    """Return the whole text, with a margin. A shell can run it as it stands, but for the title."""
    lines = [_title(sandbox, data), "", *_address(sandbox, tls=tls)]
    for name in USERS:
        comment = f"# {name}, user id {sandbox.user_id(name)}, for a day"
        token = sandbox.token(name, lifetime=DAY)
        lines += ["", _dim(comment), f"export POOLSE_TOKEN={token}"]
    lines += ["", _dim(f"# another token for {USERS[0]}, by curl or in Python")]
    lines += [_by_curl(sandbox, tls=tls), _in_python(sandbox, tls=tls)]
    return "\n".join(["", *(f"  {line}".rstrip() for line in lines), ""])


def _title(sandbox: Sandbox, data: Path | None) -> str:
    place = "in memory" if data is None else f"stored in {data}"
    return f"{_style('poolse sandbox', '1')}  {sandbox.url}  {_dim(f'{place} · Ctrl-C ends it')}"


def _address(sandbox: Sandbox, *, tls: bool) -> Iterator[str]:
    yield f"export POOLSE_API_URL={sandbox.url}"
    yield f"export POOLSE_API_KEY={sandbox.api_key}"
    if tls:
        yield f"export SSL_CERT_FILE={shlex.quote(str(sandbox.ca_file))}"


# Both are complete in themselves, so that they work in a shell that has exported nothing.


def _by_curl(sandbox: Sandbox, *, tls: bool) -> str:
    trust = f" --cacert {shlex.quote(str(sandbox.ca_file))}" if tls else ""
    url = f"{sandbox.url}/v1/users/{sandbox.user_id(USERS[0])}/tokens"
    return f'curl -s -X POST{trust} {url} -H "Authorization: Bearer {sandbox.api_key}"'


def _in_python(sandbox: Sandbox, *, tls: bool) -> str:
    trust = f"SSL_CERT_FILE={shlex.quote(str(sandbox.ca_file))} " if tls else ""
    backend = f'PoolseBackend(api_key="{sandbox.api_key}", api_url="{sandbox.url}")'
    call = f'{backend}.users.create_token("{sandbox.user_id(USERS[0])}").token'
    return f"{trust}python -c 'from poolse import PoolseBackend; print({call})'"


def _dim(text: str) -> str:
    return _style(text, "2")


def _style(text: str, code: str) -> str:
    """Return the text in bold or dim letters, on a terminal."""
    # By hand: the library that the demo uses for it takes longer to load than the sandbox.
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\x1b[{code}m{text}\x1b[0m"
