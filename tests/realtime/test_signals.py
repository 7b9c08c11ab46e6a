"""Signals end `for event in live.events()`, wherever the socket is, and nothing is left."""

from __future__ import annotations

import ast
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from poolse.testing import Sandbox
from tests.architecture.tree import ROOT
from tests.realtime.hostile_servers import server, silent
from tests.realtime.raw_rest import post
from tests.realtime.sync_and_async import LIMIT

LISTENER = Path(__file__).with_name("listener_program.py")
CLEAN = "left ['MainThread'] handlers True"

FLAVOUR = pytest.mark.parametrize("flavour", ["sync", "async"])


@contextmanager
def listening(*arguments: str, program: Path = LISTENER) -> Generator[subprocess.Popen[str]]:
    """A program that is in its loop."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-W", "error", str(program), *arguments]
    # The tree that these tests are of, wherever an editable install points.
    tree = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, env=tree
    ) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            watchdog.cancel()
            process.kill()
            watchdog.join()


def end(process: subprocess.Popen[str], number: signal.Signals) -> list[str]:
    """Send a signal; what it says then."""
    process.send_signal(number)
    out, err = process.communicate(timeout=LIMIT)
    # Where nobody takes errors they are logged, and a log that nobody configured goes there.
    assert not [line for line in err.splitlines() if not line.startswith("realtime: ")]
    return out.splitlines()


@FLAVOUR
@pytest.mark.parametrize(
    ("number", "handler", "outcome"),
    [
        (signal.SIGINT, "none", "ended by KeyboardInterrupt"),
        (signal.SIGTERM, "exit", "ended by SystemExit"),
        (signal.SIGTERM, "close", "the loop ended"),
    ],
)
def test_a_signal_ends_the_loop(
    flavour: str, number: signal.Signals, handler: str, outcome: str, sandbox: Sandbox
) -> None:
    if flavour == "async" and handler == "exit":
        outcome = "ended by CancelledError"
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]
    token = sandbox.token("alice")
    with listening(flavour, handler, sandbox.url, token, conversation) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "joined\n"
        assert end(process, number) == [outcome, CLEAN]
        sandbox.wait_for(lambda: sandbox.sockets == 0, LIMIT)


@FLAVOUR
@pytest.mark.parametrize("state", ["connecting", "waiting"])
def test_it_need_not_be_connected(flavour: str, state: str) -> None:
    reached = threading.Event()

    def stall(connection: socket.socket) -> None:
        reached.set()
        if state == "connecting":
            silent(connection)

    with server(stall) as url:
        arguments = [flavour, "none", url.replace("ws", "http").removesuffix("/socket"), "t", "x"]
        with listening(*arguments) as process:
            assert reached.wait(LIMIT)
            assert end(process, signal.SIGINT) == ["ended by KeyboardInterrupt", CLEAN]


def test_an_interrupt_at_any_point_leaves_nothing_locked(sandbox: Sandbox) -> None:
    """Sync only: in async it is asyncio that takes the signal, between two steps of the loop."""
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]
    arguments = [sandbox.url, sandbox.token("alice"), conversation]
    program = LISTENER.with_name("interrupted_program.py")
    with listening(*arguments, program=program) as process:
        # A steady stream, so that the program is in the middle of something most of the time.
        while process.poll() is None:
            sandbox.broadcast(f"conversation:{conversation}", "ping", {"text": "x" * 100})
        out, err = process.communicate()
        assert (out, err) == ("1000 True ['MainThread']\n", "")


@FLAVOUR
def test_without_a_handler_sigterm_ends_the_process(flavour: str, sandbox: Sandbox) -> None:
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]
    token = sandbox.token("alice")
    with listening(flavour, "none", sandbox.url, token, conversation) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "joined\n"
        assert end(process, signal.SIGTERM) == []
        assert process.returncode == -signal.SIGTERM


def test_the_library_installs_no_signal_handlers() -> None:
    library = [
        path
        for path in (ROOT / "poolse").rglob("*.py")
        if path.relative_to(ROOT).parts[1] not in ("cli", "sandbox")
    ]
    assert len(library) > 30
    for path in library:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            module = node.module if isinstance(node, ast.ImportFrom) else None
            assert "signal" not in (*names, module), path
            assert not isinstance(node, ast.Attribute) or node.attr != "add_signal_handler", path
