"""The scripts of the cookbook do what their pages say, also when they are stopped half-way."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from poolse import Poolse
from poolse.testing import Sandbox
from tests.docs.code_blocks import python_of
from tests.docs.terminal_sessions import Terminal

HERE = "tests/docs/test_scripts.py"

EXPORT = {
    "users": [{"id": "ada", "name": "Ada"}, {"id": "bob", "name": "Bob"}],
    "rooms": [
        {
            "id": "r-1",
            "name": "Support",
            "members": ["ada", "bob"],
            "messages": [
                {"id": "m-1", "author": "ada", "text": "It does not work"},
                {"id": "m-2", "author": "bob", "text": "Is it switched on?"},
                {"id": "m-3", "author": "ada", "text": "Thank you"},
            ],
        }
    ],
}


@pytest.fixture
def terminal(sandbox: Sandbox, tmp_path: Path) -> Iterator[Terminal]:
    with closing(Terminal(sandbox, tmp_path)) as made:
        yield made


def save(page: str, folder: Path) -> None:
    """Put the files of a page where a reader would."""
    for block in python_of(page, HERE):
        (folder / block.name).write_text(block.code, "utf-8")


def queued(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "moderation.db")) as db:
        if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'queue'").fetchone():
            return []
        return [body for (body,) in db.execute("SELECT body FROM queue ORDER BY rowid")]


def test_what_looks_wrong_waits_for_a_person(
    terminal: Terminal, sandbox: Sandbox, tmp_path: Path
) -> None:
    save("docs/cookbook/moderation.md", tmp_path)
    with Poolse(api_url=sandbox.url, token=sandbox.token("bob")) as chat:
        sandbox.user_id("alice")
        room = chat.conversations.create(type="group")
        chat.conversations.one(room.id).add_member("alice", role="admin")
        messages = chat.conversations.one(room.id).messages
        for body in ("hello", "buy this", "nice day"):
            messages.send(body=body)
        terminal.leave_running("watch.py", room.id, until=lambda: queued(tmp_path) == ["buy this"])
        terminal.stop()

        messages.send(body="you are a winner")  # while nobody watches
        terminal.leave_running("watch.py", room.id, until=lambda: len(queued(tmp_path)) == 2)
        terminal.stop()

        terminal.python("review.py", typed="y\nn\n")
        assert queued(tmp_path) == []
        left = [row.body for row in messages.iter() if row.deleted_at is None]
        assert left == ["you are a winner", "nice day", "hello"]


def test_a_migration_that_is_stopped_can_be_started_again(
    terminal: Terminal, sandbox: Sandbox, tmp_path: Path
) -> None:
    save("docs/cookbook/migration.md", tmp_path)
    (tmp_path / "export.json").write_text(json.dumps(EXPORT), "utf-8")
    path = "/v1/conversations/*/messages"
    sandbox.faults.fail(403, path=path)
    terminal.python("migrate.py", status=1)
    for _ in range(2):
        assert "Support: 3 of 3" in terminal.python("migrate.py")
    with Poolse(api_url=sandbox.url, token=sandbox.token("bob")) as chat:
        [room] = chat.conversations.list()
        rows = list(chat.conversations.one(room.id).messages.iter())
        assert [row.body for row in reversed(rows)] == [
            "It does not work",
            "Is it switched on?",
            "Thank you",
        ]
        assert rows[0].sender_id == sandbox.user_id("ada")


def test_an_export_has_replies_names_and_the_order_of_sending(
    terminal: Terminal, sandbox: Sandbox, tmp_path: Path
) -> None:
    save("docs/cookbook/export.md", tmp_path)
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        room = chat.conversations.create(type="group")
        messages = chat.conversations.one(room.id).messages
        root = messages.send(body="Ready?")
        messages.send(body="=1+1")
        messages.send(body="Yes", reply_to_id=root.id)
    for name in ("history.jsonl", "history.csv"):
        terminal.python("export.py", room.id, "alice", name)
    lines = (tmp_path / "history.jsonl").read_text("utf-8").splitlines()
    exported = [json.loads(line) for line in lines]
    assert [one["body"] for one in exported] == ["Ready?", "=1+1", "Yes"]
    assert {one["sender_name"] for one in exported} == {"Alice Example"}
    with (tmp_path / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == ["Ready?", "'=1+1", "Yes"]
    assert [row["thread"] for row in rows] == ["", "", root.id]


def test_a_bot_that_is_busy_says_why(terminal: Terminal, sandbox: Sandbox, tmp_path: Path) -> None:
    save("docs/cookbook/calls.md", tmp_path)
    with Poolse(api_url=sandbox.url, token=sandbox.token("bob")) as chat:
        sandbox.user_id("alice")
        room = chat.conversations.create(type="direct", member_external_ids=["alice"])
        alice = f"user:{sandbox.user_id('alice')}"
        terminal.leave_running("busy.py", until=lambda: alice in sandbox.joins)
        with chat.realtime.calls() as calls:
            statuses = [calls.invite(room.id).wait_ended(10) for _ in range(2)]
        assert statuses == ["busy", "busy"]
        messages = chat.conversations.one(room.id).messages
        arrived = lambda: len(messages.list().data) == 2  # noqa: E731
        sandbox.wait_for(arrived, 10)
        terminal.stop()
