"""The list of conversations, one conversation, and what is changed of it."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.raw_clients import NewUser, User, complaints_of, error_of

NOBODY = "00000000-0000-4000-8000-000000000000"


def listed(user: User) -> list[tuple[str, int]]:
    """Ids of the user's conversations, each with what is unread."""
    answer = user.ask("GET", "/conversations")
    assert answer.status_code == 200
    return [(row["id"], row["unread_count"]) for row in answer.json()["data"]]


def update(user: User, talk: str, **changes: object) -> httpx.Response:
    return user.ask("PATCH", f"/conversations/{talk}", **changes)


def test_one_sees_ones_own_conversations(alice: User, bob: User, new_user: NewUser) -> None:
    talk = alice.conversation("bob")
    own = alice.conversation()
    assert [talk_id for talk_id, _ in listed(alice)] == [own, talk]
    assert listed(bob) == [(talk, 0)]
    assert listed(new_user("eve")) == []


def test_the_newest_activity_is_first(alice: User) -> None:
    first, second, third = (alice.conversation() for _ in range(3))
    alice.send(first, body="x")
    assert [talk_id for talk_id, _ in listed(alice)] == [first, third, second]


def test_unread_is_what_comes_after_the_mark(alice: User, bob: User) -> None:
    talk = alice.conversation("bob")
    rows = [alice.send(talk, body=str(number)) for number in range(3)]
    alice.send(talk, body="a reply counts too", reply_to_id=rows[0]["id"])
    assert listed(bob) == [(talk, 4)]
    bob.ask("POST", f"/conversations/{talk}/read", message_id=rows[1]["id"])
    assert listed(bob) == [(talk, 2)]


def test_deleted_messages_are_not_unread(alice: User, bob: User) -> None:
    talk = alice.conversation("bob")
    rows = [alice.send(talk, body=str(number)) for number in range(4)]
    bob.ask("POST", f"/conversations/{talk}/read", message_id=rows[1]["id"])
    for row, unread in ((rows[0], 2), (rows[2], 1), (rows[3], 0)):
        alice.ask("DELETE", f"/messages/{row['id']}")
        assert listed(bob) == [(talk, unread)]


def preview(user: User, talk: str) -> str | None:
    """What the conversation shows, in the list and by itself."""
    (listed_row,) = user.ask("GET", "/conversations").json()["data"]
    assert listed_row["id"] == talk
    row: dict[str, str | None] = user.ask("GET", f"/conversations/{talk}").json()
    assert row["last_message_preview"] == listed_row["last_message_preview"]
    return row["last_message_preview"]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("hello", "hello"),
        ("ä" * 81, "ä" * 80),
        ("two\n\n  lines\tand more ", "two lines and more"),
        (f"{'x' * 79}  y", "x" * 79),
    ],
)
def test_a_preview_is_one_line_of_80_characters(alice: User, body: str, shown: str) -> None:
    talk = alice.conversation()
    assert preview(alice, talk) is None
    alice.send(talk, body=body)
    assert preview(alice, talk) == shown


def test_a_preview_follows_the_newest_message_that_is_left(alice: User) -> None:
    talk = alice.conversation()
    first, second = (alice.send(talk, body=body) for body in ("first", "second"))
    alice.ask("PATCH", f"/messages/{second['id']}", body="edited")
    assert preview(alice, talk) == "edited"
    alice.ask("DELETE", f"/messages/{second['id']}")
    assert preview(alice, talk) == "first"
    reply = alice.send(talk, body="a reply", reply_to_id=first["id"])
    assert preview(alice, talk) == "a reply"
    for row in (first, reply):
        alice.ask("DELETE", f"/messages/{row['id']}")
    assert preview(alice, talk) is None


def test_members_are_listed_as_they_came(alice: User, bob: User) -> None:
    talk = alice.conversation("bob", "zoe")
    (row,) = bob.ask("GET", "/conversations").json()["data"]
    assert row["member_external_ids"] == ["alice", "bob", "zoe"]
    assert "member_external_ids" not in bob.ask("GET", f"/conversations/{talk}").json()


def test_ones_own_messages_are_never_unread(alice: User, bob: User) -> None:
    talk = alice.conversation("bob")
    root = bob.send(talk, body="x")
    assert (listed(alice), listed(bob)) == ([(talk, 1)], [(talk, 0)])
    for fields in ({"body": "y"}, {"body": "a reply", "reply_to_id": root["id"]}):
        sent = alice.send(talk, **fields)
        assert listed(alice) == [(talk, 0)]
        rows = alice.ask("GET", f"/conversations/{talk}/members").json()["data"]
        (own,) = (row for row in rows if row["user_id"] == alice.id)
        assert own["last_read_message_id"] == sent["id"]
    assert listed(bob) == [(talk, 2)]


