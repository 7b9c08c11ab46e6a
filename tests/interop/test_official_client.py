"""The official JavaScript client of Phoenix takes the sandbox for a Phoenix server."""

from __future__ import annotations

import pytest

from poolse.testing import Sandbox
from tests.interop.official import official_client
from tests.sandbox.raw_clients import User, users_of

pytestmark = pytest.mark.usefixtures("packages")


def test_join_push_presence_and_reconnect(sandbox: Sandbox, alice: User) -> None:
    with users_of(sandbox) as new_user:
        bob = new_user("bob")
        talk = alice.conversation("bob")
        topic = f"conversation:{talk}"
        phone = alice.phone()
        phone.join(topic)
        with official_client(sandbox, bob, topic) as client:
            assert client.says("joined") == {}
            assert client.says("present") == [[alice.id, 1], [bob.id, 1]]
            assert phone.hear()[3] == "presence_diff"
            client.tell("push", "typing", {})
            event, payload = phone.hear()[3:]
            assert (event, payload["user_id"]) == ("typing:start", bob.id)
            phone.send("1", "2", topic, "typing", {})
            assert client.says("typing") == alice.id
            alice.send(talk, body="hello 😀")
            assert client.says("message") == "hello 😀"

            sandbox.faults.drop_sockets()
            assert client.says("closed") == 1006
            assert client.says("present") == [[bob.id, 1]]
            alice.send(talk, body="again")
            assert client.says("message") == "again"

            client.tell("leave")
            client.says("left")
            sandbox.wait_for(lambda: sandbox.joins == [topic] * 3)


@pytest.mark.parametrize("fault", ["crash", "unknown event", "refused once", "403 once"])
def test_it_joins_again(sandbox: Sandbox, alice: User, fault: str) -> None:
    topic = f"conversation:{alice.conversation()}"
    if fault == "refused once":
        sandbox.faults.refuse_joins("not now")
    if fault == "403 once":
        sandbox.faults.refuse_handshakes()
    with official_client(sandbox, alice, topic) as client:
        if fault == "refused once":
            assert client.says("refused") == {"reason": "not now"}
        if fault == "403 once":
            assert client.says("closed") == 1006
        assert client.says("present") == [[alice.id, 1]]
        if fault == "crash":
            sandbox.faults.crash(topic)
        if fault == "unknown event":
            client.tell("push", "boom", {})
        if fault in {"crash", "unknown event"}:
            assert client.says("errored") == {"reason": "channel_crash"}
            assert client.says("present") == [[alice.id, 1]]


def test_a_closed_channel_is_left_for_good(sandbox: Sandbox, alice: User) -> None:
    topic = f"conversation:{alice.conversation()}"
    with official_client(sandbox, alice, topic) as client:
        assert client.says("present") == [[alice.id, 1]]
        sandbox.faults.close_channel(topic)
        client.says("left")
        sandbox.faults.drop_sockets(1001)
        assert client.says("closed") == 1001
        client.says("open")
        assert sandbox.joins == [topic]


def test_a_refused_token(sandbox: Sandbox, alice: User) -> None:
    topic = f"conversation:{alice.conversation()}"
    expired = sandbox.token("alice", lifetime=-10)
    with official_client(sandbox, alice, topic, token=expired) as client:
        # It cannot see why, and tries for ever.
        assert client.says("closed") == 1006
        assert client.says("closed") == 1006
    assert {handshake.status for handshake in sandbox.handshakes} == {403}
    assert sandbox.joins == []


def test_a_refused_join(sandbox: Sandbox, alice: User) -> None:
    with users_of(sandbox) as new_user:
        topic = f"conversation:{new_user('bob').conversation()}"
        with official_client(sandbox, alice, topic) as client:
            for _ in range(2):
                assert client.says("refused") == {"reason": "unauthorized"}
    assert sandbox.joins == []
