"""Pushes with payloads and replies, and the guard that channels are as the spec says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from poolse.sandbox import topics
from poolse.sandbox.api.call import Effect, Event
from poolse.sandbox.api.channel_push import Push, Reply
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.request_arguments import NewUser
from poolse.sandbox.response_validation import watch
from poolse.sandbox.spec import Push as PushSpec
from poolse.sandbox.spec import Schema, channels, document
from poolse.sandbox.store import Store
from poolse.sandbox.topics import PUSHES, TOPICS, PushHandler, match_topic
from poolse.testing import Sandbox
from tests.sandbox.raw_clients import Phone, User

CONVERSATION = "conversation:{conversation_id}"
NUMBER = Schema({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}})
DOUBLE = Schema(
    {"type": "object", "required": ["double"], "properties": {"double": {"type": "integer"}}}
)
CRASHED = {"reason": "channel_crash"}

Handle = Callable[[Store, Push], Reply]


class Add(Protocol):
    """Adds the push `double` to the spec and to the table, with a reply if that has a schema."""

    def __call__(self, handle: Handle, reply: Schema | None = DOUBLE) -> None: ...


@pytest.fixture
def breaches(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the guard reports, instead of failing this test."""
    monkeypatch.setattr("poolse.sandbox.response_validation._reporters", [])
    reports: list[str] = []
    with watch(reports.append):
        yield reports


@pytest.fixture
def topic(alice: User, bob: User) -> str:
    """The topic of a conversation of two."""
    return f"conversation:{alice.conversation('bob')}"


@pytest.fixture
def phone(alice: User, topic: str) -> Phone:
    """A socket of alice that has joined it."""
    phone = alice.phone()
    phone.join(topic)
    return phone


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Add:
    """The push `double`, as long as the test runs."""

    def add(handle: Handle, reply: Schema | None = DOUBLE) -> None:
        pushes = channels()[CONVERSATION].pushes
        monkeypatch.setitem(pushes, "double", PushSpec(NUMBER, reply))
        handler = PushHandler(CONVERSATION, "double", handle)
        monkeypatch.setattr(topics, "PUSHES", (*PUSHES, handler))

    return add


def ask(phone: Phone, topic: str, payload: object) -> list[object]:
    """Push, and give the reply or what came instead."""
    phone.send("1", "9", topic, "double", payload)
    return phone.hear()


def double(_: Store, push: Push) -> Reply:
    number = push.payload["n"]
    assert isinstance(number, int)
    return Reply({"double": 2 * number})


def test_the_tables_are_those_of_the_spec() -> None:
    spec = channels()
    assert {one.address for one in TOPICS} == spec.keys()
    ours = {(one.address, one.event) for one in PUSHES}
    assert ours == {(address, push) for address, one in spec.items() for push in one.pushes}
    tracked = {
        node["address"]
        for node in document("asyncapi")["channels"].values()
        if "presence" in node["x-sdk"]
    }
    assert {one.address for one in TOPICS if one.presence} == tracked


@pytest.mark.parametrize("name", ["conversation", "user", "", "nosuch:1", "conversations:1"])
def test_what_is_no_topic(name: str) -> None:
    assert match_topic(name) is None


def test_a_push_is_given_its_payload_and_replied_to(
    add: Add, alice: User, phone: Phone, topic: str
) -> None:
    seen: list[Push] = []

    def handle(store: Store, push: Push) -> Reply:
        seen.append(push)
        return double(store, push)

    add(handle)
    response = {"response": {"double": 14}, "status": "ok"}
    assert ask(phone, topic, {"n": 7}) == ["1", "9", topic, "phx_reply", response]
    assert (seen[0].user_id, seen[0].topic, seen[0].payload) == (alice.id, topic, {"n": 7})
    assert seen[0].topic_id == topic.removeprefix("conversation:")


def test_without_a_join_ref_the_reply_has_that_of_the_join(
    add: Add, phone: Phone, topic: str
) -> None:
    add(double)
    phone.send(None, "9", topic, "double", {"n": 1})
    assert phone.hear()[:4] == ["1", "9", topic, "phx_reply"]


def test_what_others_hear_of_a_push(add: Add, bob: User, phone: Phone, topic: str) -> None:
    def handle(_: Store, push: Push) -> Reply:
        names = ("message_id", "conversation_id", "sender_id")
        told: Effect = Event(f"user:{bob.id}", "mention:new", dict.fromkeys(names, push.user_id))
        return Reply({"double": 0}, effects=(told,))

    theirs = bob.phone()
    theirs.listen(f"user:{bob.id}")
    add(handle)
    ask(phone, topic, {"n": 1})
    assert theirs.hear()[3] == "mention:new"


