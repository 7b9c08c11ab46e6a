"""POST /v1/conversations."""

from __future__ import annotations

import re

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import NewUser, User, complaints_of, error_of
from tests.sandbox.test_sandbox_all_routes import TIME


def create(user: User, **body: object) -> httpx.Response:
    return user.http.post("/v1/conversations", json=body)


def test_the_whole_row(alice: User, bob: User) -> None:
    wanted = {
        "name": "Plans",
        "avatar_url": "https://example.org/a.png",
        "member_limit": 3,
        "custom_data": {"colour": "blau ✓"},
        "settings": {"muted": None},
    }
    answer = create(alice, type="group", member_external_ids=["bob"], **wanted)
    assert answer.status_code == 201
    row = answer.json()
    assert re.fullmatch(TIME, row.pop("inserted_at"))
    assert re.fullmatch(TIME, row.pop("updated_at"))
    assert re.fullmatch("[0-9a-f-]{36}", row.pop("id"))
    assert row == {
        "tenant_id": alice.http.get("/v1/me").json()["tenant_id"],
        "type": "group",
        "created_by_user_id": alice.id,
        "last_message_at": None,
        "last_sequence": 0,
        **wanted,
    }


def test_its_members_may_read_it_and_nobody_else(alice: User, bob: User, new_user: NewUser) -> None:
    conversation_id = alice.conversation("bob")
    assert alice.page(conversation_id) == bob.page(conversation_id) == []
    answer = new_user("eve").http.get(f"/v1/conversations/{conversation_id}/messages")
    assert error_of(answer) == (403, "forbidden")


@pytest.mark.parametrize("members", [["bob"], ["bob", "bob"], ["alice", "bob"]])
def test_a_direct_conversation_has_two_members(alice: User, bob: User, members: list[str]) -> None:
    answer = create(alice, type="direct", member_external_ids=members)
    assert answer.status_code == 201
    assert bob.page(answer.json()["id"]) == []


@pytest.mark.parametrize("members", [[], ["alice"], ["bob", "carol"]])
def test_not_one_more_and_not_one_less(
    sandbox: Sandbox, alice: User, bob: User, members: list[str]
) -> None:
    sandbox.user_id("carol")
    answer = create(alice, type="direct", member_external_ids=members)
    assert complaints_of(answer) == {"member_external_ids"}


def test_the_limit_counts_the_creator(alice: User, bob: User) -> None:
    assert create(alice, type="group", member_limit=1).status_code == 201
    answer = create(alice, type="group", member_limit=1, member_external_ids=["bob"])
    assert complaints_of(answer) == {"member_external_ids"}


def test_unknown_members_are_named(alice: User, bob: User) -> None:
    answer = create(alice, type="group", member_external_ids=["bob", "zoe", "yan"])
    assert error_of(answer) == (422, "user_not_found")
    assert answer.json()["error"]["details"] == {"external_ids": ["zoe", "yan"]}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"type"}),
        ({"type": "channel"}, {"type"}),
        ({"type": None}, {"type"}),
        ({"type": "group", "name": 3}, {"name"}),
        ({"type": "group", "member_limit": 0}, {"member_limit"}),
        ({"type": "group", "member_limit": True}, {"member_limit"}),
        ({"type": "group", "member_limit": 2**31}, {"member_limit"}),
        ({"type": "group", "member_external_ids": "bob"}, {"member_external_ids"}),
        ({"type": "group", "member_external_ids": [None]}, {"member_external_ids"}),
        ({"type": 1, "settings": [], "custom_data": 2}, {"type", "settings", "custom_data"}),
    ],
)
def test_bad_fields_are_named(alice: User, body: dict[str, object], fields: set[str]) -> None:
    assert complaints_of(create(alice, **body)) == fields


def test_the_fields_that_may_be_null(alice: User) -> None:
    answer = create(alice, type="group", name=None, avatar_url=None, member_limit=None, other=1)
    assert answer.status_code == 201
