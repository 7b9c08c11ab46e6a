"""Beginning anew at the same address, as the pytest fixture does between two tests."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import NewUser, User, error_of, users_of

WINDOW = 60.0


@pytest.mark.parametrize("tls", [False, True])
def test_nothing_of_before_is_left(tls: bool) -> None:
    with Sandbox(tls=tls) as sandbox, users_of(sandbox, tls=tls) as new_user:
        alice, address, key = new_user("alice"), sandbox.url, sandbox.api_key
        phone = alice.phone()
        phone.join(f"conversation:{alice.conversation()}")
        sandbox.faults.fail(503)
        sandbox.reset()
        assert (sandbox.requests, sandbox.handshakes, sandbox.joins) == ([], [], [])
        assert sandbox.sockets == 0
        assert phone.close_code() == 1012
        assert sandbox.url == address
        assert sandbox.api_key != key
        assert error_of(alice.http.get("/v1/me")) == (401, "invalid_user_token")
        alice.http.headers["authorization"] = f"Bearer {sandbox.token('alice')}"
        assert alice.http.get("/v1/me").json()["id"] != alice.id
        assert alice.http.get("/v1/conversations").json()["data"] == []


def test_what_hangs_or_is_mute_does_not_hold_it_up(sandbox: Sandbox, alice: User) -> None:
    phone = alice.phone()
    sandbox.faults.mute()
    sandbox.faults.hang()
    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(alice.http.get, "/v1/me", timeout=60)
        sandbox.wait_for(lambda: len(sandbox.requests) == 1)
        sandbox.reset()
        assert hanging.result().status_code == 200
    assert phone.close_code() == 1012


def test_a_sandbox_that_was_stopped_is_started(sandbox: Sandbox, new_user: NewUser) -> None:
    new_user("alice")
    sandbox.stop()
    sandbox.reset()
    assert httpx.get(f"{sandbox.url}/v1/me", trust_env=False).status_code == 401


def test_the_clock_is_that_of_the_machine_again(sandbox: Sandbox) -> None:
    sandbox.clock.advance(7200)
    sandbox.reset()
    assert abs(sandbox.clock.now() - time.time()) < WINDOW


def test_what_a_file_keeps_stays(tmp_path: Path) -> None:
    with Sandbox(data=tmp_path / "rows") as sandbox:
        user = sandbox.user_id("alice")
        sandbox.reset()
        assert sandbox.user_id("alice") == user


def test_a_rate_limit_keeps_to_the_clock(sandbox: Sandbox, alice: User) -> None:
    sandbox.faults.limit_rate(2, WINDOW, path="/v1/me")
    for _ in range(2):
        assert [alice.http.get("/v1/me").status_code for _ in range(2)] == [200, 200]
        refused = alice.http.get("/v1/me")
        assert error_of(refused) == (429, "rate_limited")
        assert 1 <= int(refused.headers["retry-after"]) <= WINDOW
        assert alice.http.get("/v1/conversations").status_code == 200
        sandbox.clock.advance(float(refused.headers["retry-after"]))
    sandbox.faults.clear()
    assert {alice.http.get("/v1/me").status_code for _ in range(4)} == {200}
