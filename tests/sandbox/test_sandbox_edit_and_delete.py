"""Editing and deleting messages, and what quotes show of it."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.sandbox.raw_clients import NewUser, User, complaints_of, error_of
from tests.sandbox.test_sandbox_all_routes import TIME

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def talk(alice: User, bob: User) -> str:
    """Id of a group of alice, its owner, and bob."""
    return alice.conversation("bob")


def edit(user: User, message_id: str, **body: object) -> httpx.Response:
    return user.ask("PATCH", f"/messages/{message_id}", **body)


def delete(user: User, message_id: str) -> httpx.Response:
    return user.ask("DELETE", f"/messages/{message_id}")


def test_an_edit_changes_the_text_and_says_when(bob: User, talk: str) -> None:
    row = bob.send(talk, body="helo")
    answer = edit(bob, row["id"].upper(), body="hello", type="custom")
    assert answer.status_code == 200
    edited = answer.json()
    assert re.fullmatch(TIME, edited["edited_at"])
    assert edited["updated_at"] == edited["edited_at"] > row["updated_at"]
    changed = {"body": "hello", "edited_at": edited["edited_at"], "updated_at": edited["edited_at"]}
    assert edited == {**row, **changed}
    assert bob.page(talk) == [edited]


def test_only_the_sender_edits(alice: User, bob: User, talk: str, new_user: NewUser) -> None:
    message_id = bob.send(talk, body="mine")["id"]
    for user in (alice, new_user("eve")):
        assert error_of(edit(user, message_id, body="yours")) == (403, "forbidden")
    assert alice.page(talk)[0]["body"] == "mine"


def test_who_has_left_edits_no_more(bob: User, talk: str) -> None:
    message_id = bob.send(talk, body="mine")["id"]
    bob.ask("DELETE", f"/conversations/{talk}/members/{bob.id}")
    assert error_of(edit(bob, message_id, body="still mine")) == (403, "forbidden")
    assert error_of(delete(bob, message_id)) == (403, "forbidden")


@pytest.mark.parametrize("body", [{}, {"body": None}, {"body": ""}, {"body": " \n"}, {"body": 1}])
def test_an_edit_needs_a_text(bob: User, talk: str, body: dict[str, object]) -> None:
    message_id = bob.send(talk, body="mine")["id"]
    assert complaints_of(edit(bob, message_id, **body)) == {"body"}


@pytest.mark.parametrize("message_id", [NOBODY, "x"])
def test_a_message_that_is_not_there_is_404(alice: User, message_id: str) -> None:
    for answer in (edit(alice, message_id, body="x"), delete(alice, message_id)):
        assert error_of(answer) == (404, "not_found")


def test_a_deleted_message_leaves_its_row(bob: User, talk: str) -> None:
    row = bob.send(talk, body="oops", mentions=[bob.id])
    answer = delete(bob, row["id"])
    assert (answer.status_code, answer.content) == (204, b"")
    (left,) = bob.page(talk)
    assert re.fullmatch(TIME, left["deleted_at"])
    gone = {"body": None, "deleted_at": left["deleted_at"], "updated_at": left["deleted_at"]}
    assert left == {**row, **gone}


def test_sender_owner_and_admins_delete(
    alice: User, bob: User, talk: str, new_user: NewUser
) -> None:
    admin, member, eve = (new_user(name) for name in ("admin", "member", "eve"))
    for name, role in (("admin", "admin"), ("member", "member")):
        path = f"/conversations/{talk}/members"
        alice.ask("POST", path, external_ids=[name], role=role)
    for user in (alice, admin, bob):
        message_id = bob.send(talk, body="x")["id"]
        for other in (member, eve):
            assert error_of(delete(other, message_id)) == (403, "forbidden")
        assert delete(user, message_id).status_code == 204


def test_a_second_delete_changes_nothing(alice: User, bob: User, talk: str) -> None:
    message_id = bob.send(talk, body="x")["id"]
    delete(bob, message_id)
    before = bob.page(talk)
    assert delete(alice, message_id).status_code == 204
    assert bob.page(talk) == before


def test_what_is_deleted_is_not_edited(alice: User, bob: User, talk: str) -> None:
    message_id = bob.send(talk, body="x")["id"]
    delete(bob, message_id)
    assert error_of(edit(bob, message_id, body="y")) == (410, "message_deleted")
    assert error_of(edit(alice, message_id, body="y")) == (403, "forbidden")


def test_a_quote_follows_the_quoted(alice: User, bob: User, talk: str) -> None:
    quoted = alice.send(talk, body="first")
    quote = bob.send(talk, body="so?", quoted_message_id=quoted["id"])
    edit(alice, quoted["id"], body="second")
    assert bob.page(talk)[0]["quoted_message"] == {**quote["quoted_message"], "body": "second"}
    delete(alice, quoted["id"])
    row, original = bob.page(talk)
    assert row["quoted_message"]["body"] is None
    assert row["quoted_message"]["deleted_at"] == original["deleted_at"]
    again = bob.send(talk, body="gone", quoted_message_id=quoted["id"])
    assert again["quoted_message"] == row["quoted_message"]


def test_the_original_of_an_id_may_be_deleted(alice: User, talk: str) -> None:
    row = alice.send(talk, body="x")
    delete(alice, row["id"])
    assert alice.send(talk, id=row["id"], body="x") == alice.page(talk)[0]
