"""What a data file keeps, over a sudden end too, and which files are refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import httpx
import pytest

from poolse.cli import main
from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, users_of
from tests.sandbox.sandbox_process import Running, running
from tests.sandbox.upload_helpers import ask, link_of, put, uploaded


def client_of(told: Running, token: str) -> httpx.Client:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.Client(base_url=told.url, headers=headers, trust_env=False)


def test_all_is_there_after_a_kill(tmp_path: Path, wire: httpx.Client) -> None:
    """Users, tokens, messages, sequences, idempotency answers, signed URLs and bytes."""
    data = str(tmp_path / "data.db")
    key = {"idempotency-key": "k"}
    with running("--port", "0", "--data", data) as told:
        token = told.exported["POOLSE_TOKEN"][0]
        with client_of(told, token) as alice:
            me = alice.get("/v1/me").json()
            path = conversation_of(alice)
            asked = upload(alice, wire, b"bytes that stay")
            body = {"body": "one", "attachment_ids": [asked["attachment"]["id"]]}
            sent = alice.post(path, json=body, headers=key).json()
        told.process.kill()
    with (
        running("--port", "0", "--data", data) as told,
        client_of(told, token) as alice,
    ):
        assert alice.get("/v1/me").json() == me
        assert alice.post(path, json={"body": "again"}, headers=key).json() == sent
        assert alice.get(path).json()["data"] == [sent]
        assert alice.post(path, json={"body": "two"}).json()["sequence"] == 2
        file = asked["attachment"]["id"]
        link = alice.get(f"/v1/attachments/{file}/download-url").json()["url"]
        assert wire.get(link).content == b"bytes that stay"


def conversation_of(user: httpx.Client) -> str:
    """The path of the messages of a new conversation."""
    row = user.post("/v1/conversations", json={"type": "group"}).json()
    return f"/v1/conversations/{row['id']}/messages"


def upload(user: httpx.Client, wire: httpx.Client, data: bytes) -> dict[str, dict[str, str]]:
    body = {"content_type": "text/plain", "byte_size": len(data)}
    asked: dict[str, dict[str, str]] = user.post("/v1/attachments/upload-url", json=body).json()
    assert put(wire, asked, data).status_code == 200
    return asked


def test_a_url_that_was_signed_before_a_restart_is_good_after_it(
    tmp_path: Path, wire: httpx.Client
) -> None:
    data = tmp_path / "data.db"
    with Sandbox(data=data) as sandbox, users_of(sandbox) as new_user:
        asked = ask(new_user("alice"), 4)
        before = sandbox.url
    with Sandbox(data=data) as sandbox:
        asked["upload"]["url"] = asked["upload"]["url"].replace(before, sandbox.url)
        assert put(wire, asked, b"data").status_code == 200


def test_tenants_are_kept(tmp_path: Path) -> None:
    sandbox = Sandbox(data=tmp_path / "data.db")
    with sandbox:
        tenant = sandbox.add_tenant()
        ids = sandbox.user_id("alice"), tenant.user_id("alice"), tenant.api_key
    with sandbox:
        assert (sandbox.user_id("alice"), tenant.user_id("alice"), tenant.api_key) == ids


def test_bytes_lie_beside_the_file_and_half_uploads_are_swept(
    tmp_path: Path, wire: httpx.Client
) -> None:
    data, blobs = tmp_path / "data.db", tmp_path / "data.db.blobs"
    with Sandbox(data=data) as sandbox, users_of(sandbox) as new_user:
        file = uploaded(new_user("alice"), wire, b"data")
    assert (blobs / file).read_bytes() == b"data"
    (blobs / f"{file}.0.part").write_bytes(b"da")
    with Sandbox(data=data):
        assert [path.name for path in blobs.iterdir()] == [file]


def test_without_a_file_the_bytes_go_with_the_sandbox(
    sandbox: Sandbox,
    alice: User,
    wire: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    link = link_of(alice, uploaded(alice, wire, b"data"))
    assert wire.get(link).content == b"data"
    assert [path.read_bytes() for path in tmp_path.glob("*/*")] == [b"data"]
    sandbox.stop()
    assert list(tmp_path.iterdir()) == []


def with_format(data: Path, number: int) -> int:
    """Say that a file has another format; returns the one that it had."""
    with sqlite3.connect(data) as db:
        ((before,),) = db.execute("PRAGMA user_version").fetchall()
        db.execute(f"PRAGMA user_version = {number}")
    db.close()
    return int(before)


@pytest.mark.parametrize("number", [0, 2, 999])
def test_a_file_of_another_format_is_refused_and_left_alone(
    tmp_path: Path, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data.db"
    with Sandbox(data=data):
        pass
    ours = with_format(data, number)
    before = data.read_bytes()
    assert main(["sandbox", "--port", "0", "--data", str(data)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("poolse: cannot use the data file: ")
    assert f"has format {number}, but this version of poolse reads format {ours} only" in said
    assert data.read_bytes() == before
    with_format(data, ours)
    with Sandbox(data=data):
        pass
