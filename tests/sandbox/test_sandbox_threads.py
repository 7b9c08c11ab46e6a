"""Replies, and the threads that they make."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.raw_clients import NewUser, User, complaints_of, error_of
from tests.sandbox.test_sandbox_messages import GARBAGE, HUGE, NOBODY


@pytest.fixture
def talk(alice: User, bob: User) -> str:
    """Id of a conversation of alice and bob."""
    return alice.conversation("bob")


@pytest.fixture
def root(alice: User, talk: str) -> dict[str, Any]:
    """A message of it."""
    return alice.send(talk, body="root")


def thread(user: User, message_id: str, **query: object) -> list[int]:
    """Sequences of the replies."""
    path = f"/v1/messages/{message_id}/replies"
    answer = user.http.get(path, params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return [row["sequence"] for row in answer.json()["data"]]


def test_oldest_first_and_after_is_exclusive(
    alice: User, bob: User, talk: str, root: dict[str, Any]
) -> None:
    for user in (alice, bob, alice):
        user.send(talk, body="reply", reply_to_id=root["id"])
    assert thread(bob, root["id"].upper()) == [2, 3, 4]
    assert thread(bob, root["id"], limit=2) == [2, 3]
    assert thread(bob, root["id"], limit=2, after=3) == [4]
    assert thread(bob, root["id"], after=0) == [2, 3, 4]
    assert thread(bob, root["id"], after=4) == []


def test_a_reply_to_a_reply_is_in_the_thread_of_the_root(
    alice: User, talk: str, root: dict[str, Any]
) -> None:
    reply = alice.send(talk, body="reply", reply_to_id=root["id"])
    alice.send(talk, body="nested", reply_to_id=reply["id"])
    assert thread(alice, root["id"]) == [2, 3]
    assert thread(alice, reply["id"]) == []


def test_the_page_is_500_at_most(alice: User, talk: str, root: dict[str, Any]) -> None:
    for number in range(501):
        alice.send(talk, body=str(number), reply_to_id=root["id"])
    assert [len(thread(alice, root["id"], **query)) for query in ({}, {"limit": 501})] == [500, 500]
    assert thread(alice, root["id"], after=501) == [502]


def test_a_deleted_reply_stays_but_is_not_counted(
    alice: User, talk: str, root: dict[str, Any]
) -> None:
    replies = [alice.send(talk, body="reply", reply_to_id=root["id"]) for _ in range(2)]
    alice.ask("DELETE", f"/messages/{replies[0]['id']}")
    assert thread(alice, root["id"]) == [2, 3]
    assert alice.page(talk)[0]["reply_count"] == 1


def test_a_thread_outlives_its_root(alice: User, talk: str, root: dict[str, Any]) -> None:
    alice.ask("DELETE", f"/messages/{root['id']}")
    assert alice.send(talk, body="still", reply_to_id=root["id"])["thread_root_id"] == root["id"]
    assert thread(alice, root["id"]) == [2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        *(("limit", value) for value in GARBAGE),
        *(("after", value) for value in GARBAGE),
    ],
)
def test_a_garbage_query_is_422(alice: User, root: dict[str, Any], name: str, value: str) -> None:
    answer = alice.http.get(f"/v1/messages/{root['id']}/replies", params={name: value})
    assert complaints_of(answer) == {name}


@pytest.mark.parametrize("number", HUGE)
def test_a_huge_number_is_a_number(
    alice: User, talk: str, root: dict[str, Any], number: str
) -> None:
    alice.send(talk, body="reply", reply_to_id=root["id"])
    assert thread(alice, root["id"], limit=number) == [2]
    assert thread(alice, root["id"], after=number) == []


def test_only_members_read_a_thread(new_user: NewUser, root: dict[str, Any]) -> None:
    eve = new_user("eve")
    for message_id, error in ((root["id"], (403, "forbidden")), (NOBODY, (404, "not_found"))):
        assert error_of(eve.ask("GET", f"/messages/{message_id}/replies")) == error
