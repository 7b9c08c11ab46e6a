"""The two routes that take the API key: how anybody comes by a token over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import complaints_of, error_of


@pytest.fixture
def backend(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {sandbox.api_key}"}
    with httpx.Client(base_url=sandbox.url, headers=headers, trust_env=False) as client:
        yield client


def test_a_user_is_made_once(backend: httpx.Client) -> None:
    body = {"external_id": "carol", "display_name": "Carol", "custom_data": {"plan": ["pro"]}}
    first = backend.post("/v1/users", json=body)
    again = backend.post("/v1/users", json={"external_id": "carol"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["display_name"] == "Carol"
    assert first.json()["custom_data"] == {"plan": ["pro"]}


def test_a_token_is_minted_for_the_id(backend: httpx.Client) -> None:
    user = backend.post("/v1/users", json={"external_id": "carol"}).json()
    answer = backend.post(f"/v1/users/{user['id']}/tokens")
    assert answer.status_code == 201
    headers = {"authorization": f"Bearer {answer.json()['token']}"}
    assert backend.get("/v1/me", headers=headers).json() == user
    left = datetime.fromisoformat(answer.json()["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < left < timedelta(minutes=61)


def test_a_token_for_nobody_is_404(backend: httpx.Client) -> None:
    backend.post("/v1/users", json={"external_id": "carol"})
    assert error_of(backend.post("/v1/users/carol/tokens")) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"external_id"}),
        ({"external_id": " "}, {"external_id"}),
        ({"external_id": 3, "custom_data": []}, {"external_id", "custom_data"}),
        ({"external_id": "x", "display_name": {}}, {"display_name"}),
    ],
)
def test_bad_fields_are_named(backend: httpx.Client, body: object, fields: set[str]) -> None:
    assert complaints_of(backend.post("/v1/users", json=body)) == fields


def test_another_key_is_refused(sandbox: Sandbox, backend: httpx.Client) -> None:
    for secret in ("pk_live_x", sandbox.token("alice")):
        headers = {"authorization": f"Bearer {secret}"}
        answer = backend.post("/v1/users", json={"external_id": "carol"}, headers=headers)
        assert error_of(answer) == (401, "invalid_api_key")
