"""`poolse tail` in a pipe: every message once and in order, one line each."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator

import pytest

from poolse import Poolse
from poolse.testing import Sandbox
from tests.cli.run_command import Command
from tests.cli.test_send import NOBODY

LINE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  #(\d+)  (\S+)  (.*)\n"


def shown(out: str) -> list[tuple[str, ...]]:
    """Number, name and text of each line."""
    found = re.findall(LINE, out)
    assert len(found) == out.count("\n")
    return found


@pytest.mark.parametrize(
    ("arguments", "bodies"),
    [
        (["--last", "2", "--count", "2"], ["11", "12"]),
        (["--count", "10"], [*map(str, range(3, 13))]),
        (["--since", "beginning", "--count", "3"], ["1", "2", "3"]),
        (["--since", "7", "--count", "2"], ["8", "9"]),
    ],
)
def test_where_it_begins(command: Command, arguments: list[str], bodies: list[str]) -> None:
    command.said(*map(str, range(1, 13)))
    called = command("tail", command.conversation, *arguments)
    assert (called.code, called.err) == (0, "")
    assert shown(called.out) == [(body, "alice", body) for body in bodies]


def test_a_checkpoint_is_where_it_resumes(command: Command) -> None:
    command.said("1", "2", "3")
    tail = ("tail", command.conversation, "--checkpoint", "here.db", "--count", "1")
    assert shown(command(*tail, "--since", "beginning").out)[0][2] == "1"
    assert [shown(command(*tail).out)[0][2] for _ in range(2)] == ["2", "3"]


def test_nothing_in_a_message_or_a_name_is_obeyed(command: Command, sandbox: Sandbox) -> None:
    command.said("\x1b[2Ja\nb\x9b \u202ec [red]d[/]", by="bob")
    bob = sandbox.user_id("bob")
    (command.home / "names.toml").write_text(f'names.{bob} = "\\u001b[31mBob"\n', "utf-8")
    called = command("tail", command.conversation, "--count", "1", "--config", "names.toml")
    assert shown(called.out) == [("1", "␛[31mBob", "␛[2Ja ⏎ b\ufffd c [red]d[/]")]


def test_names_are_those_of_the_settings_or_external_ids(
    command: Command,
) -> None:
    command.said("Hi", by="bob")
    tail = ("tail", command.conversation, "--count", "1")
    assert shown(command(*tail).out)[0][1] == "bob"
    (command.home / "names.toml").write_text('names.bob = "Robert"\n', "utf-8")
    assert shown(command(*tail, "--config", "names.toml").out)[0][1] == "Robert"


class TestOldServer:
    """A server that sends no external IDs with messages."""

    @pytest.fixture
    def sandbox(self) -> Iterator[Sandbox]:
        with Sandbox(api="1.1") as sandbox:
            yield sandbox

    def test_names_are_those_that_are_known(self, command: Command, sandbox: Sandbox) -> None:
        command.said("Hi", by="bob")
        tail = ("tail", command.conversation, "--count", "1")
        assert shown(command(*tail).out)[0][1] == sandbox.user_id("bob")[:8]
        with (
            command.chat("bob") as chat,
            # Presence has the external IDs of those who are here.
            chat.realtime.conversation(command.conversation),
            command.process("tail", command.conversation) as process,
        ):
            assert process.stdout is not None
            # Presence comes by itself, before or after the first messages.
            while shown(process.stdout.readline())[0][1] != "bob":
                command.said("Again", by="bob")


def test_what_else_a_message_may_be(command: Command) -> None:
    first, second, _ = command.said("1", "2", "3")
    with command.chat() as chat:
        chat.messages.one(first.id).delete()
        chat.messages.one(second.id).update(body="two")
        file = chat.attachments.upload(b"1234", filename="\x1b.txt", content_type="text/plain")
        send = chat.conversations.one(command.conversation).messages.send
        send(attachment_ids=[file.id])
    called = command("tail", command.conversation, "--count", "4")
    texts = [text for _, _, text in shown(called.out)]
    assert texts == ["(deleted)", "two (edited)", "3", "[␛.txt, 4 bytes]"]


def test_json_is_the_message(command: Command) -> None:
    sent = command.said("\x1b[31m 🚀")[0]
    called = command("tail", command.conversation, "--count", "1", "--json")
    assert (called.json["id"], called.json["body"]) == (sent.id, "\x1b[31m 🚀")
    assert "🚀" in called.out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([NOBODY], 4, "no such conversation"),
        (["{}", "--since", "yesterday"], 2, "'yesterday' is not a number, `beginning` or `latest`"),
        (["{}", "--since", "1", "--last", "1"], 2, "--since and --last"),
        (["{}", "--last", "-1"], 2, "--last"),
        (["{}", "--checkpoint", "no/such/file"], 2, "no/such does not exist: create it"),
        (["{}", "--checkpoint", "notes"], 2, "the checkpoint notes cannot be used"),
    ],
)
def test_a_mistake_is_reported(
    command: Command, arguments: list[str], code: int, says: str
) -> None:
    (command.home / "notes").write_text("not a database, but long enough to be one" * 20)
    arguments = [each.replace("{}", command.conversation) for each in arguments]
    called = command("tail", *arguments)
    assert (called.code, called.out) == (code, "")
    assert says in called.said
    assert "Traceback" not in called.err


def test_one_who_is_no_member(command: Command, sandbox: Sandbox) -> None:
    called = command("tail", command.conversation, POOLSE_TOKEN=sandbox.token("carol"))
    assert called.code == 3
    assert "you are not a member" in called.err


def test_a_lost_connection_is_reported_and_nothing_is_lost(
    command: Command, sandbox: Sandbox
) -> None:
    with command.process("tail", command.conversation, "--json", "--count", "2") as process:
        assert process.stdout is not None
        sandbox.wait_for(lambda: bool(sandbox.joins), timeout=20)
        command.said("before")
        assert json.loads(process.stdout.readline())["body"] == "before"
        sandbox.faults.refuse_handshakes(status=503, times=1)
        sandbox.faults.drop_sockets(external_id="alice")
        command.said("meanwhile")
        out, err = process.communicate(timeout=20)
    assert json.loads(out)["body"] == "meanwhile"
    assert process.returncode == 0
    assert "poolse: connection lost, reconnecting" in err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_it_in_silence(
    command: Command, sandbox: Sandbox, number: signal.Signals, code: int
) -> None:
    command.said("Hello")
    with command.process("tail", command.conversation) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (code, "", "")


def test_over_tls(tls_sandbox: Sandbox, command: Command) -> None:
    token = tls_sandbox.token("alice")
    known = {
        "POOLSE_API_URL": tls_sandbox.url,
        "POOLSE_TOKEN": token,
        "SSL_CERT_FILE": str(tls_sandbox.ca_file),
    }
    with Poolse(
        api_url=tls_sandbox.url, token=token, ssl_context=tls_sandbox.ssl_context()
    ) as chat:
        row = chat.conversations.create(type="group", name="Team")
    with command.process("send", row.id, "Hello", environ=known) as process:
        assert process.communicate(timeout=20)[1] == ""
    with command.process("tail", row.id, "--count", "1", environ=known) as process:
        out, err = process.communicate(timeout=20)
    assert (shown(out)[0][2], err) == ("Hello", "")
