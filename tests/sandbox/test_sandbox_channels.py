"""Joins, leaves, pushes and crashes, with the frames as a Phoenix server sends them."""

from __future__ import annotations

import json

import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import NewUser, Phone, User

UNMATCHED = {"response": {"reason": "unmatched topic"}, "status": "error"}
UNAUTHORIZED = {"response": {"reason": "unauthorized"}, "status": "error"}
OK: dict[str, object] = {"response": {}, "status": "ok"}


@pytest.fixture
def talk(alice: User, bob: User) -> str:
    """Id of a conversation of alice and bob."""
    return alice.conversation("bob")


@pytest.fixture
def topic(talk: str) -> str:
    """Its topic."""
    return f"conversation:{talk}"


@pytest.fixture
def phone(alice: User) -> Phone:
    """A socket of alice."""
    return alice.phone()


def test_a_join_verbatim(sandbox: Sandbox, alice: User, phone: Phone, topic: str) -> None:
    phone.wire.send(f'["2","2","{topic}","phx_join",{{}}]')
    assert phone.hear_text() == (
        f'["2","2","{topic}","phx_reply",{{"response":{{}},"status":"ok"}}]'
    )
    diff = phone.hear_text()
    meta = json.loads(diff)[4]["joins"][alice.id]["metas"][0]
    phone_ref, online_at = meta["phx_ref"], meta["online_at"]
    metas = (
        f'{{"{alice.id}":{{"metas":[{{"external_id":"alice","online_at":{online_at},'
        f'"phx_ref":"{phone_ref}"}}]}}}}'
    )
    assert diff == f'[null,null,"{topic}","presence_diff",{{"joins":{metas},"leaves":{{}}}}]'
    assert phone.hear_text() == f'["2",null,"{topic}","presence_state",{metas}]'
    assert sandbox.joins == [topic]


@pytest.mark.parametrize("payload", ["{}", "null", "[1]", '"x"', "7"])
def test_any_join_payload_is_fine(phone: Phone, topic: str, payload: str) -> None:
    phone.wire.send(f'["1","1","{topic}","phx_join",{payload}]')
    assert phone.hear()[4] == OK


def test_only_members_join(sandbox: Sandbox, new_user: NewUser, topic: str) -> None:
    phone = new_user("eve").phone()
    for ref, name in (("1", topic), ("2", "conversation:nothing"), ("3", "conversation:")):
        phone.send(ref, ref, name, "phx_join", {})
        assert phone.hear() == [ref, ref, name, "phx_reply", UNAUTHORIZED]
    phone.assert_quiet()
    assert sandbox.joins == []


@pytest.mark.parametrize("name", ["nosuch:topic", "conversation", "user", "phoenix", ""])
def test_an_unmatched_topic_has_no_join_ref(phone: Phone, name: str) -> None:
    phone.send("23", "23", name, "phx_join", {})
    assert phone.hear() == [None, "23", name, "phx_reply", UNMATCHED]


def test_a_join_without_join_ref_takes_its_ref(phone: Phone, topic: str) -> None:
    phone.send(None, "5", topic, "phx_join", {})
    assert phone.hear() == [None, "5", topic, "phx_reply", OK]
    assert phone.hear()[3] == "presence_diff"
    assert phone.hear()[:2] == ["5", None]


def test_a_hundred_channels_and_no_more(alice: User, phone: Phone) -> None:
    topics = [f"conversation:{alice.conversation()}" for _ in range(101)]
    for number, name in enumerate(topics[:100]):
        phone.join(name, str(number))
    phone.send("100", "100", topics[100], "phx_join", {})
    refused = {"response": {"reason": "too many channels joined"}, "status": "error"}
    assert phone.hear() == ["100", "100", topics[100], "phx_reply", refused]
    phone.send("101", "101", topics[0], "phx_join", {})
    assert phone.hear()[4] == OK


def test_messages_arrive_in_order_with_the_row(alice: User, bob: User, talk: str) -> None:
    phone = bob.phone()
    phone.join(f"conversation:{talk}")
    rows = [alice.send(talk, body=f"ünïcode {number} 😀") for number in range(3)]
    rows.append(bob.send(talk, body="a reply", reply_to_id=rows[0]["id"]))
    rows.append(alice.send(talk, body="a quote", quoted_message_id=rows[1]["id"]))
    heard = [phone.hear() for _ in rows]
    assert heard == [[None, None, f"conversation:{talk}", "message:new", row] for row in rows]
    assert heard[3][4]["thread_root_id"] == rows[0]["id"]
    assert heard[4][4]["quoted_message"]["body"] == rows[1]["body"]


