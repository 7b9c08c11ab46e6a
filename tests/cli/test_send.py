"""`poolse send` and `poolse token`, and what they say when they cannot."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "says"),
    [
        ([NOBODY, "x"], {}, 4, "no such conversation .*404.*\n +check the ID"),
        (["nonsense", "x"], {}, 4, "404 not_found"),
        (["", "x"], {}, 2, "must be the ID of a conversation"),
        (["{}", ""], {}, 1, "can't be blank"),
        (["{}", "x", "--id", "7"], {}, 1, "'id': .'is invalid'"),
        (["{}", "x"], {"POOLSE_TOKEN": None}, 3, "no token .*\n +set POOLSE_TOKEN, pass --token-f"),
        (["{}", "x"], {"POOLSE_TOKEN": "junk"}, 3, "token is missing or invalid .*\n +get a new"),
        (["{}", "x"], {"POOLSE_TOKEN": "a b\nc"}, 2, "POOLSE_TOKEN|token"),
        (["{}", "x"], {"POOLSE_API_URL": "ftp://x"}, 2, "api_url must start with http"),
        (["{}", "x", "--token-file", "none"], {}, 2, "cannot read --token-file .none.: No such"),
        (["{}", "x", "--token-file", "-"], {}, 2, "standard input, which is empty"),
        (["{}"], {}, 2, "nothing to send: pass TEXT"),
        (["{}", "x", "--nope"], {}, 2, "No such option '--nope'.\nusage: poolse send"),
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
    assert re.search(says, called.err), called.err
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
        ("bob", {"POOLSE_API_KEY": None}, 3, "requires the API key .*\n +set POOLSE_API_KEY, pass"),
        ("bob", {"POOLSE_API_KEY": "pk_junk"}, 3, "invalid_api_key.*\n +check the API key"),
        (" ", {}, 2, "external_id must be the external ID of a user"),
    ],
)
def test_no_token(
    command: Command, external_id: str, environ: dict[str, str | None], code: int, says: str
) -> None:
    called = command("token", external_id, **environ)
    assert (called.code, called.out) == (code, "")
    assert re.search(says, called.err), called.err
    assert "pk_junk" not in called.err
