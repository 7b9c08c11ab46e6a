"""Idempotency keys, tenants, and what a file keeps."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from poolse.sandbox.request_arguments import NewUser
from poolse.sandbox.store import Store
from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, complaints_of, error_of, users_of

DAY = 24 * 3600


@pytest.fixture
def talk(alice: User, bob: User) -> str:
    """Id of a conversation of alice and bob."""
    return alice.conversation("bob")


def post(user: User, conversation_id: str, key: str, **body: object) -> httpx.Response:
    path = f"/v1/conversations/{conversation_id}/messages"
    return user.http.post(path, json=body, headers={"idempotency-key": key})


def test_a_key_gives_its_answer_again(alice: User, talk: str) -> None:
    first, again = post(alice, talk, "k", body="one"), post(alice, talk, "k", body="two")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.headers["x-request-id"] != again.headers["x-request-id"]
    assert len(alice.page(talk)) == 1


def test_a_repeated_answer_is_not_broadcast_again(alice: User, bob: User, talk: str) -> None:
    phone = bob.phone()
    phone.join(f"conversation:{talk}")
    post(alice, talk, "k", body="one")
    post(alice, talk, "k", body="one")
    assert phone.hear()[3] == "message:new"
    phone.assert_quiet()


def test_another_key_or_path_is_another_request(alice: User, talk: str) -> None:
    other = alice.conversation()
    rows = [post(alice, talk, "k", body="x"), post(alice, talk, "l", body="x")]
    rows += [post(alice, other, "k", body="x")]
    assert len({row.json()["id"] for row in rows}) == 3


def test_another_method_is_another_request(alice: User, talk: str) -> None:
    path, headers = f"/v1/messages/{alice.send(talk, body='x')['id']}", {"idempotency-key": "k"}
    assert alice.http.patch(path, json={"body": "y"}, headers=headers).status_code == 200
    assert alice.http.delete(path, headers=headers).status_code == 204
    assert alice.page(talk)[0]["body"] is None


def test_an_empty_answer_is_given_again(alice: User, bob: User, talk: str) -> None:
    path, headers = f"/v1/conversations/{talk}/members/{bob.id}", {"idempotency-key": "k"}
    answers = [alice.http.delete(path, headers=headers) for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert alice.http.delete(path).status_code == 404


def test_an_empty_key_is_none(alice: User, talk: str) -> None:
    ids = {post(alice, talk, "", body="x").json()["id"] for _ in range(2)}
    assert len(ids) == 2


def test_only_success_is_kept(alice: User, talk: str) -> None:
    assert complaints_of(post(alice, talk, "k")) == {"body"}
    assert post(alice, talk, "k", body="now with a body").status_code == 201


def test_a_key_does_not_open_doors(sandbox: Sandbox, alice: User, talk: str) -> None:
    post(alice, talk, "k", body="x")
    alice.http.headers["authorization"] = f"Bearer {sandbox.token('alice', lifetime=-1.0)}"
    assert error_of(post(alice, talk, "k", body="x")) == (401, "invalid_user_token")


def test_a_key_is_good_for_a_day(tmp_path: Path) -> None:
    data = tmp_path / "data.db"
    with Sandbox(data=data) as sandbox, users_of(sandbox) as new_user:
        alice = new_user("alice")
        talk = alice.conversation()
        first = post(alice, talk, "k", body="x").json()["id"]
        age(data, DAY - 60)
        assert post(alice, talk, "k", body="x").json()["id"] == first
        age(data, 120)
        assert post(alice, talk, "k", body="x").json()["id"] != first


def age(data: Path, seconds: float) -> None:
    """Make every kept answer older."""
    with sqlite3.connect(data) as db:
        db.execute("UPDATE answers SET inserted_at = inserted_at - ?", (seconds,))
    db.close()


def test_a_file_keeps_everything(tmp_path: Path) -> None:
    with Sandbox(data=tmp_path / "data.db") as sandbox, users_of(sandbox) as new_user:
        alice, api_key = new_user("alice"), sandbox.api_key
        talk = alice.conversation()
        row = post(alice, talk, "k", body="kept").json()
    with Sandbox(data=tmp_path / "data.db") as sandbox, users_of(sandbox) as new_user:
        assert sandbox.api_key == api_key
        again = new_user("alice")
        again.http.headers["authorization"] = f"Bearer {alice.token}"
        assert again.id == alice.id
        assert again.page(talk) == [row]
        assert post(again, talk, "k", body="kept").json() == row


def test_the_creator_is_the_owner(tmp_path: Path) -> None:
    data = tmp_path / "data.db"
    with Sandbox(data=data) as sandbox, users_of(sandbox) as new_user:
        alice, bob = new_user("alice"), new_user("bob")
        alice.conversation("bob")
        with sqlite3.connect(data) as db:
            roles = dict(db.execute("SELECT user_id, role FROM memberships"))
        db.close()
        assert roles == {alice.id: "owner", bob.id: "member"}


def test_a_transaction_is_all_or_nothing() -> None:
    store = Store(None)
    tenant_id = store.first_tenant()["id"]
    with suppress(LookupError), store.transaction():
        store.add_user(tenant_id, NewUser("alice", None, {}))
        raise LookupError
    with store.transaction():
        store.add_user(tenant_id, NewUser("bob", None, {}))
    assert store.user_named(tenant_id, "alice") is None
    assert store.user_named(tenant_id, "bob") is not None
    store.close()


def test_tenants_do_not_see_each_other(tmp_path: Path) -> None:
    data = tmp_path / "data.db"
    with Sandbox(data=data) as sandbox, users_of(sandbox) as new_user:
        alice = new_user("alice")
        talk = alice.conversation()
        message_id = alice.send(talk, body="secret")["id"]
        with sqlite3.connect(data) as db:
            values = (str(uuid.uuid4()), "pk_live_other", "k" * 64, "9999")
            db.execute("INSERT INTO tenants VALUES (?, ?, ?, ?)", values)
        db.close()
        stranger = stranger_of(sandbox, "pk_live_other", "alice")
        assert stranger.get("/v1/me").json()["id"] != alice.id
        path = f"/v1/conversations/{talk}/messages"
        assert error_of(stranger.get(path)) == (404, "not_found")
        own = stranger.post("/v1/conversations", json={"type": "group"}).json()["id"]
        taken = {"body": "x", "id": message_id}
        answer = stranger.post(f"/v1/conversations/{own}/messages", json=taken)
        assert complaints_of(answer) == {"id"}
        stranger.close()


def stranger_of(sandbox: Sandbox, api_key: str, external_id: str) -> httpx.Client:
    """A user's client, made with an API key alone."""
    client = httpx.Client(base_url=sandbox.url, trust_env=False)
    client.headers["authorization"] = f"Bearer {api_key}"
    user_id = client.post("/v1/users", json={"external_id": external_id}).json()["id"]
    token = client.post(f"/v1/users/{user_id}/tokens").json()["token"]
    client.headers["authorization"] = f"Bearer {token}"
    return client
