"""The guard of all our tests that answers are as the spec says, and when broadcasts go out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import Response
from starlette.types import ASGIApp

from poolse.sandbox import issued_tokens
from poolse.sandbox.api.call import Effect, Event
from poolse.sandbox.errors import envelope
from poolse.sandbox.request_arguments import NewUser
from poolse.sandbox.response_validation import ValidatedRest, watch
from poolse.sandbox.rest import Rest
from poolse.sandbox.store import Store

NOBODY = "00000000-0000-4000-8000-000000000000"
USER: dict[str, object] = {
    "id": NOBODY,
    "tenant_id": NOBODY,
    "external_id": "alice",
    "display_name": None,
    "custom_data": {},
    "is_blocked": False,
    "inserted_at": "2026-06-01T09:30:00Z",
    "updated_at": "2026-06-01T09:30:00.123456Z",
}
MEMBER = f"/v1/conversations/{NOBODY}/members/{NOBODY}"


def asked(app: ASGIApp, method: str, path: str, **options: Any) -> httpx.Response:
    """The answer of an application to one request."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return await client.request(method, path, **options)

    return asyncio.run(ask())


def noticed(method: str, path: str, status: int, body: object) -> list[str]:
    """What the guard says of an answer."""
    reports: list[str] = []
    answer = Response(json.dumps(body) if body else "", status)
    with watch(reports.append):
        asked(ValidatedRest(answer), method, path)
    return reports


@pytest.fixture(autouse=True)
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard of this test itself looks away."""
    monkeypatch.setattr("poolse.sandbox.response_validation._reporters", [])


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/v1/me", 200, USER),
        ("POST", "/v1/users", 201, USER),
        ("DELETE", MEMBER, 204, None),
        ("GET", "/v1/me", 401, envelope("invalid_user_token", "no")),
        ("GET", "/v1/me", 429, envelope("rate_limited", "no")),
        ("POST", "/v1/users", 401, envelope("invalid_api_key", "no", {"a": 1})),
        ("DELETE", MEMBER, 403, envelope("forbidden", "no")),
        ("GET", "/nothing", 404, envelope("not_found", "no")),
        ("PUT", "/v1/me", 405, envelope("method_not_allowed", "no")),
    ],
)
def test_what_is_as_it_should_be(method: str, path: str, status: int, body: object) -> None:
    assert noticed(method, path, status, body) == []


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "wrong"),
    [
        ("GET", "/v1/me", 201, USER, "status"),
        ("GET", "/v1/me", 200, {**USER, "id": "x"}, "id"),
        ("GET", "/v1/me", 200, {**USER, "inserted_at": "yesterday"}, "inserted_at"),
        ("GET", "/v1/me", 200, {"id": NOBODY}, "tenant_id"),
        ("GET", "/v1/me", 200, None, "object"),
        ("DELETE", MEMBER, 204, {"a": 1}, "no body"),
        ("DELETE", MEMBER, 410, envelope("message_deleted", "no"), "message_deleted"),
        ("GET", "/v1/me", 403, envelope("invalid_user_token", "no"), "status"),
        ("GET", "/v1/me", 401, {"error": {"code": "invalid_user_token"}}, "doc_url"),
        ("GET", "/v1/me", 500, envelope("internal_error", "no"), "internal_error"),
        ("GET", "/nothing", 403, envelope("forbidden", "no"), "forbidden"),
    ],
)
def test_what_is_not(method: str, path: str, status: int, body: object, wrong: str) -> None:
    reports = noticed(method, path, status, body)
    assert reports
    assert any(wrong in report for report in reports)


def test_a_broadcast_follows_its_commit(tmp_path: Path) -> None:
    store, other = Store(tmp_path / "data.db"), Store(tmp_path / "data.db")
    seen: list[object] = []

    def publish(effect: Effect) -> None:
        assert isinstance(effect, Event)
        seen.append(other.conversation(tenant_id, str(effect.payload["id"])))

    tenant = store.first_tenant()
    tenant_id = tenant["id"]
    user = store.add_user(tenant_id, NewUser("alice", None, {}))
    claims = issued_tokens.Claims(str(user["id"]), tenant_id)
    token, _ = issued_tokens.mint(claims, 60, tenant["signing_key"], store.clock.now())
    answer = asked(
        Rest(store, publish),
        "POST",
        "/v1/conversations",
        json={"type": "group"},
        headers={"authorization": f"Bearer {token}"},
    )
    assert seen == [answer.json()]
    other.close()
    store.close()
