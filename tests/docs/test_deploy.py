"""The programs of docs/deploy.md: they reply, stop on SIGTERM, and say how they are."""

from __future__ import annotations

import configparser
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from poolse import ConversationMessages, Poolse
from poolse.testing import Sandbox, client_for
from tests.architecture.tree import ROOT
from tests.docs.code_blocks import blocks_of, python_of
from tests.docs.terminal_sessions import Terminal

PAGE = "docs/deploy.md"
PROGRAMS = {block.name: block.code for block in python_of(PAGE, "tests/docs/test_deploy.py")}

APP = """
import time
from fastapi.testclient import TestClient

from poolse import Poolse

with TestClient(app) as http, Poolse() as alice:
    give_up = time.monotonic() + 30
    # Connected after it has read the first list, so that the room is new to it.
    while http.get("/health").json()["realtime"] != "connected":
        assert time.monotonic() < give_up
        time.sleep(0.05)
    room = alice.conversations.create(type="group", member_external_ids=["bot"])
    messages = alice.conversations.one(room.id).messages
    messages.send(body="Hello")
    while len(messages.list()) < 2:
        assert time.monotonic() < give_up
        time.sleep(0.05)
    print(messages.list()[0].body)
    print(http.get("/health").status_code)
"""


@pytest.fixture
def terminal(sandbox: Sandbox, tmp_path: Path) -> Iterator[Terminal]:
    with closing(Terminal(sandbox, tmp_path)) as opened:
        yield opened


def wait_for(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


@pytest.fixture
def alice(sandbox: Sandbox) -> Iterator[Poolse]:
    with client_for(sandbox, "alice") as chat:
        yield chat


def run_until_it_replied(sandbox: Sandbox, messages: ConversationMessages, folder: Path) -> str:
    """Start the bot, send it a message, stop it when it has replied, and return what it logged."""
    known = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "POOLSE_API_URL": sandbox.url,
        "POOLSE_API_KEY": sandbox.api_key,
    }
    topic = f"user:{sandbox.user_id('bot')}"
    joins, sent = sandbox.joins.count(topic), len(messages.list())
    bot = subprocess.Popen(
        [sys.executable, "bot.py"], cwd=folder, env=known, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(lambda: sandbox.joins.count(topic) > joins)
        messages.send(body="Hello")
        wait_for(lambda: len(messages.list()) == sent + 2)
        bot.send_signal(signal.SIGTERM)
        _, logged = bot.communicate(timeout=30)
    finally:
        bot.kill()
        bot.wait()
    assert bot.returncode == 0, logged
    return logged


def test_the_bot_replies_and_stops_on_sigterm(
    sandbox: Sandbox, alice: Poolse, tmp_path: Path
) -> None:
    (tmp_path / "bot.py").write_text(PROGRAMS["bot.py"], "utf-8")
    sandbox.user_id("bot")
    room = alice.conversations.create(type="group", member_external_ids=["bot"])
    messages = alice.conversations.one(room.id).messages
    for _ in range(2):
        logged = run_until_it_replied(sandbox, messages, tmp_path)
        assert logged.splitlines()[-1] == "INFO bot: stopped"
    assert [message.body for message in messages.list()] == ["You said: Hello", "Hello"] * 2


def test_the_application_runs_the_bot_and_reports_its_health(terminal: Terminal) -> None:
    printed = terminal.python("-W", "default", "-c", PROGRAMS["app.py"] + APP)
    assert printed.splitlines() == ["You said: Hello", "200"]


def test_unit_and_image_start_the_program() -> None:
    texts = {block.language: block.code for block in blocks_of(PAGE)}
    unit = configparser.ConfigParser()
    unit.read_string(texts["ini"])
    assert unit["Service"]["ExecStart"].endswith("/bot.py")
    assert 'CMD ["python", "bot.py"]' in texts["dockerfile"]
