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
        "last_message_preview": None,
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


def test_unknown_members_are_created(sandbox: Sandbox, alice: User, bob: User) -> None:
    names = ["bob", "zoe", "yan"]
    talk = create(alice, type="group", member_external_ids=names).json()["id"]
    members = alice.ask("GET", f"/conversations/{talk}/members").json()["data"]
    assert [row["external_id"] for row in members] == ["alice", *names]
    assert members[2]["user_id"] == sandbox.user_id("zoe")


def test_a_refused_conversation_creates_nobody(sandbox: Sandbox, alice: User) -> None:
    names = ["zoe", "yan"]
    refused = create(alice, type="direct", member_external_ids=names)
    assert complaints_of(refused) == {"member_external_ids"}
    users = {"external_id": "zoe"}
    key = {"authorization": f"Bearer {sandbox.api_key}"}
    assert alice.http.post("/v1/users", json=users, headers=key).status_code == 201


@pytest.mark.parametrize("name", ["", " "])
def test_a_blank_name_is_nobodys(alice: User, name: str) -> None:
    refused = create(alice, type="group", member_external_ids=["zoe", name])
    assert complaints_of(refused) == {"member_external_ids"}


def group_of(user: User, *names: str) -> tuple[int, str]:
    """Status and code of a request that names members."""
    answer = create(user, type="group", member_external_ids=names)
    return (answer.status_code, "") if answer.status_code == 201 else error_of(answer)


def test_a_token_creates_fifty_users_an_hour(sandbox: Sandbox, alice: User, bob: User) -> None:
    first = [f"u-{number}" for number in range(30)]
    assert group_of(alice, *first) == (201, "")
    sandbox.clock.advance(1800)
    limited = 429, "lazy_provision_rate_limited"
    assert group_of(alice, *(f"v-{number}" for number in range(21))) == limited
    # Nobody was created by that, and users who exist do not count.
    assert group_of(alice, *first, *(f"v-{number}" for number in range(20))) == (201, "")
    talk = alice.conversation()
    refused = alice.ask("POST", f"/conversations/{talk}/members", external_ids=["zoe"])
    assert error_of(refused) == limited
    assert 1790 < int(refused.headers["retry-after"]) <= 1800
    # It is each token that has a limit, not the tenant and not the user.
    assert group_of(bob, "xenia") == (201, "")
    alice.http.headers["authorization"] = f"Bearer {sandbox.token('alice', lifetime=7200)}"
    assert group_of(alice, "zoe") == (201, "")


def test_the_hour_goes_by(sandbox: Sandbox, alice: User) -> None:
    alice.http.headers["authorization"] = f"Bearer {sandbox.token('alice', lifetime=7200)}"
    assert group_of(alice, *(f"u-{number}" for number in range(50))) == (201, "")
    sandbox.clock.advance(3580)
    assert group_of(alice, "zoe")[0] == 429
    sandbox.clock.advance(20)
    assert group_of(alice, "zoe") == (201, "")


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
