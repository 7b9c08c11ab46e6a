"""Members: who may add and remove whom."""

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


def add(user: User, talk: str, *external_ids: str, **fields: object) -> httpx.Response:
    path = f"/conversations/{talk}/members"
    return user.ask("POST", path, external_ids=external_ids, **fields)


def remove(user: User, talk: str, user_id: str) -> httpx.Response:
    return user.ask("DELETE", f"/conversations/{talk}/members/{user_id}")


def roles(user: User, talk: str) -> dict[str, str]:
    """Roles of the members by their ids."""
    answer = user.ask("GET", f"/conversations/{talk}/members")
    assert answer.status_code == 200
    return {row["user_id"]: row["role"] for row in answer.json()["data"]}


def test_the_whole_row(alice: User, bob: User, talk: str) -> None:
    row = alice.ask("GET", f"/conversations/{talk}/members").json()["data"][1]
    assert re.fullmatch("[0-9a-f-]{36}", row.pop("id"))
    assert re.fullmatch(TIME, row.pop("inserted_at"))
    assert re.fullmatch(TIME, row.pop("updated_at"))
    known: dict[str, object] = {
        "conversation_id": talk,
        "user_id": bob.id,
        "external_id": "bob",
        "role": "member",
        "last_read_message_id": None,
        "last_read_at": None,
        "last_read_sequence": None,
    }
    assert {name: row[name] for name in known} == known


def test_the_creator_is_the_owner_and_comes_first(alice: User, bob: User, talk: str) -> None:
    assert list(roles(bob, talk).items()) == [(alice.id, "owner"), (bob.id, "member")]


def test_added_members_come_back_as_they_were_named(
    alice: User, bob: User, talk: str, new_user: NewUser
) -> None:
    carol, dave = new_user("carol"), new_user("dave")
    before = alice.ask("GET", f"/conversations/{talk}/members").json()["data"]
    answer = add(alice, talk, "dave", "bob", "carol", "dave", role="admin")
    assert answer.status_code == 201
    rows = answer.json()["data"]
    assert [row["user_id"] for row in rows] == [dave.id, bob.id, carol.id]
    assert [row["role"] for row in rows] == ["admin", "member", "admin"]
    assert rows[1] == before[1]
    assert len(roles(carol, talk)) == 4


def test_the_role_is_member_when_nothing_is_said(alice: User, talk: str, new_user: NewUser) -> None:
    carol = new_user("carol")
    add(alice, talk, "carol")
    assert roles(carol, talk)[carol.id] == "member"


def test_unknown_users_are_created(alice: User, talk: str, new_user: NewUser) -> None:
    carol = new_user("carol")
    rows = add(alice, talk, "zoe", "carol").json()["data"]
    assert [row["external_id"] for row in rows] == ["zoe", "carol"]
    assert list(roles(alice, talk))[2:] == [rows[0]["user_id"], carol.id]


def test_owner_and_admins_add(alice: User, bob: User, talk: str, new_user: NewUser) -> None:
    admin, eve = new_user("admin"), new_user("eve")
    add(alice, talk, "admin", role="admin")
    for user in (bob, eve):
        assert error_of(add(user, talk, "eve")) == (403, "forbidden")
    assert error_of(add(admin, talk, "eve", role="owner")) == (403, "forbidden")
    assert add(admin, talk, "eve", role="admin").status_code == 201
    assert error_of(add(alice, NOBODY, "eve")) == (404, "not_found")


def test_the_limit_counts_the_new_ones_only(alice: User, bob: User, new_user: NewUser) -> None:
    new_user("carol")
    talk = alice.conversation("bob", member_limit=2)
    assert add(alice, talk, "alice", "bob").status_code == 201
    assert complaints_of(add(alice, talk, "bob", "carol")) == {"external_ids"}
    assert len(roles(alice, talk)) == 2


def test_a_direct_conversation_takes_no_more(alice: User, bob: User, new_user: NewUser) -> None:
    new_user("carol")
    body = {"type": "direct", "member_external_ids": ["bob"]}
    talk = alice.ask("POST", "/conversations", **body).json()["id"]
    assert complaints_of(add(alice, talk, "carol")) == {"external_ids"}
    assert add(alice, talk, "bob").status_code == 201
    for user_id in (alice.id, bob.id):
        assert error_of(remove(bob, talk, user_id)) == (403, "forbidden")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"external_ids"}),
        ({"external_ids": "bob", "role": "boss"}, {"external_ids", "role"}),
        ({"external_ids": ["bob", 7]}, {"external_ids"}),
        ({"external_ids": None}, {"external_ids"}),
    ],
)
def test_bad_fields_are_named(
    alice: User, talk: str, body: dict[str, object], fields: set[str]
) -> None:
    answer = alice.ask("POST", f"/conversations/{talk}/members", **body)
    assert complaints_of(answer) == fields


def test_who_leaves_is_out(alice: User, bob: User, talk: str) -> None:
    answer = remove(bob, talk, bob.id.upper())
    assert (answer.status_code, answer.content) == (204, b"")
    assert list(roles(alice, talk)) == [alice.id]
    assert error_of(bob.ask("GET", f"/conversations/{talk}")) == (403, "forbidden")
    assert error_of(remove(bob, talk, bob.id)) == (403, "forbidden")
    assert error_of(remove(alice, talk, bob.id)) == (404, "not_found")
    assert bob.ask("GET", "/conversations").json()["data"] == []


def test_members_remove_nobody_else(alice: User, bob: User, talk: str, new_user: NewUser) -> None:
    carol, eve = new_user("carol"), new_user("eve")
    add(alice, talk, "carol")
    for user in (bob, eve):
        assert error_of(remove(user, talk, carol.id)) == (403, "forbidden")
    assert remove(alice, talk, carol.id).status_code == 204


def test_admins_remove_all_but_owners(alice: User, bob: User, talk: str, new_user: NewUser) -> None:
    admin, other, owner = (new_user(name) for name in ("admin", "other", "owner"))
    add(alice, talk, "admin", "other", role="admin")
    add(alice, talk, "owner", role="owner")
    assert error_of(remove(admin, talk, owner.id)) == (403, "forbidden")
    for user in (bob, other):
        assert remove(admin, talk, user.id).status_code == 204
    assert remove(alice, talk, owner.id).status_code == 204


def test_the_last_owner_stays_while_there_are_others(
    alice: User, bob: User, talk: str, new_user: NewUser
) -> None:
    new_user("carol")
    assert error_of(remove(alice, talk, alice.id)) == (403, "forbidden")
    add(alice, talk, "carol", role="owner")
    assert remove(alice, talk, alice.id).status_code == 204


def test_the_last_of_all_may_leave(alice: User) -> None:
    talk = alice.conversation()
    assert remove(alice, talk, alice.id).status_code == 204


@pytest.mark.parametrize("user_id", [NOBODY, "bob"])
def test_who_is_no_member_is_404(alice: User, talk: str, user_id: str) -> None:
    assert error_of(remove(alice, talk, user_id)) == (404, "not_found")


def test_who_comes_back_begins_anew(alice: User, bob: User, talk: str) -> None:
    message_id = alice.send(talk, body="x")["id"]
    bob.ask("POST", f"/conversations/{talk}/read", message_id=message_id)
    remove(alice, talk, bob.id)
    add(alice, talk, "bob")
    assert bob.ask("GET", "/conversations").json()["data"][0]["unread_count"] == 1
