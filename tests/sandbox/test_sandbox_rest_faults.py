"""Faults of REST, and what the request log has of them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, error_of, users_of


def seen(sandbox: Sandbox) -> list[tuple[str, str, int | None]]:
    return [(r.method, r.path, r.status) for r in sandbox.requests]


def test_the_request_log_has_it_all(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    alice.page(talk, limit=3)
    first, second = sandbox.requests
    assert (first.method, first.path, first.status) == ("POST", "/v1/conversations", 201)
    assert first.headers["content-type"] == "application/json"
    assert first.body == b'{"type":"group","member_external_ids":[]}'
    path = f"/v1/conversations/{talk}/messages?limit=3"
    assert (second.method, second.path, second.status) == ("GET", path, 200)


def test_fail_answers_and_does_nothing(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    sandbox.faults.fail(times=2, retry_after=1.5)
    for _ in range(2):
        answer = alice.http.post(f"/v1/conversations/{talk}/messages", json={"body": "x"})
        assert error_of(answer) == (503, "service_unavailable")
        assert answer.headers["retry-after"] == "1.5"
    assert alice.page(talk) == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "rate_limited"),
        (401, "invalid_user_token"),
        (422, "validation_failed"),
        (500, "internal_error"),
        (502, "internal_error"),
        (418, "bad_request"),
    ],
)
def test_fail_knows_the_usual_code(sandbox: Sandbox, alice: User, status: int, code: str) -> None:
    sandbox.faults.fail(status)
    answer = alice.http.get("/v1/me")
    assert error_of(answer) == (status, code)
    assert "retry-after" not in answer.headers
    assert alice.http.get("/v1/me").status_code == 200


def test_fail_takes_a_code_and_a_path(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    sandbox.faults.fail(409, code="message_deleted", path="/v1/conversations/*/messages")
    assert alice.http.get("/v1/me").status_code == 200
    answer = alice.http.get(f"/v1/conversations/{talk}/messages?limit=1")
    assert error_of(answer) == (409, "message_deleted")


def test_faults_are_met_in_the_order_in_which_they_were_armed(
    sandbox: Sandbox, alice: User
) -> None:
    sandbox.faults.fail(500)
    sandbox.faults.drop()
    sandbox.faults.fail(503)
    assert alice.http.get("/v1/me").status_code == 500
    with pytest.raises(httpx.TransportError):
        alice.http.get("/v1/me")
    assert alice.http.get("/v1/me").status_code == 503
    assert alice.http.get("/v1/me").status_code == 200
    assert [request.status for request in sandbox.requests] == [500, None, 503, 200]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("executed", [False, True])
def test_drop_cuts_after_reading(tls: bool, executed: bool) -> None:
    with Sandbox(tls=tls) as sandbox, users_of(sandbox, tls=tls) as new_user:
        alice = new_user("alice")
        talk = alice.conversation()
        sandbox.faults.drop(executed=executed)
        with pytest.raises(httpx.TransportError):
            alice.send(talk, body="did it arrive?")
        assert sandbox.requests[-1].body == b'{"body":"did it arrive?"}'
        sandbox.wait_for(lambda: sandbox.requests[-1].cut)
        assert sandbox.requests[-1].status is None
        assert len(alice.page(talk)) == executed


def test_a_dropped_send_is_not_doubled_by_its_key(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    path, headers = f"/v1/conversations/{talk}/messages", {"idempotency-key": "k"}
    sandbox.faults.drop(executed=True)
    with pytest.raises(httpx.TransportError):
        alice.http.post(path, json={"body": "x"}, headers=headers)
    alice.http.post(path, json={"body": "x"}, headers=headers)
    assert [row["sequence"] for row in alice.page(talk)] == [1]


def in_background(pool: ThreadPoolExecutor, user: User) -> Future[httpx.Response]:
    return pool.submit(user.http.get, "/v1/me")


def test_hang_lasts_until_release(sandbox: Sandbox, alice: User) -> None:
    sandbox.faults.hang(times=3)
    with ThreadPoolExecutor() as pool:
        hanging = [in_background(pool, alice) for _ in range(2)]
        sandbox.wait_for(lambda: len(sandbox.requests) == 2)
        assert [request.status for request in sandbox.requests] == [None, None]
        sandbox.faults.release()
        assert [future.result().status_code for future in hanging] == [200, 200]
    assert alice.http.get("/v1/me").status_code == 200


def test_what_hangs_after_a_release_hangs(sandbox: Sandbox, alice: User) -> None:
    for _ in range(2):
        sandbox.faults.hang()
        with pytest.raises(httpx.ReadTimeout):
            alice.http.get("/v1/me", timeout=0.05)
        sandbox.faults.release()


def test_who_gives_up_on_a_hang_is_forgotten(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    sandbox.faults.hang()
    path = f"/v1/conversations/{talk}/messages"
    with pytest.raises(httpx.ReadTimeout):
        alice.http.post(path, json={"body": "x"}, timeout=0.05)
    sandbox.wait_for(lambda: sandbox.requests[-1].cut)
    sandbox.faults.release()
    assert alice.page(talk) == []


def test_stop_does_not_wait_for_a_hang() -> None:
    with ThreadPoolExecutor() as pool, Sandbox() as sandbox, users_of(sandbox) as new_user:
        sandbox.faults.hang()
        hanging = in_background(pool, new_user("alice"))
        sandbox.wait_for(lambda: len(sandbox.requests) == 1)
        sandbox.stop()
        assert isinstance(hanging.exception(), httpx.TransportError)


def test_drip_sends_byte_by_byte(sandbox: Sandbox, alice: User) -> None:
    sandbox.faults.drip(0.001)
    began = time.monotonic()
    with alice.http.stream("GET", "/v1/me") as answer:
        chunks = list(answer.iter_raw())
    assert time.monotonic() - began >= 0.001 * (len(b"".join(chunks)) - 1)
    assert b"".join(chunks) == alice.http.get("/v1/me").content
    assert max(map(len, chunks)) < 50


def test_who_gives_up_on_a_drip_is_forgotten(sandbox: Sandbox, alice: User) -> None:
    sandbox.faults.drip(60)
    with alice.http.stream("GET", "/v1/me") as answer:
        assert next(answer.iter_raw()) == b"{"
    assert alice.http.get("/v1/me").status_code == 200


def test_wait_for_sees_what_other_threads_cause(sandbox: Sandbox, alice: User) -> None:
    thread = threading.Thread(target=alice.http.get, args=("/v1/me",))
    thread.start()
    sandbox.wait_for(lambda: seen(sandbox) == [("GET", "/v1/me", 200)])
    thread.join()


def test_wait_for_may_use_the_sandbox_itself(sandbox: Sandbox) -> None:
    sandbox.wait_for(lambda: sandbox.token("alice") != "")


def test_wait_for_gives_up(sandbox: Sandbox) -> None:
    with pytest.raises(TimeoutError, match=r"within 0\.01 s"):
        sandbox.wait_for(lambda: sandbox.sockets == 7, timeout=0.01)
