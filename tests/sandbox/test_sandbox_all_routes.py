"""What holds for every route: authentication, the envelope, the request id."""

from __future__ import annotations

import re

import httpx
import jwt
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, error_of

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
KEY = "0123456789abcdef0123456789abcdef"


def ask(sandbox: Sandbox, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"authorization": authorization}
    return httpx.get(f"{sandbox.url}/v1/me", headers=headers, trust_env=False)


def test_me_is_the_user_of_the_token(alice: User) -> None:
    answer = alice.http.get("/v1/me")
    assert answer.status_code == 200
    row = answer.json()
    assert re.fullmatch(TIME, row.pop("inserted_at"))
    assert re.fullmatch(TIME, row.pop("updated_at"))
    tenant_id = jwt.decode(alice.token, options={"verify_signature": False})["tenant_id"]
    assert row == {
        "id": alice.id,
        "tenant_id": tenant_id,
        "external_id": "alice",
        "display_name": None,
        "custom_data": {},
        "is_blocked": False,
    }


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer garbage", "Basic YTpi"])
def test_no_token_and_garbage_are_refused(sandbox: Sandbox, authorization: str | None) -> None:
    assert error_of(ask(sandbox, authorization)) == (401, "invalid_user_token")


def test_an_api_key_is_no_token(sandbox: Sandbox) -> None:
    assert error_of(ask(sandbox, f"Bearer {sandbox.api_key}")) == (401, "invalid_user_token")


def test_an_expired_token_is_refused(sandbox: Sandbox) -> None:
    expired = sandbox.token("alice", lifetime=-1.0)
    assert error_of(ask(sandbox, f"Bearer {expired}")) == (401, "invalid_user_token")


def forged(token: str, key: str, without: str = "", **claims: object) -> str:
    payload = {**jwt.decode(token, options={"verify_signature": False}), **claims}
    payload.pop(without, None)
    return jwt.encode(payload, key, algorithm="HS256")


def test_a_token_of_another_key_is_refused(sandbox: Sandbox) -> None:
    token = forged(sandbox.token("alice"), KEY)
    assert error_of(ask(sandbox, f"Bearer {token}")) == (401, "invalid_user_token")


def test_a_token_of_an_unknown_tenant_is_refused(sandbox: Sandbox) -> None:
    token = forged(sandbox.token("alice"), KEY, tenant_id="nobody")
    assert error_of(ask(sandbox, f"Bearer {token}")) == (401, "invalid_user_token")


def test_an_unsigned_token_is_refused(sandbox: Sandbox) -> None:
    payload = jwt.decode(sandbox.token("alice"), options={"verify_signature": False})
    token = jwt.encode(payload, "", algorithm="none")
    assert error_of(ask(sandbox, f"Bearer {token}")) == (401, "invalid_user_token")


@pytest.mark.parametrize("path", ["/x", "/v1", "/v1/nothing", "/v1/me/", "/socket"])
def test_an_unknown_route_is_404(alice: User, path: str) -> None:
    assert error_of(alice.http.get(path)) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/me", {"GET", "HEAD"}),
        ("DELETE", "/v1/conversations", {"GET", "HEAD", "POST"}),
        ("GET", "/v1/users", {"POST"}),
        ("DELETE", "/v1/attachments/upload-url", {"POST"}),
        ("PUT", "/v1/conversations/x/messages", {"GET", "HEAD", "POST"}),
    ],
)
def test_another_method_is_405(alice: User, method: str, path: str, allowed: set[str]) -> None:
    answer = alice.http.request(method, path)
    assert error_of(answer) == (405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"type": NaN}',
        b'{"type": 1e999}',
        b'{"type": "\\ud800"}',
        b'"\xff"',
        b"[" * 100_000,
    ],
)
def test_what_is_not_json_is_400(alice: User, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = alice.http.post("/v1/conversations", content=body, headers=headers)
    assert error_of(answer) == (400, "bad_request")


@pytest.mark.parametrize("body", [b"[]", b"null", b"3", b'"text"'])
def test_json_that_is_no_object_is_422(alice: User, body: bytes) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    answer = alice.http.post("/v1/conversations", content=body, headers=headers)
    assert error_of(answer) == (422, "validation_failed")


def test_another_content_type_is_415(alice: User) -> None:
    answer = alice.http.post("/v1/conversations", data={"type": "group"})
    assert error_of(answer) == (415, "unsupported_media_type")


def test_every_answer_has_an_id_of_its_own(alice: User) -> None:
    answers = [alice.http.get(path) for path in ("/v1/me", "/v1/me", "/nothing")]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_over_tls(tls_sandbox: Sandbox) -> None:
    token = tls_sandbox.token("alice")
    localhost = tls_sandbox.url.replace("127.0.0.1", "localhost")
    with httpx.Client(verify=tls_sandbox.ssl_context(), trust_env=False) as client:
        for url in (tls_sandbox.url, localhost):
            answer = client.get(f"{url}/v1/me", headers={"authorization": f"Bearer {token}"})
            assert answer.json()["external_id"] == "alice"
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(f"{tls_sandbox.url}/v1/me", trust_env=False)
