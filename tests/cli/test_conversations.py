"""`poolse conversations` and `poolse members`: what one needs before a message can be sent."""

from __future__ import annotations

import json

import pytest

from tests.cli.run_command import Command
from tests.cli.terminal import on_terminal, visible
from tests.cli.test_send import NOBODY


def test_create_prints_an_id_that_the_other_commands_take(command: Command) -> None:
    created = command("conversations", "create", "bob", "carol", "--name", "Plans")
    assert (created.code, created.err) == (0, "")
    conversation = created.out.strip()
    assert command("send", conversation, "Hi").code == 0
    listed = command("conversations", "list").out.splitlines()
    assert listed[0].split("  ", 1) == [conversation, "  0 unread  Plans: alice, bob, carol"]
    assert len(listed) == 2


def test_a_direct_conversation_is_with_one_other(command: Command) -> None:
    created = command("conversations", "create", "bob", "--direct", "--json")
    assert created.json["type"] == "direct"
    for members in ([], ["bob", "carol"]):
        called = command("conversations", "create", *members, "--direct")
        assert called.code == 2
        assert "--direct takes exactly one EXTERNAL_ID" in called.err


def test_unread_messages_are_counted(command: Command) -> None:
    command.said("one", "two", by="bob")
    assert "  2 unread  Team: alice, bob" in command("conversations", "list").out
    rows = [
        json.loads(line) for line in command("conversations", "list", "--json").out.split("\n")[:-1]
    ]
    assert [row["unread_count"] for row in rows] == [2]


def test_no_conversations_is_said_with_what_to_do(command: Command) -> None:
    token = command.sandbox.token("carol")
    called = command("conversations", "list", POOLSE_TOKEN=token)
    assert (called.code, called.out) == (0, "")
    assert "`poolse conversations create EXTERNAL_ID` creates one" in called.err
    assert command("conversations", "list", "--json", POOLSE_TOKEN=token).err == ""


def test_members_come_and_go(command: Command) -> None:
    added = command("members", "add", command.conversation, "carol", "dan", "--role", "admin")
    assert (added.code, added.err) == (0, "")
    carol = command.sandbox.user_id("carol")
    assert added.out.splitlines()[0] == f"admin   {carol}  carol"
    listed = command("members", "list", command.conversation).out.splitlines()
    assert [line.split()[::2] for line in listed] == [
        ["owner", "alice"],
        ["member", "bob"],
        ["admin", "carol"],
        ["admin", "dan"],
    ]
    removed = command("members", "remove", command.conversation, "bob", "dan")
    assert (removed.code, removed.out, removed.err) == (0, "", "")
    rows = command("members", "list", command.conversation, "--json").out.splitlines()
    assert [json.loads(row)["external_id"] for row in rows] == ["alice", "carol"]


def test_nobody_is_removed_if_one_is_not_a_member(command: Command) -> None:
    called = command("members", "remove", command.conversation, "bob", "nobody")
    assert called.code == 4
    assert "not a member: nobody" in called.err
    assert "bob" in command("members", "list", command.conversation).out


@pytest.mark.parametrize("verb", ["list", "remove", "add"])
def test_an_unknown_conversation_is_said(command: Command, verb: str) -> None:
    names = [] if verb == "list" else ["bob"]
    called = command("members", verb, NOBODY, *names)
    assert (called.code, called.out) == (4, "")
    assert "`poolse conversations list`" in called.err


def test_a_name_is_made_harmless_and_a_row_fits_the_terminal(command: Command) -> None:
    command("conversations", "create", "bob", "--name", "\x1b[31mred" + "x" * 200)
    piped = command("conversations", "list").out
    assert "\x1b" not in piped
    assert "␛[31mredxxx" in piped
    assert len(piped.splitlines()[0]) > 200
    with on_terminal(command, "conversations", "list") as terminal:
        assert terminal.end() == 0
    assert {len(row) for row in visible(terminal.raw).split("\n") if "red" in row} == {80}


def test_a_poolse_id_does_not_become_another_user(command: Command) -> None:
    bob, alice = command.sandbox.user_id("bob"), command.sandbox.user_id("alice")
    for arguments, name in (
        (["members", "add", command.conversation, bob], "bob"),
        (["conversations", "create", alice], "alice"),
    ):
        called = command(*arguments)
        assert (called.code, called.out) == (2, "")
        assert "is the poolse ID of a user, not an external ID" in called.said
        assert f"that of this one is '{name}'" in called.said
    # Your own IDs may be UUIDs.
    assert command("members", "add", command.conversation, NOBODY).code == 0
