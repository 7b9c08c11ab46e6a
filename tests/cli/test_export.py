"""`poolse export`: everything, once, in order, however often it was interrupted."""

from __future__ import annotations

import csv
import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from poolse import Message
from poolse.cli.resume_file import ResumeFile, Task
from poolse.testing import Sandbox
from tests.cli.run_command import Called, Command
from tests.cli.test_send import NOBODY

EVERY = 4
"""Each so manyth message has a thread."""


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def talk(command: Command, count: int = 20) -> list[Message]:
    """Messages and threads; the first messages of the threads are given back."""
    rows = command.said(*(f"message {number}" for number in range(count)))
    with command.chat() as chat:
        send = chat.conversations.one(command.conversation).messages.send
        for row in rows[::EVERY]:
            send(body=f"reply to {row.body}", reply_to_id=row.id)
            send(body=f"another reply to {row.body}", reply_to_id=row.id)
        send(body="last")
    return rows[::EVERY]


def export(command: Command, *arguments: str, **environ: str | None) -> Called:
    return command("export", command.conversation, "-o", "all.jsonl", *arguments, **environ)


def test_everything_in_order_replies_too(command: Command, sandbox: Sandbox) -> None:
    talk(command)
    sandbox.faults.cap_pages(3)
    called = command("export", command.conversation)
    name = f"{command.conversation}.jsonl"
    assert (called.code, called.out) == (0, f"{name}: 31 messages up to #31\n")
    rows = lines(command.home / name)
    assert [row["sequence"] for row in rows] == [*range(1, 32)]
    assert rows[20]["body"] == "reply to message 0"
    assert [path.name for path in command.home.iterdir()] == [name]


@pytest.mark.parametrize("thread", range(5))
def test_an_interrupted_export_resumes_where_it_ended(
    command: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, thread: int
) -> None:
    monkeypatch.setattr("poolse.cli.export.STEP", 3)
    roots = talk(command)
    assert command("export", command.conversation, "-o", "whole.jsonl").code == 0

    sandbox.faults.fail(status=400, path=f"/v1/messages/{roots[thread].id}/replies")
    failed = export(command)
    assert (failed.code, failed.out) == (1, "")
    assert not (command.home / "all.jsonl").exists()
    told = re.search(r"poolse: (\d+) messages are saved in all.jsonl.part: the same", failed.err)
    assert told is not None, failed.err

    command.said("too late to be part of it")
    with command.chat() as chat:
        send = chat.conversations.one(command.conversation).messages.send
        send(body="too late too", reply_to_id=roots[0].id)
    before = len(sandbox.requests)
    called = export(command, "--json")
    kept = int(told[1])
    assert called.json == {"file": "all.jsonl", "messages": 31, "upto": 31, "resumed_after": kept}
    whole, resumed = (
        [(row["sequence"], row["id"], row["body"]) for row in lines(command.home / name)]
        for name in ("whole.jsonl", "all.jsonl")
    )
    assert resumed == whole
    asked = [each.path for each in sandbox.requests[before:] if "messages?" in each.path]
    assert len(asked) < 3 + (31 - kept) / 3, "it restarted"


def test_a_killed_export_resumes_where_it_ended(command: Command, sandbox: Sandbox) -> None:
    command.said(*map(str, range(250)))
    sandbox.faults.latency(0.1, path="/v1/conversations/*/messages")
    with command.process("export", command.conversation, "-o", "all.jsonl") as process:
        sandbox.wait_for(
            lambda: sum("messages?" in each.path for each in sandbox.requests) == 3, timeout=20
        )
        process.kill()
        process.wait()
    sandbox.faults.clear()
    called = export(command)
    assert re.fullmatch(r"all.jsonl: 250 messages up to #250, [12]00 .* before\n", called.out)
    assert [row["body"] for row in lines(command.home / "all.jsonl")] == [*map(str, range(250))]


def test_an_empty_conversation(command: Command) -> None:
    assert export(command).out == "all.jsonl: 0 messages up to #0\n"
    assert (command.home / "all.jsonl").read_bytes() == b""


def test_jsonl_is_exact(command: Command) -> None:
    body = "\x1b[31m\x9b\u202e שלום 🚀\n\t\x7f\u2028"
    sent = command.said(body)[0]
    export(command)
    text = (command.home / "all.jsonl").read_text("utf-8")
    assert lines(command.home / "all.jsonl")[0]["body"] == body
    assert text.count("\n") == 1
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert lines(command.home / "all.jsonl")[0]["id"] == sent.id


def test_csv_does_nothing_to_a_spreadsheet(command: Command) -> None:
    bodies = ['plain, with "quotes"', "=1+1", "@x", "+1", "-1", "two\nlines", "\x1b[31m"]
    messages = command.said(*bodies)
    with command.chat() as chat:
        chat.messages.one(messages[0].id).delete()
    assert command("export", command.conversation, "--output", "all.CSV").code == 0
    with (command.home / "all.CSV").open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)]
    shown = ["", "'=1+1", "'@x", "'+1", "'-1", "two\nlines", "␛[31m"]
    assert [row["body"] for row in rows] == shown
    assert rows[0]["deleted_at"]
    assert {row["sender_external_id"] for row in rows} == {"alice"}
    assert [row["sequence"] for row in rows] == [*map(str, range(1, 8))]


def test_a_file_that_is_there_stays(command: Command) -> None:
    command.said("Hello")
    (command.home / "all.jsonl").write_text("precious")
    called = export(command)
    assert (called.code, called.out) == (2, "")
    assert "use --force to replace it" in called.said
    assert (command.home / "all.jsonl").read_text() == "precious"
    assert export(command, "--force").code == 0
    assert lines(command.home / "all.jsonl")[0]["body"] == "Hello"


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (Task("http://elsewhere", "c", 7), "is an unfinished export of conversation c at"),
        (None, "all.jsonl.part is not an unfinished export"),
    ],
)
def test_what_another_export_left(command: Command, task: Task | None, says: str) -> None:
    part = command.home / "all.jsonl.part"
    if task is None:
        part.write_text("my own notes, long enough to be looked at by the database" * 20)
    else:
        ResumeFile(part, task).close()
    called = export(command)
    assert called.code == 2
    assert says in called.said
    assert part.exists()
    assert export(command, "--fresh").code == 0


def test_two_exports_at_once(command: Command) -> None:
    with ResumeFile(command.home / "all.jsonl.part", Task(command.sandbox.url, "c", 7)):
        called = export(command)
    assert called.code == 1
    assert "another export is writing all.jsonl.part" in called.said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no/such/folder.jsonl", "no/such does not exist: create it"),
        (".", "'.' is a directory"),
        ("-", "--output needs a file, not -"),
    ],
)
def test_a_place_that_cannot_be(command: Command, name: str, says: str) -> None:
    called = command("export", command.conversation, "--output", name)
    assert called.code == 2
    assert says in called.said
    assert not [*command.home.iterdir()]


def test_a_wrong_id_leaves_nothing_behind(command: Command) -> None:
    assert command("export", NOBODY).code == 4
    assert not [*command.home.iterdir()]


def test_ctrl_c_tells_what_is_kept(command: Command, sandbox: Sandbox) -> None:
    command.said(*map(str, range(120)))
    sandbox.faults.latency(0.1, path="/v1/conversations/*/messages")
    with command.process("export", command.conversation) as process:
        sandbox.wait_for(
            lambda: sum("messages?" in each.path for each in sandbox.requests) == 2, timeout=20
        )
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (130, "")
    assert re.match(r"poolse: 100 messages are saved in\s+\S+.jsonl.part:\s+the same ", err)
