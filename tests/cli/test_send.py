"""`poolse send` and `poolse token`, and what they say when they cannot."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

import pytest

from poolse.testing import Sandbox
from tests.cli.run_command import Command

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("arguments", "stdin", "body"),
    [
        (["Hello"], "", "Hello"),
        (["--", "--json"], "", "--json"),
        (["-"], "piped\n", "piped"),
        ([], "two\nlines\n\n", "two\nlines"),
        ([], "  indented 🚀 שלום", "  indented 🚀 שלום"),
    ],
)
def test_a_text_is_sent(command: Command, arguments: list[str], stdin: str, body: str) -> None:
    called = command("send", command.conversation, *arguments, stdin=stdin)
    assert (called.code, called.err) == (0, "")
    assert str(uuid.UUID(called.out.strip())) == called.out.strip()
    assert command.bodies == [body]


def test_the_same_id_is_stored_once(command: Command) -> None:
    message_id = str(uuid.uuid4())
    for _ in range(2):
        called = command("send", command.conversation, "Once", "--id", message_id)
        assert called.out == f"{message_id}\n"
    assert command.bodies == ["Once"]


def test_json_is_the_message(command: Command) -> None:
    root = command.said("Root")[0]
    called = command("send", command.conversation, "Re", "--json", "--reply-to", root.id)
    assert (called.json["body"], called.json["thread_root_id"]) == ("Re", root.id)


def test_members_are_mentioned(command: Command, sandbox: Sandbox) -> None:
    called = command("send", command.conversation, "Hi", "--mention", "alice", "--json")
    assert called.json["mentions"] == [sandbox.user_id("alice")]
    called = command("send", command.conversation, "Hi", "--mention", "nobody")
    assert (called.code, called.out) == (2, "")
    assert "nobody" in called.err


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "says"),
    [
        ([NOBODY, "x"], {}, 4, "no such conversation .*404.* check the ID"),
        (["", "x"], {}, 2, "'' is not the ID of a conversation"),
        (["{}", " "], {}, 2, "nothing to send: pass TEXT"),
        (["{}", "Hello", "bot"], {}, 2, "TEXT has 2 parts: put the text in quotes"),
        (["{}", "x", "--id", "7"], {}, 1, r"invalid fields: id: is invalid \(422"),
        (["{}", "x"], {"POOLSE_TOKEN": None}, 3, "no user token > set POOLSE_TOKEN, pass --tok"),
        (
            ["{}", "x"],
            {"POOLSE_TOKEN": "junk"},
            3,
            "token is missing or invalid .* the token is from POOLSE_TOKEN; get a new",
        ),
        (["{}", "x"], {"POOLSE_TOKEN": "a b\nc"}, 2, "poolse: POOLSE_TOKEN "),
        (["{}", "x"], {"POOLSE_API_URL": "ftp://x"}, 2, "POOLSE_API_URL must start with http"),
        (["{}", "x", "--api-url", "http://x/v1"], {}, 2, "leave /v1 out of --api-url"),
        (["{}", "x", "--ws-url", "ftp://x"], {}, 2, "--ws-url must start with ws"),
        (["{}", "x", "--token-file", "none"], {}, 2, "cannot read --token-file .none.: No such"),
        (["{}", "x", "--token-file", "-"], {}, 2, "standard input, which is empty"),
        (["{}"], {}, 2, "nothing to send: pass TEXT"),
        (["{}", "x", "--nope"], {}, 2, "No such option '--nope'. usage: poolse send"),
        (["{}", "x", "--profile", "no"], {}, 2, "profiles.no. not found in"),
    ],
)
def test_a_mistake_is_reported(
    command: Command,
    arguments: list[str],
    environ: dict[str, str | None],
    code: int,
    says: str,
) -> None:
    arguments = [each.replace("{}", command.conversation) for each in arguments]
    called = command("send", *arguments, **environ)
    assert (called.code, called.out) == (code, "")
    assert re.search(says, called.said), called.err
    assert "Traceback" not in called.err
    assert command.bodies == []


def test_one_who_is_no_member_is_refused(command: Command, sandbox: Sandbox) -> None:
    carol = sandbox.token("carol")
    called = command("send", command.conversation, "x", POOLSE_TOKEN=carol)
    assert called.code == 3
    assert "you are not a member of this conversation (403" in called.err
    assert "ask the owner" in called.err
    assert carol not in called.err


def test_a_server_that_is_down(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.random", lambda: 0.0)  # no waits between the attempts
    called = command("send", command.conversation, "x", POOLSE_API_URL="http://127.0.0.1:9")
    assert called.code == 5
    assert "could not connect: Connection refused" in called.err
    assert "--api-url or POOLSE_API_URL" in called.err


def test_errors_for_programs(command: Command) -> None:
    called = command("send", NOBODY, "x", "--json")
    assert (called.code, called.out) == (4, "")
    assert re.fullmatch(r'\{"error": \{"message": ".*no such.*"exit_code": 4.*\}\}\n', called.err)


def test_a_token_and_the_text_cannot_both_be_piped(command: Command, sandbox: Sandbox) -> None:
    token = sandbox.token("alice")
    called = command("send", command.conversation, "--token-file", "-", stdin=token)
    assert called.code == 2
    assert "standard input already has the token" in called.err
    called = command("send", command.conversation, "Hi", "--token-file", "-", stdin=token)
    assert called.code == 0


def test_a_token_is_all_that_is_printed(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    minted = command("token", "bob")
    assert (minted.code, minted.err) == (0, "")
    token = minted.out.removesuffix("\n")
    assert "\n" not in token
    assert command("send", command.conversation, "I am bob", POOLSE_TOKEN=token).code == 0
    (tmp_path / "key").write_text(sandbox.api_key)
    again = command("token", "bob", "--json", "--api-key-file", "key", POOLSE_API_KEY=None)
    assert again.json["external_id"] == "bob"


@pytest.mark.parametrize(
    ("external_id", "environ", "code", "says"),
    [
        ("bob", {"POOLSE_API_KEY": None}, 3, "requires the API key .* set POOLSE_API_KEY, pass"),
        (
            "bob",
            {"POOLSE_API_KEY": "pk_junk"},
            3,
            "invalid_api_key.* the API key is from POOLSE_API_KEY; check the API key",
        ),
        (" ", {}, 2, "EXTERNAL_ID is empty"),
    ],
)
def test_no_token(
    command: Command, external_id: str, environ: dict[str, str | None], code: int, says: str
) -> None:
    called = command("token", external_id, **environ)
    assert (called.code, called.out) == (code, "")
    assert re.search(says, called.said), called.err
    assert "pk_junk" not in called.err


@pytest.mark.parametrize(
    "arguments",
    [
        *("send Hello", "tail bob", "listen bob", "members list bob", "members add bob carol"),
        *("members remove bob carol", "upload bob cat.png", "export bob"),
    ],
)
def test_what_is_no_conversation_is_refused_before_anything_is_read_or_sent(
    command: Command, sandbox: Sandbox, arguments: str
) -> None:
    before = len(sandbox.requests)
    # Without a token: nothing is asked of the settings, either.
    called = command(*arguments.split(), stdin="piped", POOLSE_TOKEN=None)
    word = arguments.replace("members ", "").split()[1]
    assert (called.code, called.out) == (2, "")
    assert f"'{word}' is not the ID of a conversation, which is a UUID" in called.err
    assert "is $CONV empty? `poolse conversations list` shows the IDs" in called.err
    assert len(sandbox.requests) == before


@pytest.mark.parametrize(
    "arguments", ["token", "conversations create", "members add {}", "members remove {}"]
)
def test_an_empty_external_id(command: Command, arguments: str) -> None:
    called = command(*arguments.format(command.conversation).split(), "")
    assert (called.code, called.out) == (2, "")
    assert called.err.startswith("poolse: EXTERNAL_ID is empty\n")


def test_a_long_error_is_wrapped_and_a_word_is_not_broken(command: Command) -> None:
    called = command("send", NOBODY, "x")
    first, *others = called.err.splitlines()
    assert first.startswith("poolse: no such conversation")
    assert len(others) > 1
    assert all(line.startswith(" " * 8) for line in others)
    assert max(map(len, called.err.splitlines())) <= 80
    narrow = command("send", "y" * 90, "x", COLUMNS="50").err.splitlines()
    assert "y" * 90 in narrow[1]
    assert max(len(line) for line in narrow if "yyy" not in line) <= 50


def test_an_api_key_is_no_token(command: Command) -> None:
    called = command("send", NOBODY, "Hi", POOLSE_TOKEN=command.sandbox.api_key)
    assert called.code == 3
    assert "POOLSE_TOKEN has an API key, not a token" in called.err
    called = command("token", "bob", POOLSE_API_KEY=command.sandbox.token("alice"))
    assert called.code == 3
    assert "POOLSE_API_KEY has a user's token, not an API key" in called.err


def test_standard_input_that_is_not_utf8(command: Command) -> None:
    with command.process("send", command.conversation) as process:
        assert process.stdin is not None
        os.write(process.stdin.fileno(), b"caf\xe9")
        process.stdin.close()
        assert process.stderr is not None
        assert "standard input is not UTF-8" in process.stderr.read()
    assert process.returncode == 2
    assert command.bodies == []


def test_a_beginner_without_any_settings_is_shown_the_sandbox(command: Command) -> None:
    nothing = dict.fromkeys(("POOLSE_API_URL", "POOLSE_TOKEN", "POOLSE_API_KEY"))
    for arguments in (["whoami"], ["token", "alice"], ["send", NOBODY, "Hi"], ["listen"]):
        called = command(*arguments, **nothing)
        assert called.code == 3
        assert "no address, token or API key is set: `poolse sandbox -- bash`" in called.said
    assert "sandbox" not in command("whoami", POOLSE_TOKEN=None).err
