"""Sending and listing messages."""

from __future__ import annotations

import re
import uuid

import httpx
import pytest

from tests.sandbox.raw_clients import NewUser, User, complaints_of, error_of
from tests.sandbox.test_sandbox_all_routes import TIME

NOBODY = "00000000-0000-4000-8000-000000000000"
GARBAGE = ("-1", "x", "", "1.5", "-" + "9" * 30, "٣")
HUGE = (str(2**63), "9" * 30, "9" * 5000)


@pytest.fixture
def talk(alice: User, bob: User) -> str:
    """Id of a conversation of alice and bob."""
    return alice.conversation("bob")


def post(user: User, conversation_id: str, **body: object) -> httpx.Response:
    return user.http.post(f"/v1/conversations/{conversation_id}/messages", json=body)


def test_the_whole_row(alice: User, bob: User, talk: str) -> None:
    answer = post(alice, talk, body="hello 😀", mentions=[bob.id.upper(), bob.id])
    assert answer.status_code == 201
    row = answer.json()
    assert alice.page(talk) == [row]
    assert re.fullmatch(TIME, row.pop("inserted_at"))
    assert re.fullmatch(TIME, row.pop("updated_at"))
    assert re.fullmatch("[0-9a-f-]{36}", row.pop("id"))
    known: dict[str, object] = {
        "tenant_id": alice.http.get("/v1/me").json()["tenant_id"],
        "conversation_id": talk,
        "sender_id": alice.id,
        "sender_external_id": "alice",
        "type": "text",
        "body": "hello 😀",
        "reply_to_id": None,
        "thread_root_id": None,
        "reply_count": 0,
        "quoted_message_id": None,
        "quoted_message": None,
        "mentions": [bob.id],
        "reactions": {},
        "attachments": [],
        "edited_at": None,
        "deleted_at": None,
        "sequence": 1,
    }
    assert {name: row[name] for name in known} == known


def test_newest_first_and_before_is_exclusive(alice: User, talk: str) -> None:
    for number in range(5):
        alice.send(talk, body=str(number))
    assert [row["sequence"] for row in alice.page(talk)] == [5, 4, 3, 2, 1]
    assert [row["sequence"] for row in alice.page(talk, limit=2)] == [5, 4]
    assert [row["sequence"] for row in alice.page(talk, limit=2, before=4)] == [3, 2]
    assert alice.page(talk, before=1) == alice.page(talk, before=0) == []


def test_the_limit_is_50_and_at_most_100(alice: User, talk: str) -> None:
    for number in range(101):
        alice.send(talk, body=str(number))
    sizes = [len(alice.page(talk, **query)) for query in ({}, {"limit": 99}, {"limit": 1000})]
    assert sizes == [50, 99, 100]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        *(("limit", value) for value in GARBAGE),
        *(("before", value) for value in GARBAGE),
    ],
)
def test_a_garbage_query_is_422(alice: User, talk: str, name: str, value: str) -> None:
    answer = alice.http.get(f"/v1/conversations/{talk}/messages", params={name: value})
    assert complaints_of(answer) == {name}


@pytest.mark.parametrize("number", HUGE)
def test_a_huge_number_is_a_number(alice: User, talk: str, number: str) -> None:
    row = alice.send(talk, body="x")
    assert alice.page(talk, limit=number, before=number) == [row]


def test_replies_take_numbers_but_stay_out_of_the_list(alice: User, bob: User, talk: str) -> None:
    root = alice.send(talk, body="root")
    reply = bob.send(talk, body="reply", reply_to_id=root["id"])
    nested = alice.send(talk, body="nested", reply_to_id=reply["id"])
    last = alice.send(talk, body="last")
    assert [row["sequence"] for row in (root, reply, nested, last)] == [1, 2, 3, 4]
    assert (reply["thread_root_id"], nested["thread_root_id"]) == (root["id"], root["id"])
    assert nested["reply_to_id"] == reply["id"]
    page = alice.page(talk)
    assert [row["sequence"] for row in page] == [4, 1]
    assert [row["reply_count"] for row in page] == [0, 2]


