"""How far members have read."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.sandbox.raw_clients import NewUser, User, complaints_of, error_of
from tests.sandbox.test_sandbox_all_routes import TIME
from tests.sandbox.test_sandbox_messages import NOBODY


@pytest.fixture
def talk(alice: User, bob: User) -> str:
    """Id of a conversation of alice and bob."""
    return alice.conversation("bob")


def read(user: User, talk: str, message_id: object) -> httpx.Response:
    return user.ask("POST", f"/conversations/{talk}/read", message_id=message_id)


def mark(user: User, talk: str) -> dict[str, Any]:
    """The user's own membership."""
    rows = user.ask("GET", f"/conversations/{talk}/members").json()["data"]
    return next(row for row in rows if row["user_id"] == user.id)


def test_the_mark_is_in_the_membership(alice: User, bob: User, talk: str) -> None:
    message_id = alice.send(talk, body="x")["id"]
    assert mark(bob, talk)["last_read_message_id"] is None
    answer = read(bob, talk, message_id.upper())
    assert (answer.status_code, answer.content) == (204, b"")
    row = mark(bob, talk)
    assert (row["last_read_message_id"], row["last_read_sequence"]) == (message_id, 1)
    assert re.fullmatch(TIME, row["last_read_at"])


def test_the_mark_never_moves_backwards(alice: User, bob: User, talk: str) -> None:
    older, newer = (alice.send(talk, body="x")["id"] for _ in range(2))
    read(bob, talk, newer)
    before = mark(bob, talk)
    for message_id in (older, newer):
        assert read(bob, talk, message_id).status_code == 204
    assert mark(bob, talk) == before


def test_replies_and_deleted_messages_are_read_too(alice: User, bob: User, talk: str) -> None:
    root = alice.send(talk, body="x")["id"]
    reply = alice.send(talk, body="y", reply_to_id=root)["id"]
    alice.ask("DELETE", f"/messages/{reply}")
    assert read(bob, talk, reply).status_code == 204
    assert bob.ask("GET", "/conversations").json()["data"][0]["unread_count"] == 0


def test_a_message_of_another_conversation_is_404(alice: User, talk: str) -> None:
    elsewhere = alice.send(alice.conversation(), body="x")["id"]
    for message_id in (elsewhere, NOBODY):
        assert error_of(read(alice, talk, message_id)) == (404, "not_found")


@pytest.mark.parametrize("message_id", [None, "x", 7])
def test_what_is_no_id_is_422(alice: User, talk: str, message_id: object) -> None:
    assert complaints_of(read(alice, talk, message_id)) == {"message_id"}


def test_only_members_read(alice: User, talk: str, new_user: NewUser) -> None:
    message_id = alice.send(talk, body="x")["id"]
    assert error_of(read(new_user("eve"), talk, message_id)) == (403, "forbidden")
    assert error_of(read(alice, NOBODY, message_id)) == (404, "not_found")