def test_the_original_row_is_not_broadcast_again(alice: User, phone: Phone, talk: str) -> None:
    phone.join(f"conversation:{talk}")
    row = alice.send(talk, body="once")
    alice.send(talk, id=row["id"], body="once")
    assert phone.hear()[4] == row
    phone.assert_quiet()


def test_a_leave_verbatim(phone: Phone, topic: str) -> None:
    phone.join(topic, "60")
    phone.wire.send(f'["60","62","{topic}","phx_leave",{{}}]')
    assert phone.hear_text() == (
        f'["60","62","{topic}","phx_reply",{{"response":{{}},"status":"ok"}}]'
    )
    assert phone.hear_text() == f'["60","60","{topic}","phx_close",{{}}]'
    phone.assert_quiet()


def test_after_a_leave_nothing_is_heard(alice: User, phone: Phone, talk: str) -> None:
    topic = f"conversation:{talk}"
    phone.join(topic)
    phone.send("1", "2", topic, "phx_leave", {})
    assert [phone.hear()[3], phone.hear()[3]] == ["phx_reply", "phx_close"]
    alice.send(talk, body="too late")
    phone.assert_quiet()


def test_leaving_what_is_not_joined_is_fine(phone: Phone, topic: str) -> None:
    for name in (topic, "nosuch:topic"):
        phone.send("8", "9", name, "phx_leave", {})
        assert phone.hear() == ["8", "9", name, "phx_reply", OK]
    phone.assert_quiet()


def test_a_stale_join_ref_is_dropped_without_a_word(phone: Phone, topic: str) -> None:
    phone.join(topic, "4")
    for event in ("phx_leave", "typing", "boom"):
        phone.send("3", "5", topic, event, {})
    phone.assert_quiet()


def test_no_join_ref_is_good_enough(phone: Phone, topic: str) -> None:
    phone.join(topic, "4")
    phone.send(None, "5", topic, "phx_leave", {})
    assert phone.hear() == [None, "5", topic, "phx_reply", OK]
    assert phone.hear() == ["4", "4", topic, "phx_close", {}]


def test_a_second_join_is_answered_before_the_first_closes(
    alice: User, phone: Phone, talk: str
) -> None:
    topic = f"conversation:{talk}"
    phone.join(topic, "54")
    phone.wire.send(f'["60","60","{topic}","phx_join",{{}}]')
    assert phone.hear_text() == (
        f'["60","60","{topic}","phx_reply",{{"response":{{}},"status":"ok"}}]'
    )
    assert phone.hear_text() == f'["54","54","{topic}","phx_close",{{}}]'
    joins = phone.hear()
    assert joins[3:] == ["presence_diff", {"joins": phone.hear()[4], "leaves": {}}]
    row = alice.send(talk, body="heard once")
    assert phone.hear()[4] == row
    phone.assert_quiet()


def test_a_push_to_what_is_not_joined(phone: Phone, topic: str) -> None:
    phone.send("50", "51", topic, "typing", {})
    assert phone.hear() == [None, "51", topic, "phx_reply", UNMATCHED]


def test_an_unknown_event_crashes_the_channel_alone(
    alice: User, bob: User, phone: Phone, talk: str
) -> None:
    topic, other = f"conversation:{talk}", f"conversation:{alice.conversation()}"
    bobs = bob.phone()
    phone.join(other, "1")
    phone.join(topic, "2")
    bobs.join(topic)
    assert phone.hear()[3] == "presence_diff"
    phone.wire.send(f'["2","50","{topic}","boom",{{}}]')
    assert phone.hear_text() == f'["2","2","{topic}","phx_error",{{"reason":"channel_crash"}}]'
    assert list(bobs.hear()[4]["leaves"]) == [alice.id]
    phone.send("2", "51", topic, "typing", {})
    assert phone.hear() == [None, "51", topic, "phx_reply", UNMATCHED]
    phone.join(topic, "52")
    phone.send("1", "53", other, "typing", {})
    phone.assert_quiet()