def test_a_quote_shows_the_start_of_the_quoted(alice: User, bob: User, talk: str) -> None:
    quoted = alice.send(talk, body="ä" * 300)
    row = bob.send(talk, body="so?", quoted_message_id=quoted["id"])
    assert row["quoted_message"] == {
        "id": quoted["id"],
        "sender_id": alice.id,
        "sender_external_id": "alice",
        "body": "ä" * 200,
        "deleted_at": None,
        "inserted_at": quoted["inserted_at"],
    }
    assert alice.page(talk)[0] == row


@pytest.mark.parametrize("field", ["quoted_message_id", "reply_to_id"])
def test_neighbours_are_of_the_same_conversation(alice: User, talk: str, field: str) -> None:
    elsewhere = alice.send(alice.conversation(), body="elsewhere")
    for message_id in (elsewhere["id"], str(uuid.uuid4())):
        assert complaints_of(post(alice, talk, body="x", **{field: message_id})) == {field}
    assert alice.send(talk, body="next")["sequence"] == 1


def test_the_same_id_gives_the_original_row(alice: User, talk: str) -> None:
    message_id = str(uuid.uuid4())
    first = post(alice, talk, id=message_id.upper(), body="first")
    again = post(alice, talk, id=message_id, body="second")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["id"] == message_id
    assert len(alice.page(talk)) == 1


def test_an_id_that_somebody_else_used_is_taken(alice: User, bob: User, talk: str) -> None:
    message_id = alice.send(talk, body="mine")["id"]
    assert complaints_of(post(bob, talk, id=message_id, body="mine")) == {"id"}
    assert complaints_of(post(alice, alice.conversation(), id=message_id, body="x")) == {"id"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"body"}),
        ({"body": None}, {"body"}),
        ({"body": " \n"}, {"body"}),
        ({"body": 7}, {"body"}),
        ({"body": "x", "id": "no-uuid"}, {"id"}),
        ({"body": "x", "id": 5}, {"id"}),
        ({"body": "x", "type": "video"}, {"type"}),
        ({"body": "x", "mentions": ["bob"]}, {"mentions"}),
        ({"body": "x", "reply_to_id": "1"}, {"reply_to_id"}),
        ({"body": 1, "quoted_message_id": "2"}, {"body", "quoted_message_id"}),
        ({"attachment_ids": [NOBODY]}, {"attachment_ids"}),
        ({"body": "x", "attachment_ids": ["x"] * 11}, {"attachment_ids"}),
    ],
)
def test_bad_fields_are_named(
    alice: User, talk: str, body: dict[str, object], fields: set[str]
) -> None:
    assert complaints_of(post(alice, talk, **body)) == fields


@pytest.mark.parametrize("kind", ["text", "system", "custom"])
def test_a_user_may_send_any_type(alice: User, talk: str, kind: str) -> None:
    row = alice.send(talk, body="x", type=kind)
    assert (row["type"], row["sender_id"]) == (kind, alice.id)


def test_only_members_write(talk: str, new_user: NewUser) -> None:
    assert error_of(post(new_user("eve"), talk, body="hi")) == (403, "forbidden")


@pytest.mark.parametrize("conversation_id", [NOBODY, "x", "%20"])
def test_a_conversation_that_is_not_there_is_404(alice: User, conversation_id: str) -> None:
    path = f"/v1/conversations/{conversation_id}/messages"
    assert error_of(alice.http.get(path)) == (404, "not_found")
    assert error_of(alice.http.post(path, json={"body": "x"})) == (404, "not_found")


def test_a_failed_send_leaves_no_hole(alice: User, talk: str) -> None:
    alice.send(talk, body="one")
    post(alice, talk, body="bad", quoted_message_id=str(uuid.uuid4()))
    assert alice.send(talk, body="two")["sequence"] == 2
