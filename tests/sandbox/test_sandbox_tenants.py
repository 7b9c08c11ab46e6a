"""Tenants see nothing of each other."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from poolse.testing import Sandbox, Tenant
from tests.sandbox.raw_clients import User, complaints_of, error_of
from tests.sandbox.upload_helpers import uploaded


@pytest.fixture
def other(sandbox: Sandbox) -> Tenant:
    """A second tenant."""
    return sandbox.add_tenant()


@pytest.fixture
def stranger(sandbox: Sandbox, other: Tenant) -> Iterator[httpx.Client]:
    """An alice of the second tenant."""
    headers = {"authorization": f"Bearer {other.token('alice')}"}
    with httpx.Client(base_url=sandbox.url, headers=headers, trust_env=False) as client:
        yield client


def test_users_of_one_name_are_two(other: Tenant, alice: User, stranger: httpx.Client) -> None:
    theirs, ours = stranger.get("/v1/me").json(), alice.http.get("/v1/me").json()
    assert theirs["id"] == other.user_id("alice") != ours["id"]
    assert theirs["tenant_id"] != ours["tenant_id"]
    assert theirs["external_id"] == ours["external_id"]


def test_keys_are_two(sandbox: Sandbox, other: Tenant, alice: User, stranger: httpx.Client) -> None:
    assert other.api_key != sandbox.api_key
    headers = {"authorization": f"Bearer {other.api_key}"}
    answer = stranger.post(f"/v1/users/{alice.id}/tokens", headers=headers)
    assert error_of(answer) == (404, "not_found")
    answer = stranger.post(f"/v1/users/{other.user_id('alice')}/tokens", headers=headers)
    assert answer.status_code == 201


def test_nothing_of_one_is_there_for_the_other(
    alice: User, stranger: httpx.Client, wire: httpx.Client
) -> None:
    talk = alice.conversation()
    message = alice.send(talk, body="secret")["id"]
    file = uploaded(alice, wire, b"secret")
    alice.send(talk, attachment_ids=[file])
    for method, path, body in (
        ("GET", f"/v1/conversations/{talk}/messages", None),
        ("POST", f"/v1/conversations/{talk}/messages", {"body": "x"}),
        ("GET", f"/v1/attachments/{file}/download-url", None),
        ("DELETE", f"/v1/attachments/{file}", None),
    ):
        assert error_of(stranger.request(method, path, json=body)) == (404, "not_found"), path
    own = stranger.post("/v1/conversations", json={"type": "group"}).json()["id"]
    for field, value in (
        ("quoted_message_id", message),
        ("reply_to_id", message),
        ("id", message),
        ("attachment_ids", [file]),
    ):
        path, named = f"/v1/conversations/{own}/messages", {field: value}
        answer = stranger.post(path, json={"body": "x", **named})
        assert complaints_of(answer) == {field}


def test_a_socket_joins_its_own_tenant_s_topics(
    sandbox: Sandbox, alice: User, other: Tenant
) -> None:
    topic = f"conversation:{alice.conversation()}"
    alice.token = other.token("alice")
    phone = alice.phone()
    phone.send("1", "1", topic, "phx_join", {})
    assert phone.hear()[4]["response"] == {"reason": "unauthorized"}
    assert sandbox.joins == []


def test_a_tenant_is_of_one_run() -> None:
    sandbox = Sandbox()
    with sandbox:
        tenant = sandbox.add_tenant()
    with pytest.raises(RuntimeError, match="not running"):
        tenant.token("alice")
    with sandbox, pytest.raises(LookupError, match="earlier run"):
        tenant.token("alice")