@pytest.mark.parametrize(
    ("refuse", "response"),
    [
        (Reply({"reason": "too late", "since": 1}, status="error"), None),
        (ApiRefusal("forbidden", "no"), {"reason": "forbidden"}),
    ],
)
def test_a_push_may_be_refused(
    add: Add,
    phone: Phone,
    topic: str,
    refuse: Reply | ApiRefusal,
    response: object,
) -> None:
    def handle(_: Store, __: Push) -> Reply:
        if isinstance(refuse, ApiRefusal):
            raise refuse
        return refuse

    add(handle)
    expected = response or {"reason": "too late", "since": 1}
    assert ask(phone, topic, {"n": 7})[4] == {"response": expected, "status": "error"}


def test_what_a_refused_push_has_done_is_undone(add: Add, phone: Phone, topic: str) -> None:
    existed: list[bool] = []

    def handle(store: Store, push: Push) -> Reply:
        existed.append(store.user_named(push.tenant_id, "somebody") is not None)
        store.add_user(push.tenant_id, NewUser("somebody", None, {}))
        raise ApiRefusal("forbidden", "no")

    add(handle)
    for _ in range(2):
        ask(phone, topic, {"n": 7})
    assert existed == [False, False]


@pytest.mark.parametrize("payload", [{}, {"n": "7"}, None, [1]])
def test_a_payload_that_is_not_as_the_spec_says(
    add: Add, breaches: list[str], phone: Phone, topic: str, payload: object
) -> None:
    add(double)
    response = {"reason": "validation_failed"}
    assert ask(phone, topic, payload)[3:] == [
        "phx_reply",
        {"response": response, "status": "error"},
    ]
    assert all("double: $" in breach for breach in breaches)
    assert breaches


def test_such_a_payload_crashes_the_channel_if_there_is_no_reply(
    breaches: list[str], phone: Phone, topic: str
) -> None:
    phone.send("1", "9", topic, "typing", {"how": "fast"})
    assert phone.hear() == ["1", "1", topic, "phx_error", CRASHED]
    assert len(breaches) == 1
    assert "'how' was unexpected" in breaches[0]


@pytest.mark.parametrize(
    ("reply", "declared", "wrong"),
    [
        (Reply({"double": "x"}), DOUBLE, "$.double"),
        (Reply({}), DOUBLE, "'double' is a required property"),
        (Reply(), DOUBLE, "there is no reply"),
        (Reply({}), None, "there should be no reply"),
        (Reply({"why": "no"}, status="error"), DOUBLE, "an error needs a reason"),
        (Reply({"double": 1}), DOUBLE, None),
        (Reply(), None, None),
        (Reply({"reason": "no"}, status="error"), DOUBLE, None),
    ],
)
def test_replies_are_as_the_spec_says(
    add: Add,
    breaches: list[str],
    phone: Phone,
    topic: str,
    reply: Reply,
    declared: Schema | None,
    wrong: str | None,
) -> None:
    add(lambda _, __: reply, declared)
    phone.send("1", "9", topic, "double", {"n": 1})
    phone.heartbeat("10")
    if wrong is None:
        assert breaches == []
    else:
        (breach,) = breaches
        assert wrong in breach


def test_events_are_as_the_spec_says(
    monkeypatch: pytest.MonkeyPatch,
    breaches: list[str],
    alice: User,
    phone: Phone,
    topic: str,
) -> None:
    """Also when nobody hears them: a broadcast is checked and not its copies."""
    events = channels()[CONVERSATION].events
    monkeypatch.setitem(events, "typing:start", Schema({"required": ["user_id", "colour"]}))
    phone.send("1", "2", topic, "typing", {})
    phone.assert_quiet()
    assert breaches == [f"{topic} typing:start: $: 'colour' is a required property"]
    breaches.clear()
    monkeypatch.delitem(events, "message:new")
    alice.send(topic.removeprefix("conversation:"), body="x")
    assert breaches == [f"{topic} message:new: the event is not in the spec"]
    breaches.clear()
    monkeypatch.setitem(events, "presence_state", Schema({"maxProperties": 0}))
    alice.phone().join(topic)
    assert [breach.split(": ")[0] for breach in breaches] == [f"{topic} presence_state"]


def test_what_a_sandbox_is_made_to_send_may_be_anything(sandbox: Sandbox, topic: str) -> None:
    sandbox.broadcast(topic, "typing:start", {"user_id": 7})
    sandbox.broadcast(topic, "brand:new", {})
