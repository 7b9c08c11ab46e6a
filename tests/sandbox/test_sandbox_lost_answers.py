"""Latency, lost answers, lost idempotency, methods, and the end of all faults."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, error_of

LATE = 0.2


def seconds(user: User, path: str = "/v1/me", method: str = "GET") -> float:
    """How long an answer takes."""
    began = time.monotonic()
    user.http.request(method, path)
    return time.monotonic() - began


def test_a_latency_lasts_until_it_is_cleared(sandbox: Sandbox, alice: User) -> None:
    sandbox.faults.latency(LATE)
    for _ in range(2):
        assert seconds(alice) >= LATE
    sandbox.faults.latency(60)
    with pytest.raises(httpx.ReadTimeout):
        alice.http.get("/v1/me", timeout=0.5)
    sandbox.wait_for(lambda: sandbox.requests[-1].cut)
    sandbox.faults.clear()
    assert alice.http.get("/v1/me", timeout=30).status_code == 200


def test_a_latency_for_some(sandbox: Sandbox, alice: User) -> None:
    sandbox.faults.latency(60, times=1, path="/v1/*", method="delete")
    sandbox.faults.latency(LATE, times=1, path="/v1/m?")
    assert alice.http.get("/v1/conversations", timeout=30).status_code
    assert seconds(alice) >= LATE
    assert alice.http.get("/v1/me", timeout=30).status_code == 200


def test_what_is_answered_late_is_done_at_once(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    sandbox.faults.latency(60, method="POST")
    path = f"/v1/conversations/{talk}/messages"
    with ThreadPoolExecutor() as pool:
        late = pool.submit(alice.http.post, path, json={"body": "x"}, timeout=60)
        sandbox.wait_for(lambda: sandbox.requests[-1].path == path)
        assert [row["body"] for row in alice.page(talk)] == ["x"]
        assert not late.done()
        sandbox.stop()
        assert isinstance(late.exception(), httpx.TransportError)


def test_other_faults_are_late_too(sandbox: Sandbox, alice: User) -> None:
    sandbox.faults.latency(LATE)
    sandbox.faults.fail(500)
    assert seconds(alice) >= LATE
    assert sandbox.requests[-1].status == 500


def test_stop_does_not_wait_for_a_late_answer(sandbox: Sandbox, alice: User) -> None:
    sandbox.faults.latency(60)
    with pytest.raises(httpx.ReadTimeout):
        alice.http.get("/v1/me", timeout=0.5)
    sandbox.stop()


def test_an_answer_is_lost_after_the_work(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    path = f"/v1/conversations/{talk}/messages"
    sandbox.faults.lose_answers(times=2, path="/v1/*/messages", method="POST")
    for _ in range(2):
        assert alice.page(talk, limit=1) is not None
        with pytest.raises(httpx.TransportError):
            alice.http.post(path, json={"body": "x"})
    assert len(alice.page(talk)) == 2
    assert alice.http.post(path, json={"body": "x"}).status_code == 201


@pytest.mark.parametrize("executed", [False, True])
def test_a_drop_takes_a_path_and_a_method(sandbox: Sandbox, alice: User, executed: bool) -> None:
    sandbox.faults.drop(executed=executed, path="/v1/conversations", method="POST")
    assert alice.http.get("/v1/me").status_code == 200
    with pytest.raises(httpx.TransportError):
        alice.conversation()
    alice.conversation()


def test_a_fault_for_one_method(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    sandbox.faults.fail(503, method="GET")
    alice.send(talk, body="x")
    path = f"/v1/conversations/{talk}/messages"
    assert error_of(alice.http.get(path)) == (503, "service_unavailable")


def test_without_idempotency_only_an_id_saves(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    path, key = f"/v1/conversations/{talk}/messages", {"idempotency-key": "k"}
    alice.http.post(path, json={"body": "before"}, headers=key)
    sandbox.faults.forget_idempotency()
    for _ in range(2):
        alice.http.post(path, json={"body": "twice"}, headers=key)
    message_id = str(uuid.uuid4())
    for _ in range(2):
        alice.http.post(path, json={"body": "once", "id": message_id}, headers=key)
    said = [row["body"] for row in reversed(alice.page(talk))]
    assert said == ["before", "twice", "twice", "once"]
    sandbox.faults.clear()
    for _ in range(2):
        alice.http.post(path, json={"body": "kept"}, headers=key)
    assert [row["body"] for row in alice.page(talk)].count("kept") == 1


def test_clear_takes_every_fault_away(sandbox: Sandbox, alice: User) -> None:
    faults = sandbox.faults
    faults.fail(500, times=9)
    faults.drop(times=9)
    faults.hang(times=9)
    faults.latency(60)
    faults.refuse_handshakes(times=9)
    faults.refuse_joins("no", times=9)
    faults.mute()
    faults.clear()
    topic = f"conversation:{alice.conversation()}"
    alice.phone().join(topic)
