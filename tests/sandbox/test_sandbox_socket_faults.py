"""Faults of sockets and channels."""

from __future__ import annotations

import threading

import pytest
from websockets.exceptions import InvalidStatus

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import Phone, User, users_of


@pytest.fixture
def topic(alice: User, bob: User) -> str:
    """Topic of a conversation of alice and bob."""
    return f"conversation:{alice.conversation('bob')}"


@pytest.fixture
def phones(alice: User, bob: User, topic: str) -> tuple[Phone, Phone]:
    """Sockets of alice and bob that joined it, with nothing left to hear."""
    alices, bobs = alice.phone(), bob.phone()
    alices.join(topic, "1")
    bobs.join(topic, "2")
    assert alices.hear()[3] == "presence_diff"
    return alices, bobs


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 4321])
def test_drop_sockets_with_a_code(sandbox: Sandbox, phones: tuple[Phone, Phone], code: int) -> None:
    assert sandbox.sockets == 2
    sandbox.faults.drop_sockets(code)
    assert sandbox.sockets == 0
    assert [phone.close_code() for phone in phones] == [code, code]


@pytest.mark.parametrize("tls", [False, True])
def test_drop_sockets_without_a_word(tls: bool) -> None:
    with Sandbox(tls=tls) as sandbox, users_of(sandbox, tls=tls) as new_user:
        phone = new_user("alice").phone()
        assert phone.heartbeat("1")[1] == "1"
        sandbox.faults.drop_sockets()
        assert sandbox.sockets == 0
        assert phone.close_code() is None


def test_drop_the_sockets_of_one_user(sandbox: Sandbox, phones: tuple[Phone, Phone]) -> None:
    sandbox.faults.drop_sockets(1012, external_id="bob")
    assert phones[0].hear()[3] == "presence_diff"
    assert phones[1].close_code() == 1012
    phones[0].assert_quiet()


def test_a_new_socket_works_after_a_drop(
    sandbox: Sandbox, alice: User, phones: tuple[Phone, Phone], topic: str
) -> None:
    sandbox.faults.drop_sockets()
    state = alice.phone().join(topic)
    assert list(state[4]) == [alice.id]
    assert sandbox.joins == [topic] * 3


def test_crash(sandbox: Sandbox, phones: tuple[Phone, Phone], topic: str) -> None:
    sandbox.faults.crash(topic)
    for phone, ref in zip(phones, ("1", "2"), strict=True):
        assert phone.hear() == [ref, ref, topic, "phx_error", {"reason": "channel_crash"}]
        phone.assert_quiet()
    assert len(phones[0].join(topic, "3")[4]) == 1


def test_close_channel(sandbox: Sandbox, phones: tuple[Phone, Phone], topic: str) -> None:
    sandbox.faults.close_channel(topic)
    for phone, ref in zip(phones, ("1", "2"), strict=True):
        assert phone.hear() == [ref, ref, topic, "phx_close", {}]
        phone.assert_quiet()


def test_refuse_joins(sandbox: Sandbox, alice: User, topic: str) -> None:
    phone = alice.phone()
    sandbox.faults.refuse_joins("join crashed", times=2)
    refused = {"response": {"reason": "join crashed"}, "status": "error"}
    for ref in ("1", "2"):
        phone.send(ref, ref, topic, "phx_join", {})
        assert phone.hear() == [ref, ref, topic, "phx_reply", refused]
    phone.join(topic, "3")


def test_a_refused_second_join_ends_the_first(
    sandbox: Sandbox, phones: tuple[Phone, Phone], topic: str
) -> None:
    sandbox.faults.refuse_joins("no")
    phones[0].send("7", "7", topic, "phx_join", {})
    assert phones[0].hear()[:4] == ["7", "7", topic, "phx_reply"]
    assert phones[0].hear() == ["1", "1", topic, "phx_close", {}]
    phones[0].assert_quiet()


@pytest.mark.parametrize("status", [403, 429, 503])
def test_refuse_handshakes(sandbox: Sandbox, alice: User, status: int) -> None:
    sandbox.faults.refuse_handshakes(status, times=2)
    for _ in range(2):
        with pytest.raises(InvalidStatus) as refused:
            alice.phone()
        assert refused.value.response.status_code == status
    alice.phone().assert_quiet()
    assert [handshake.status for handshake in sandbox.handshakes] == [status, status, 101]


def test_mute_holds_everything_back(
    sandbox: Sandbox, bob: User, phones: tuple[Phone, Phone], topic: str
) -> None:
    phone = phones[0]
    sandbox.faults.mute()
    phone.send(None, "9", "phoenix", "heartbeat", {})
    pong = phone.wire.ping("hello")
    row = bob.send(topic.partition(":")[2], body="still read")
    later = bob.phone()
    sandbox.wait_for(lambda: sandbox.sockets == 3)
    later.send("5", "5", topic, "phx_join", {})
    sandbox.wait_for(lambda: len(sandbox.joins) == 3)
    for wire in (phone.wire, later.wire):
        with pytest.raises(TimeoutError):
            wire.recv(timeout=0.05)
    assert not pong.is_set()
    sandbox.faults.unmute()
    heard = [phone.hear()[3] for _ in range(3)]
    assert heard == ["phx_reply", "message:new", "presence_diff"]
    assert row["body"] == "still read"
    assert pong.wait(5)
    assert later.hear()[:2] == ["5", "5"]


def test_a_mute_sandbox_stops() -> None:
    with Sandbox() as sandbox, users_of(sandbox) as new_user:
        phone = new_user("alice").phone()
        sandbox.wait_for(lambda: sandbox.sockets == 1)
        sandbox.faults.mute()
        phone.send(None, "1", "phoenix", "heartbeat", {})
        sandbox.stop()
        assert phone.close_code() in {None, 1012}


def test_a_close_meets_silence(sandbox: Sandbox, alice: User) -> None:
    phone = alice.phone()
    sandbox.wait_for(lambda: sandbox.sockets == 1)
    sandbox.faults.mute()
    phone.wire.protocol.send_close(1000)
    phone.wire.socket.sendall(b"".join(phone.wire.protocol.data_to_send()))
    with pytest.raises(TimeoutError):
        phone.wire.recv(timeout=0.05)
    assert sandbox.sockets == 1
    sandbox.faults.drop_sockets()


def test_broadcast_as_the_server_would(
    sandbox: Sandbox, phones: tuple[Phone, Phone], topic: str
) -> None:
    sandbox.broadcast(topic, "poll:opened", {"id": 1, "question": "ünïcode?"})
    sandbox.broadcast("conversation:nobody", "poll:opened", {})
    text = f'[null,null,"{topic}","poll:opened",{{"id":1,"question":"ünïcode?"}}]'
    assert [phone.hear_text() for phone in phones] == [text, text]


def test_broadcasts_come_complete_and_in_order_while_pushes_are_taken(
    sandbox: Sandbox, phones: tuple[Phone, Phone], topic: str
) -> None:
    phone = phones[0]

    def storm() -> None:
        for number in range(2000):
            sandbox.broadcast(topic, "tick", {"number": number})

    thread = threading.Thread(target=storm)
    thread.start()
    for ref in range(100):
        phone.send(None, str(ref), "phoenix", "heartbeat", {})
    heard = [phone.hear() for _ in range(2100)]
    thread.join()
    assert [f[4]["number"] for f in heard if f[3] == "tick"] == list(range(2000))
    assert [f[1] for f in heard if f[3] == "phx_reply"] == [str(ref) for ref in range(100)]