def test_only_the_list_counts_what_is_unread(alice: User) -> None:
    talk = alice.conversation(name="Plans")
    row = alice.ask("GET", f"/conversations/{talk}").json()
    (listed_row,) = alice.ask("GET", "/conversations").json()["data"]
    assert listed_row == {**row, "unread_count": 0, "member_external_ids": ["alice"]}
    assert row["name"] == "Plans"


def test_a_message_shows_in_the_conversation(alice: User) -> None:
    talk = alice.conversation()
    sent = alice.send(talk, body="x")
    row = alice.ask("GET", f"/conversations/{talk}").json()
    assert (row["last_sequence"], row["last_message_at"]) == (1, sent["inserted_at"])


@pytest.mark.parametrize("path", ["", "/members", "/messages"])
def test_only_members_look(alice: User, new_user: NewUser, path: str) -> None:
    talk = alice.conversation()
    eve = new_user("eve")
    assert error_of(eve.ask("GET", f"/conversations/{talk}{path}")) == (403, "forbidden")
    assert error_of(eve.ask("GET", f"/conversations/{NOBODY}{path}")) == (404, "not_found")
    assert error_of(eve.ask("GET", f"/conversations/x{path}")) == (404, "not_found")


def test_only_what_was_sent_changes(alice: User) -> None:
    talk = alice.conversation(name="Plans", custom_data={"a": 1, "b": 2}, settings={"s": True})
    before = alice.ask("GET", f"/conversations/{talk}").json()
    row = update(alice, talk, avatar_url="https://x.org/a.png", custom_data={"c": [3.5]}).json()
    assert row.pop("updated_at") > before.pop("updated_at")
    assert row == {**before, "avatar_url": "https://x.org/a.png", "custom_data": {"c": [3.5]}}
    assert alice.ask("GET", f"/conversations/{talk}").json().items() >= row.items()


def test_null_clears(alice: User) -> None:
    talk = alice.conversation(name="Plans", avatar_url="x", member_limit=3)
    row = update(alice, talk, name=None, avatar_url=None, member_limit=None).json()
    assert (row["name"], row["avatar_url"], row["member_limit"]) == (None, None, None)


def test_nothing_sent_changes_nothing(alice: User) -> None:
    talk = alice.conversation(name="Plans")
    before = alice.ask("GET", f"/conversations/{talk}").json()
    answer = update(alice, talk, type="direct", last_sequence=7)
    assert (answer.status_code, answer.json()) == (200, before)


def test_a_group_is_changed_by_owner_and_admins(alice: User, new_user: NewUser) -> None:
    admin, member, eve = (new_user(name) for name in ("admin", "member", "eve"))
    talk = alice.conversation("member")
    alice.ask("POST", f"/conversations/{talk}/members", external_ids=["admin"], role="admin")
    assert update(admin, talk, name="by admin").json()["name"] == "by admin"
    for user in (member, eve):
        assert error_of(update(user, talk, name="no")) == (403, "forbidden")
    assert error_of(update(eve, NOBODY, name="no")) == (404, "not_found")


def test_a_direct_conversation_is_changed_by_either(alice: User, bob: User) -> None:
    body = {"type": "direct", "member_external_ids": ["bob"]}
    talk = alice.ask("POST", "/conversations", **body).json()["id"]
    assert update(bob, talk, name="ours").json()["name"] == "ours"


def test_the_limit_is_not_below_the_members(alice: User, bob: User) -> None:
    talk = alice.conversation("bob")
    assert complaints_of(update(alice, talk, member_limit=1)) == {"member_limit"}
    assert update(alice, talk, member_limit=2.0).json()["member_limit"] == 2


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": 1, "settings": None}, {"name", "settings"}),
        ({"custom_data": []}, {"custom_data"}),
        ({"member_limit": 0}, {"member_limit"}),
        ({"member_limit": 1.5}, {"member_limit"}),
        ({"member_limit": 10**40}, {"member_limit"}),
    ],
)
def test_bad_fields_are_named(alice: User, changes: dict[str, object], fields: set[str]) -> None:
    assert complaints_of(update(alice, alice.conversation(), **changes)) == fields
