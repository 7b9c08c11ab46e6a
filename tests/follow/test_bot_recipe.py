"""The recipe of the docs does what it says, also when it is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from poolse import Poolse
from poolse.testing import Sandbox

BOT = Path(__file__).parents[2] / "docs/mention_bot.py"
MOST_LINES = 25
QUESTIONS = 60
PATIENCE = 60.0


def start(sandbox: Sandbox, folder: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "POOLSE_API_URL": sandbox.url,
        "POOLSE_TOKEN": sandbox.token("bot"),
        "PYTHONPATH": str(BOT.parents[1]),
    }
    return subprocess.Popen([sys.executable, BOT], cwd=folder, env=environment)


def wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_is_as_short_as_they_say() -> None:
    assert len(BOT.read_text("utf-8").splitlines()) <= MOST_LINES


def test_every_mention_is_answered_once_over_kills(sandbox: Sandbox, tmp_path: Path) -> None:
    bot = sandbox.user_id("bot")
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        process = start(sandbox, tmp_path)
        sandbox.wait_for(lambda: f"user:{bot}" in sandbox.joins, PATIENCE)
        made = chat.conversations.create(type="group", member_external_ids=["bot"])
        messages = chat.conversations.one(made.id).messages

        def answers() -> list[str | None]:
            return [row.quoted_message_id for row in messages.iter() if row.sender_id == bot]

        asked: list[str | None] = []
        for number in range(QUESTIONS):
            messages.send(body="not for the bot")
            asked.append(messages.send(body="hello", mentions=[bot]).id)
            if number % 20 == 19:
                wait(lambda: len(answers()) >= len(asked) - 10)
                process.kill()
                process.wait()
                process = start(sandbox, tmp_path)
        try:
            wait(lambda: len(answers()) >= QUESTIONS)
        finally:
            process.kill()
            process.wait()
        assert sorted(map(str, answers())) == sorted(map(str, asked))
