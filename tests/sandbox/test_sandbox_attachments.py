"""Attachments over REST: asked for, linked, fetched, deleted."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import NewUser, User, complaints_of, error_of, users_of
from tests.sandbox.test_sandbox_all_routes import TIME
from tests.sandbox.upload_helpers import PNG, ask, link_of, put, uploaded, xml_error_of

NOBODY = "00000000-0000-4000-8000-000000000000"
MAX = 25 * 1024 * 1024


@pytest.fixture
def talk(alice: User, bob: User) -> str:
    """Id of a conversation of alice and bob."""
    return alice.conversation("bob")


def send(
    user: User, conversation_id: str, *attachment_ids: str, **fields: object
) -> httpx.Response:
    body = {"attachment_ids": attachment_ids, **fields}
    return user.http.post(f"/v1/conversations/{conversation_id}/messages", json=body)


def test_the_whole_row(sandbox: Sandbox, alice: User) -> None:
    asked = ask(alice, 5, original_filename="Füße 😀.png")
    row, upload = asked["attachment"], asked["upload"]
    assert upload["method"] == "put"
    assert upload["headers"] == {"content-type": PNG}
    path = f"/storage/{row['tenant_id']}/{row['id']}"
    assert upload["url"].startswith(f"{sandbox.url}{path}?expires=")
    assert re.fullmatch(TIME, row.pop("inserted_at"))
    assert re.fullmatch(TIME, row.pop("updated_at"))
    assert re.fullmatch("[0-9a-f-]{36}", row.pop("id"))
    assert row == {
        "tenant_id": alice.http.get("/v1/me").json()["tenant_id"],
        "message_id": None,
        "sender_id": alice.id,
        "content_type": PNG,
        "byte_size": 5,
        "sha256": None,
        "original_filename": "Füße 😀.png",
        "status": "pending",
    }


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"content_type", "byte_size"}),
        ({"content_type": "", "byte_size": -1}, {"content_type", "byte_size"}),
        ({"content_type": "image", "byte_size": 1}, {"content_type"}),
        ({"content_type": "image/png\r\nx: y", "byte_size": 1}, {"content_type"}),
        ({"content_type": 3, "byte_size": 1}, {"content_type"}),
        ({"content_type": PNG, "byte_size": "1"}, {"byte_size"}),
        ({"content_type": PNG, "byte_size": True}, {"byte_size"}),
        ({"content_type": PNG, "byte_size": 1.5}, {"byte_size"}),
        ({"content_type": PNG, "byte_size": 1, "original_filename": 7}, {"original_filename"}),
        ({"content_type": PNG, "byte_size": 1, "original_filename": "\0"}, {"original_filename"}),
        (
            {"content_type": PNG, "byte_size": 1, "original_filename": "x" * 256},
            {"original_filename"},
        ),
    ],
)
def test_bad_fields_are_named(alice: User, body: object, fields: set[str]) -> None:
    assert complaints_of(alice.http.post("/v1/attachments/upload-url", json=body)) == fields


def test_a_file_may_be_25_mib_and_no_more(alice: User) -> None:
    assert ask(alice, MAX)["attachment"]["byte_size"] == MAX
    too_large(alice, MAX + 1, MAX)


def too_large(user: User, size: int, limit: int) -> None:
    body = {"content_type": PNG, "byte_size": size}
    answer = user.http.post("/v1/attachments/upload-url", json=body)
    assert error_of(answer) == (413, "attachment_too_large")
    assert answer.json()["error"]["details"] == {"max_bytes": limit}


def test_the_limit_can_be_chosen() -> None:
    with Sandbox(max_attachment_bytes=10) as sandbox, users_of(sandbox) as new_user:
        alice = new_user("alice")
        ask(alice, 10)
        too_large(alice, 11, 10)


def test_a_send_links_in_the_order_given(
    alice: User, bob: User, talk: str, wire: httpx.Client
) -> None:
    phone = bob.phone()
    phone.join(f"conversation:{talk}")
    ids = [uploaded(alice, wire, data, content_type="text/plain") for data in (b"1", b"22", b"")]
    ids.reverse()
    answer = send(alice, talk, *(id_.upper() for id_ in ids))
    assert answer.status_code == 201
    row = answer.json()
    assert row["body"] is None
    files = row["attachments"]
    assert [file["id"] for file in files] == ids
    assert {(file["status"], file["message_id"]) for file in files} == {("ready", row["id"])}
    assert [file["sha256"] for file in files] == [
        hashlib.sha256(data).hexdigest() for data in (b"", b"22", b"1")
    ]
    assert phone.hear()[4] == row
    assert alice.page(talk) == [row]


def test_a_preview_without_a_body(alice: User, talk: str, wire: httpx.Client) -> None:
    send(alice, talk, uploaded(alice, wire, b"x"))
    assert alice.ask("GET", f"/conversations/{talk}").json()["last_message_preview"] == (
        "📎 Attachment"
    )


def test_ten_attachments_and_a_text(alice: User, talk: str, wire: httpx.Client) -> None:
    ids = [uploaded(alice, wire, b"x") for _ in range(10)]
    row = send(alice, talk, *ids, body="all of them").json()
    assert (row["body"], len(row["attachments"])) == ("all of them", 10)


def test_a_message_without_any_needs_a_text(alice: User, talk: str) -> None:
    assert complaints_of(send(alice, talk)) == {"body"}


def test_the_same_message_id_links_nothing_more(alice: User, talk: str, wire: httpx.Client) -> None:
    first, second = uploaded(alice, wire, b"1"), uploaded(alice, wire, b"2")
    message_id = str(uuid.uuid4())
    row = send(alice, talk, first, id=message_id).json()
    again = send(alice, talk, second, id=message_id)
    assert (again.status_code, again.json()) == (200, row)
    assert send(alice, talk, second).status_code == 201


@pytest.mark.parametrize("what", ["unknown", "another's", "not put", "linked", "twice", "no id"])
def test_what_cannot_be_linked(
    alice: User, bob: User, talk: str, wire: httpx.Client, what: str
) -> None:
    good = uploaded(alice, wire, b"good")
    bad: dict[str, Any] = {"unknown": NOBODY, "twice": good, "no id": "x"}
    bad["another's"] = uploaded(bob, wire, b"bob's")
    bad["not put"] = ask(alice, 3)["attachment"]["id"]
    bad["linked"] = uploaded(alice, wire, b"linked")
    assert send(alice, talk, bad["linked"]).json()["sequence"] == 1
    assert complaints_of(send(alice, talk, good, bad[what])) == {"attachment_ids"}
    row = send(alice, talk, good).json()
    assert (row["sequence"], len(row["attachments"])) == (2, 1)


def test_eleven_are_too_many(alice: User, talk: str) -> None:
    ids = [str(uuid.uuid4()) for _ in range(11)]
    assert complaints_of(send(alice, talk, *ids)) == {"attachment_ids"}


def test_who_may_fetch(alice: User, bob: User, new_user: NewUser, wire: httpx.Client) -> None:
    talk, eve = alice.conversation("bob"), new_user("eve")
    file = uploaded(alice, wire, b"data")
    path = f"/v1/attachments/{file}/download-url"
    assert wire.get(link_of(alice, file)).content == b"data"
    assert error_of(bob.http.get(path)) == (403, "forbidden")
    send(alice, talk, file)
    assert wire.get(link_of(bob, file)).content == b"data"
    assert error_of(eve.http.get(path)) == (403, "forbidden")
    missing = alice.http.get(f"/v1/attachments/{NOBODY}/download-url")
    assert error_of(missing) == (404, "not_found")


def test_a_pending_one_is_deleted_by_its_uploader(
    alice: User, bob: User, talk: str, wire: httpx.Client
) -> None:
    asked = ask(alice, 4)
    put(wire, asked, b"data")
    file = asked["attachment"]["id"]
    link = link_of(alice, file)
    assert error_of(bob.http.delete(f"/v1/attachments/{file}")) == (403, "forbidden")
    answer = alice.http.delete(f"/v1/attachments/{file}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert error_of(alice.http.delete(f"/v1/attachments/{file}")) == (404, "not_found")
    assert xml_error_of(wire.get(link)) == (404, "NoSuchKey")
    assert xml_error_of(put(wire, asked, b"data")) == (404, "NoSuchKey")
    assert complaints_of(send(alice, talk, file)) == {"attachment_ids"}


@pytest.mark.parametrize(
    ("role", "status"), [("member", 403), ("admin", 204), ("owner", 204), (None, 403)]
)
def test_a_linked_one_is_deleted_by_its_sender_owners_and_admins(
    alice: User, bob: User, wire: httpx.Client, role: str | None, status: int
) -> None:
    talk = alice.conversation()
    if role is not None:
        body = {"external_ids": ["bob"], "role": role}
        answer = alice.http.post(f"/v1/conversations/{talk}/members", json=body)
        assert answer.status_code == 201
    files = [uploaded(alice, wire, b"1"), uploaded(alice, wire, b"2")]
    links = [link_of(alice, file) for file in files]
    send(alice, talk, *files)
    assert bob.http.delete(f"/v1/attachments/{files[0]}").status_code == status
    left = [file["id"] for file in alice.page(talk)[0]["attachments"]]
    assert left == (files[1:] if status == 204 else files)
    assert wire.get(links[0]).status_code == (404 if status == 204 else 200)
    assert alice.http.delete(f"/v1/attachments/{files[1]}").status_code == 204
    assert files[1] not in str(alice.page(talk))


def test_the_files_of_a_deleted_message_are_gone(
    alice: User, talk: str, wire: httpx.Client
) -> None:
    file = uploaded(alice, wire, b"1")
    message = send(alice, talk, file).json()["id"]
    assert alice.http.delete(f"/v1/messages/{message}").status_code == 204
    assert alice.page(talk)[0]["attachments"] == []
    path = f"/v1/attachments/{file}"
    assert error_of(alice.http.get(f"{path}/download-url")) == (404, "not_found")
    assert error_of(alice.http.delete(path)) == (404, "not_found")
