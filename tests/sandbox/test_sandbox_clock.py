"""The sandbox's clock, which can be set forward."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from poolse.testing import Clock, Sandbox
from tests.sandbox.raw_clients import User, error_of
from tests.sandbox.test_sandbox_handshake import status_of_refusal

DAY = 24 * 3600.0


def test_it_is_the_machine_s_and_then_ahead_of_it() -> None:
    clock = Clock()
    for ahead in (0.0, 5.5, 105.5):
        before = time.time()
        assert before <= clock.now() - ahead <= time.time()
        clock.advance(100 if ahead else 5.5)


def test_it_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        Clock().advance(-1)


def test_a_token_ends(sandbox: Sandbox, alice: User) -> None:
    sandbox.clock.advance(3590)
    assert alice.http.get("/v1/me").status_code == 200
    sandbox.clock.advance(11)
    assert error_of(alice.http.get("/v1/me")) == (401, "invalid_user_token")
    query = f"token={alice.token}&vsn=2.0.0"
    assert status_of_refusal(f"{sandbox.ws_url}/socket/websocket?{query}") == 403
    alice.http.headers["authorization"] = f"Bearer {sandbox.token('alice')}"
    assert alice.http.get("/v1/me").status_code == 200


def test_a_token_from_the_api_ends_an_hour_from_now(sandbox: Sandbox, alice: User) -> None:
    sandbox.clock.advance(DAY)
    headers = {"authorization": f"Bearer {sandbox.api_key}"}
    answer = alice.http.post(f"/v1/users/{alice.id}/tokens", headers=headers).json()
    end = datetime.fromisoformat(answer["expires_at"]).timestamp()
    assert 3595 < end - sandbox.clock.now() <= 3601
    alice.http.headers["authorization"] = f"Bearer {answer['token']}"
    assert alice.http.get("/v1/me").status_code == 200


def test_a_kept_answer_is_forgotten_after_a_day(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    path, key = f"/v1/conversations/{talk}/messages", {"idempotency-key": "k"}
    ids: list[str] = []
    for ahead in (0.0, DAY - 60, 61.0):
        sandbox.clock.advance(ahead)
        alice.http.headers["authorization"] = f"Bearer {sandbox.token('alice')}"
        ids.append(alice.http.post(path, json={"body": "x"}, headers=key).json()["id"])
    assert ids[0] == ids[1] != ids[2]


def test_rows_and_presence_have_its_time(sandbox: Sandbox, alice: User) -> None:
    sandbox.clock.advance(7 * DAY)
    now = sandbox.clock.now()
    alice.http.headers["authorization"] = f"Bearer {sandbox.token('alice')}"
    alice.token = sandbox.token("alice")
    talk = alice.conversation()
    row = alice.send(talk, body="x")
    assert abs(datetime.fromisoformat(row["inserted_at"]).timestamp() - now) < 60
    meta = alice.phone().join(f"conversation:{talk}")[4][alice.id]["metas"][0]
    assert abs(meta["online_at"] - now) < 60


def test_it_keeps_its_lead_over_a_restart() -> None:
    sandbox = Sandbox()
    sandbox.clock.advance(DAY)
    with sandbox:
        assert sandbox.clock.now() > time.time() + DAY - 60
