"""The recipes over `chat.state` show what arrives: a page by uvicorn, and a table on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from poolse import Conversation, Poolse
from poolse.testing import Sandbox, client_for
from tests.architecture.tree import ROOT
from tests.cli.terminal import Terminal as Screen
from tests.cli.terminal import visible
from tests.docs.code_blocks import python_of
from tests.docs.terminal_sessions import PATIENCE, Terminal

HERE = "tests/docs/test_live_state_recipes.py"


@pytest.fixture
def terminal(sandbox: Sandbox, tmp_path: Path) -> Iterator[Terminal]:
    with closing(Terminal(sandbox, tmp_path)) as opened:
        yield opened


@pytest.fixture
def bob(sandbox: Sandbox) -> Iterator[Poolse]:
    with client_for(sandbox, "bob") as chat:
        yield chat


@pytest.fixture
def room(sandbox: Sandbox, bob: Poolse) -> Conversation:
    """A conversation of bob, who tests, and of alice, who runs the program."""
    sandbox.user_id("alice")
    return bob.conversations.create(type="group", name="Team", member_external_ids=["alice"])


def unused_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def is_served(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class Browser:
    """A page's `EventSource`."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def wait_for(self, text: str, status: str = "sent") -> list[dict[str, Any]]:
        """Return the first snapshot with a message."""
        for line in self._lines:
            if line:
                field, _, value = line.partition(": ")
                assert field == "data"
                shown: list[dict[str, Any]] = json.loads(value)
                if {"text": text, "status": status} in shown:
                    return shown
        raise AssertionError("the stream ended")


@pytest.fixture
def page(
    terminal: Terminal, room: Conversation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[httpx.Client]:
    """The page, served by uvicorn as its recipe says."""
    [program] = python_of("docs/cookbook/live-page.md", HERE)
    (tmp_path / program.name).write_text(program.code, "utf-8")
    monkeypatch.setenv("CONVERSATION_ID", room.id)
    port = unused_port()
    options = ("--port", str(port), "--timeout-graceful-shutdown", "1", "--log-level", "warning")
    terminal.leave_running("-m", "uvicorn", "page:app", *options, until=lambda: is_served(port))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as http:
        yield http


def test_browsers_see_what_others_send_and_others_see_what_a_browser_sends(
    page: httpx.Client, sandbox: Sandbox, terminal: Terminal, bob: Poolse, room: Conversation
) -> None:
    messages = bob.conversations.one(room.id).messages
    assert "EventSource" in page.get("/").text
    joins = len(sandbox.joins)
    with page.stream("GET", "/events") as first, page.stream("GET", "/events") as second:
        assert first.headers["content-type"].startswith("text/event-stream")
        browsers = [Browser(one.iter_lines()) for one in (first, second)]
        messages.send("Hello,\nalice 🚀")
        for browser in browsers:
            assert len(browser.wait_for("Hello,\nalice 🚀")) == 1

        assert page.post("/send", json={"text": "Hello, bob"}).status_code == 204
        [sent, _] = messages.list()
        assert (sent.body, sent.sender_id) == ("Hello, bob", sandbox.user_id("alice"))
        for browser in browsers:
            assert len(browser.wait_for("Hello, bob")) == 2

        sandbox.faults.fail(403, path="/v1/conversations/*/messages")
        assert page.post("/send", json={"text": "Refused"}).status_code == 204
        for browser in browsers:
            assert len(browser.wait_for("Refused", "failed")) == 3
    # One state for all of them.
    assert len(sandbox.joins) == joins
    # It would complain of a stream that did not end with its browser.
    terminal.stop()


def test_it_stops_while_a_browser_is_connected(page: httpx.Client, terminal: Terminal) -> None:
    with page.stream("GET", "/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "data: []"
        terminal.stop("Cancel 1 running task(s)")


def test_a_dashboard_of_the_inbox_changes_as_messages_arrive(
    sandbox: Sandbox, bob: Poolse, room: Conversation, tmp_path: Path
) -> None:
    [program] = python_of("docs/cookbook/inbox-dashboard.md", HERE)
    lines = [line for line in program.code.splitlines() if line and not line.startswith("#")]
    assert len(lines) <= 25
    (tmp_path / program.name).write_text(program.code, "utf-8")
    known = {
        **os.environ,
        "TERM": "xterm",
        "COLUMNS": "80",
        "LINES": "24",
        "PYTHONPATH": str(ROOT),
        "POOLSE_API_URL": sandbox.url,
        "POOLSE_TOKEN": sandbox.token("alice"),
    }
    messages = bob.conversations.one(room.id).messages
    messages.send("One")
    person, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, program.name],
        cwd=tmp_path,
        env=known,
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    ) as process:
        os.close(end)
        screen = Screen(person, process)
        try:
            screen.wait_for("1 unread, live")
            messages.send("Two [/b] \x1b[2J\x07")
            screen.wait_for("2 unread, live")
            bob.conversations.create(type="group", name="Other", member_external_ids=["alice"])
            screen.wait_for("Other")
            process.send_signal(signal.SIGINT)
            assert screen.end() == 0
        finally:
            process.kill()
            screen.close()
    assert "Traceback" not in screen.raw
    drawn = drawings(screen)
    two = next(one for one in drawn if "2 unread, live" in one)
    assert re.search(r"Team +│ Two \[/b\]  \[2J +│ 2 ", two)
    assert "One" not in two
    # Newest activity first.
    assert any(re.search(r"Other.*\n.*Team", one) for one in drawn)


def drawings(screen: Screen) -> list[str]:
    """What was to be seen, one after the other: rich begins each drawing at the top."""
    return [visible(one) for one in screen.raw.split("\x1b[H")]
