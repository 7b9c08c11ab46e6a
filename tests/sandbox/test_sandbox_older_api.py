"""The API of 1.1, as `poolse sandbox --api 1.1` speaks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from poolse.sandbox.routes import ENDPOINTS
from poolse.sandbox.spec import ASYNCAPI, document
from poolse.testing import Sandbox
from tests.sandbox.raw_clients import NewUser, User, error_of

NEW_ENDPOINTS = {
    ("POST", "/devices"),
    ("DELETE", "/devices/abc"),
    ("GET", "/ice-servers"),
    ("POST", "/conversations/{talk}/call-token"),
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that speaks the old API. Its answers and events are held to the old spec."""
    with Sandbox(api="1.1") as server:
        yield server


@pytest.fixture
def talk(alice: User, bob: User) -> str:
    """Id of a conversation of alice and bob."""
    return alice.conversation("bob")


def test_its_spec_is_that_of_1_1() -> None:
    assert document(version="1.1")["info"]["version"] == "1.1.0"
    assert document(ASYNCAPI, "1.1")["info"]["version"] == "1.1.0"


def test_there_is_no_other_version() -> None:
    with pytest.raises(ValueError, match=r"api must be '2' or '1\.1', not '1\.0'"):
        Sandbox(api="1.0")


def test_newer_endpoints_are_404(alice: User, talk: str) -> None:
    paths = document(version="1.1")["paths"]
    assert len(NEW_ENDPOINTS) == len([one for one in ENDPOINTS if one.path not in paths])
    for method, path in NEW_ENDPOINTS:
        answer = alice.ask(method, path.format(talk=talk))
        assert error_of(answer) == (404, "not_found"), path


def test_newer_topics_and_pushes_are_unknown(alice: User, talk: str) -> None:
    phone = alice.phone()
    topic = f"voice:conversation:{talk}"
    phone.send("1", "1", topic, "phx_join", {})
    refused = {"response": {"reason": "unmatched topic"}, "status": "error"}
    assert phone.hear() == [None, "1", topic, "phx_reply", refused]
    topic = f"user:{alice.id}"
    phone.listen(topic)
    phone.send("1", "2", topic, "call:invite", {"conversation_id": talk})
    assert phone.hear()[3] == "phx_error"


def test_rows_have_the_fields_of_the_old_spec(alice: User, bob: User, talk: str) -> None:
    schemas = document(version="1.1")["components"]["schemas"]

    def fields(name: str) -> set[str]:
        return set(schemas[name]["properties"])

    quoted = alice.send(talk, body="x")
    message = alice.send(talk, body="y", quoted_message_id=quoted["id"], mentions=[bob.id])
    assert message.keys() == fields("Message")
    assert message["quoted_message"].keys() == fields("QuotedMessagePreview")
    assert alice.page(talk) == [message, quoted]
    (listed,) = alice.ask("GET", "/conversations").json()["data"]
    assert listed.keys() == fields("Conversation")
    row = alice.ask("PATCH", f"/conversations/{talk}", custom_data={"a": {"b": [1]}}).json()
    assert row.keys() == fields("Conversation") - {"unread_count"}
    assert row["custom_data"] == {"a": {"b": [1]}}
    for member in alice.ask("GET", f"/conversations/{talk}/members").json()["data"]:
        assert member.keys() == fields("Membership")
    row = alice.ask("POST", f"/messages/{message['id']}/reactions", emoji="👍").json()
    assert (row["mentions"], row["reactions"]) == ([bob.id], {"👍": [alice.id]})


def test_events_are_those_of_the_old_spec(alice: User, bob: User) -> None:
    owns = bob.phone()
    owns.listen(f"user:{bob.id}")
    talk = alice.conversation("bob")
    row = alice.ask("GET", f"/conversations/{talk}").json()
    assert owns.hear()[3:] == ["conversation:created", row]
    phone, mine = bob.phone(), alice.phone()
    topic = f"conversation:{talk}"
    (present,) = phone.join(topic)[4].values()
    assert present["metas"][0]["external_id"] == "bob"
    mine.join(topic)
    assert phone.hear()[3] == "presence_diff"
    mine.send("1", "2", topic, "typing", {})
    assert phone.hear()[3:] == ["typing:start", {"user_id": alice.id}]
    message = alice.send(talk, body="x")
    assert phone.hear()[3:] == ["message:new", message]
    alice.ask("DELETE", f"/messages/{message['id']}")
    owns.assert_quiet()


def test_unknown_members_are_named(alice: User, bob: User) -> None:
    names = ["bob", "zoe", "yan"]
    answer = alice.ask("POST", "/conversations", type="group", member_external_ids=names)
    assert error_of(answer) == (422, "user_not_found")
    assert answer.json()["error"]["details"] == {"external_ids": ["zoe", "yan"]}


def test_unknown_ids_add_nobody(alice: User, talk: str, new_user: NewUser) -> None:
    new_user("carol")
    path = f"/conversations/{talk}/members"
    answer = alice.ask("POST", path, external_ids=["carol", "zoe", "yan"])
    assert error_of(answer) == (422, "user_not_found")
    assert answer.json()["error"]["details"] == {"external_ids": ["zoe", "yan"]}
    assert len(alice.ask("GET", path).json()["data"]) == 2


def test_unread_is_counted_by_sequence(alice: User, bob: User, talk: str) -> None:
    rows = [alice.send(talk, body=str(number)) for number in range(3)]
    alice.ask("DELETE", f"/messages/{rows[1]['id']}")
    for user in (alice, bob):
        (row,) = user.ask("GET", "/conversations").json()["data"]
        assert row["unread_count"] == 3
    bob.ask("POST", f"/conversations/{talk}/read", message_id=rows[0]["id"])
    (row,) = bob.ask("GET", "/conversations").json()["data"]
    assert row["unread_count"] == 2


def test_a_data_file_is_of_both_versions(tmp_path: Path) -> None:
    for count, api in enumerate(("1.1", "2", "1.1")):
        with Sandbox(data=tmp_path / "data.db", api=api) as sandbox:
            alice = User(sandbox, "alice")
            assert len(alice.ask("GET", "/conversations").json()["data"]) == count
            alice.conversation()
            alice.close()
