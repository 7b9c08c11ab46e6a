"""What channels are told, and what they are not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.raw_clients import Frame, NewUser, Phone, User

OK: dict[str, object] = {"response": {}, "status": "ok"}
UNAUTHORIZED = {"response": {"reason": "unauthorized"}, "status": "error"}


@pytest.fixture
def talk(alice: User, bob: User) -> str:
    """Id of a group of alice and bob."""
    return alice.conversation("bob")


@pytest.fixture
def phone(bob: User, talk: str) -> Phone:
    """A socket of bob that joined it."""
    phone = bob.phone()
    phone.join(f"conversation:{talk}")
    return phone


def told(phone: Phone, talk: str) -> tuple[str, Any]:
    """The next event of a conversation."""
    frame = phone.hear()
    assert frame[:3] == [None, None, f"conversation:{talk}"]
    return frame[3], frame[4]


def test_an_edit_is_told_without_counting_replies(alice: User, phone: Phone, talk: str) -> None:
    root = alice.send(talk, body="helo")
    reply = alice.send(talk, body="reply", reply_to_id=root["id"])
    row = alice.ask("PATCH", f"/messages/{root['id']}", body="hello").json()
    assert row["reply_count"] == 1
    assert [told(phone, talk) for _ in range(3)] == [
        ("message:new", root),
        ("message:new", reply),
        ("message:updated", {**row, "reply_count": 0}),
    ]


def test_a_deletion_is_told_once(alice: User, phone: Phone, talk: str) -> None:
    root = alice.send(talk, body="x")
    reply = alice.send(talk, body="y", reply_to_id=root["id"])
    for _ in range(2):
        alice.ask("DELETE", f"/messages/{reply['id']}")
    deleted_at = alice.ask("GET", f"/messages/{root['id']}/replies").json()["data"][0]["deleted_at"]
    gone = {"id": reply["id"], "conversation_id": talk, "deleted_at": deleted_at}
    told(phone, talk)
    told(phone, talk)
    assert told(phone, talk) == ("message:deleted", gone)
    phone.assert_quiet()


def test_reactions_are_told_when_they_change_something(
    alice: User, phone: Phone, talk: str
) -> None:
    message_id = alice.send(talk, body="x")["id"]
    path = f"/messages/{message_id}/reactions"
    for _ in range(2):
        alice.ask("POST", path, emoji="👍")
    for _ in range(2):
        alice.ask("DELETE", f"{path}/👍")
    payload = {"message_id": message_id, "conversation_id": talk, "emoji": "👍"}
    told(phone, talk)
    assert [told(phone, talk) for _ in range(2)] == [
        ("reaction:added", {**payload, "user_id": alice.id}),
        ("reaction:removed", {**payload, "user_id": alice.id}),
    ]
    phone.assert_quiet()


def test_a_mark_is_told_when_it_moves(alice: User, bob: User, phone: Phone, talk: str) -> None:
    ids = [bob.send(talk, body="x")["id"] for _ in range(2)]
    for message_id in (ids[1], ids[1], ids[0]):
        alice.ask("POST", f"/conversations/{talk}/read", message_id=message_id)
    row = alice.ask("GET", f"/conversations/{talk}/members").json()["data"][0]
    told(phone, talk)
    told(phone, talk)
    names = ("user_id", "conversation_id", "last_read_message_id", "last_read_at")
    assert told(phone, talk) == ("member:read", {name: row[name] for name in names})
    phone.assert_quiet()


def test_what_is_refused_is_not_told(alice: User, phone: Phone, talk: str) -> None:
    elsewhere = alice.send(alice.conversation(), body="x")["id"]
    alice.ask("POST", f"/conversations/{talk}/read", message_id=elsewhere)
    alice.ask("POST", f"/conversations/{talk}/messages", body="x", reply_to_id=elsewhere)
    phone.assert_quiet()


def test_a_removed_member_hears_no_more(
    alice: User, bob: User, phone: Phone, talk: str, new_user: NewUser
) -> None:
    topic, own = f"conversation:{talk}", alice.phone()
    own.join(topic)
    assert phone.hear()[3] == "presence_diff"
    alice.ask("DELETE", f"/conversations/{talk}/members/{bob.id}")
    assert phone.hear() == ["1", "1", topic, "phx_close", {}]
    assert list(own.hear()[4]["leaves"]) == [bob.id]
    alice.send(talk, body="behind his back")
    phone.send("2", "2", topic, "phx_join", {})
    assert phone.hear() == ["2", "2", topic, "phx_reply", UNAUTHORIZED]
    phone.assert_quiet()


def test_a_user_topic_is_ones_own(alice: User, bob: User) -> None:
    phone = alice.phone()
    for ref, name in (("1", bob.id), ("2", "nobody"), ("3", ""), ("4", alice.id.upper())):
        phone.send(ref, ref, f"user:{name}", "phx_join", {})
        assert phone.hear() == [ref, ref, f"user:{name}", "phx_reply", UNAUTHORIZED]
    phone.listen(f"user:{alice.id}", "5")
    phone.assert_quiet()
    phone.send("5", "6", f"user:{alice.id}", "typing", {})
    assert phone.hear()[3] == "phx_error"


def test_a_user_topic_is_left_like_any_other(alice: User) -> None:
    phone, topic = alice.phone(), f"user:{alice.id}"
    phone.listen(topic)
    phone.send("1", "2", topic, "phx_leave", {})
    assert phone.hear() == ["1", "2", topic, "phx_reply", OK]
    assert phone.hear() == ["1", "1", topic, "phx_close", {}]
    phone.assert_quiet()


def test_a_new_conversation_is_told_to_all_who_are_in_it(
    alice: User, bob: User, new_user: NewUser
) -> None:
    carol = new_user("carol")
    phones = {user: user.phone() for user in (alice, bob, carol)}
    for user, phone in phones.items():
        phone.listen(f"user:{user.id}")
    body = {"type": "group", "member_external_ids": ["bob", "alice"]}
    row = alice.ask("POST", "/conversations", **body).json()
    row["member_external_ids"] = ["alice", "bob"]
    for user in (alice, bob):
        assert phones[user].hear()[2:] == [f"user:{user.id}", "conversation:created", row]
        phones[user].assert_quiet()
    phones[carol].assert_quiet()


def test_members_who_come_later_are_told_then(alice: User, talk: str, new_user: NewUser) -> None:
    carol = new_user("carol")
    phone, owns = carol.phone(), alice.phone()
    phone.listen(f"user:{carol.id}")
    owns.listen(f"user:{alice.id}")
    for _ in range(2):
        alice.ask("POST", f"/conversations/{talk}/members", external_ids=["carol", "bob"])
    row = carol.ask("GET", f"/conversations/{talk}").json()
    row["member_external_ids"] = ["alice", "bob", "carol"]
    assert phone.hear()[2:] == [f"user:{carol.id}", "conversation:created", row]
    phone.assert_quiet()
    owns.assert_quiet()


def updates(phone: Phone) -> list[tuple[str, str, int]]:
    """Of `conversation:updated`, until all is quiet: preview, by whom, and what is unread."""
    frames: list[Frame] = []
    while (frame := phone.heartbeat("quiet"))[2] != "phoenix":
        frames.append(frame)
        while (frame := phone.hear())[2] != "phoenix":
            frames.append(frame)
    assert {frame[3] for frame in frames} <= {"conversation:updated"}
    payloads = [frame[4] for frame in frames]
    rows = [(payload["conversation"], payload["by_user_id"]) for payload in payloads]
    return [(row["last_message_preview"], by, row["unread_count"]) for row, by in rows]


def test_a_send_is_told_to_each_member(alice: User, bob: User, talk: str) -> None:
    alices, bobs = alice.phone(), bob.phone()
    alices.listen(f"user:{alice.id}")
    bobs.listen(f"user:{bob.id}")
    alice.send(talk, body="one")
    alice.send(talk, body="two")
    (own,) = alice.ask("GET", "/conversations").json()["data"]
    del own["member_external_ids"]
    assert updates(alices) == [("one", alice.id, 0), ("two", alice.id, 0)]
    assert updates(bobs) == [("one", alice.id, 1), ("two", alice.id, 2)]
    bob.send(talk, body="three")
    assert updates(bobs) == [("three", bob.id, 0)]
    assert updates(alices) == [("three", bob.id, 1)]


def test_the_row_of_an_update_is_complete(bob: User, alice: User, talk: str) -> None:
    phone = bob.phone()
    phone.listen(f"user:{bob.id}")
    alice.send(talk, body="one")
    row = bob.ask("GET", f"/conversations/{talk}").json()
    payload = {"conversation": {**row, "unread_count": 1}, "by_user_id": alice.id}
    assert phone.hear()[2:] == [f"user:{bob.id}", "conversation:updated", payload]


def test_a_deletion_is_told_to_those_whose_count_it_changes(
    alice: User, bob: User, talk: str
) -> None:
    read, unread = (alice.send(talk, body=body) for body in ("read", "unread"))
    bob.ask("POST", f"/conversations/{talk}/read", message_id=read["id"])
    alices, bobs = alice.phone(), bob.phone()
    alices.listen(f"user:{alice.id}")
    bobs.listen(f"user:{bob.id}")
    alice.ask("DELETE", f"/messages/{read['id']}")
    assert updates(bobs) == []
    alice.ask("DELETE", f"/messages/{unread['id']}")
    assert updates(bobs) == [(None, alice.id, 0)]
    assert updates(alices) == []


def test_other_changes_are_not_told_as_updates(alice: User, bob: User, talk: str) -> None:
    row = alice.send(talk, body="one")
    phone = bob.phone()
    phone.listen(f"user:{bob.id}")
    alice.ask("PATCH", f"/messages/{row['id']}", body="two")
    alice.ask("POST", f"/messages/{row['id']}/reactions", emoji="👍")
    alice.ask("PATCH", f"/conversations/{talk}", name="Plans")
    bob.ask("POST", f"/conversations/{talk}/read", message_id=row["id"])
    alice.send(talk, id=row["id"], body="one")
    assert updates(phone) == []


def test_a_mention_is_told_to_members_but_not_to_oneself(
    alice: User, bob: User, talk: str, new_user: NewUser
) -> None:
    eve = new_user("eve")
    phones = {user: user.phone() for user in (alice, bob, eve)}
    for user, phone in phones.items():
        phone.listen(f"user:{user.id}")
    mentions = [user.id for user in phones]
    row = alice.send(talk, body="@all", mentions=mentions)
    alice.send(talk, id=row["id"], body="@all", mentions=mentions)
    assert row["mentions"] == mentions
    payload = {"message_id": row["id"], "conversation_id": talk, "sender_id": alice.id}
    assert phones[bob].hear()[2:] == [f"user:{bob.id}", "mention:new", payload]
    for user in (alice, bob):
        assert phones[user].hear()[3] == "conversation:updated"
    for phone in phones.values():
        phone.assert_quiet()
