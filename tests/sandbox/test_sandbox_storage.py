"""What the storage takes, and what it refuses, as an S3 would."""

from __future__ import annotations

import hashlib
import re
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, users_of
from tests.sandbox.upload_helpers import PNG, ask, link_of, put, uploaded, xml_error_of

DATA = b"twelve bytes"


@pytest.fixture
def asked(alice: User) -> dict[str, Any]:
    """Where to put twelve bytes of a picture."""
    return ask(alice, len(DATA))


def nothing_there(alice: User, asked: dict[str, Any], wire: httpx.Client) -> bool:
    link = link_of(alice, asked["attachment"]["id"])
    return xml_error_of(wire.get(link)) == (404, "NoSuchKey")


def test_what_was_signed_is_taken(alice: User, asked: dict[str, Any], wire: httpx.Client) -> None:
    assert nothing_there(alice, asked, wire)
    answer = put(wire, asked, DATA)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == f'"{hashlib.sha256(DATA).hexdigest()}"'
    assert wire.get(link_of(alice, asked["attachment"]["id"])).content == DATA


def test_it_may_be_put_again_until_it_is_linked(
    alice: User, asked: dict[str, Any], wire: httpx.Client
) -> None:
    file = asked["attachment"]["id"]
    for data in (DATA, b"other bytes!"):
        assert put(wire, asked, data).status_code == 200
        assert wire.get(link_of(alice, file)).content == data
    row = alice.send(alice.conversation(), attachment_ids=[file])
    assert row["attachments"][0]["sha256"] == hashlib.sha256(b"other bytes!").hexdigest()
    assert xml_error_of(put(wire, asked, DATA)) == (403, "AccessDenied")
    assert wire.get(link_of(alice, file)).content == b"other bytes!"


@pytest.mark.parametrize(
    ("content", "headers", "refusal"),
    [
        (DATA, {"content-type": "image/jpeg"}, (403, "SignatureDoesNotMatch")),
        (DATA, {}, (403, "SignatureDoesNotMatch")),
        (DATA[1:], {"content-type": PNG}, (403, "SignatureDoesNotMatch")),
        (DATA + b"!", {"content-type": PNG}, (403, "SignatureDoesNotMatch")),
        (b"", {"content-type": PNG}, (403, "SignatureDoesNotMatch")),
        (b"x" * 3_000_000, {"content-type": PNG}, (403, "SignatureDoesNotMatch")),
        (iter([DATA]), {"content-type": PNG}, (411, "MissingContentLength")),
        (
            DATA,
            {"content-type": PNG, "authorization": "Bearer token"},
            (400, "InvalidArgument"),
        ),
    ],
)
def test_other_headers_are_refused(
    alice: User,
    asked: dict[str, Any],
    wire: httpx.Client,
    content: Any,
    headers: dict[str, str],
    refusal: tuple[int, str],
) -> None:
    answer = wire.put(asked["upload"]["url"], content=content, headers=headers)
    assert xml_error_of(answer) == refusal
    assert nothing_there(alice, asked, wire)
    assert put(wire, asked, DATA).status_code == 200


@pytest.mark.parametrize(
    ("part", "instead", "code"),
    [
        (r"\?.*", "", "AccessDenied"),
        ("&.*", "", "AccessDenied"),
        ("expires=", "expires=x", "AccessDenied"),
        ("expires=", "expires=9", "SignatureDoesNotMatch"),
        ("signature=[0-9a-f]{64}$", "signature=" + 64 * "0", "SignatureDoesNotMatch"),
        ("$", "0", "SignatureDoesNotMatch"),
        ("signature=.*", "signature=%C3%A4", "SignatureDoesNotMatch"),
    ],
)
def test_another_url_is_refused(
    alice: User, asked: dict[str, Any], wire: httpx.Client, part: str, instead: str, code: str
) -> None:
    asked["upload"]["url"] = re.sub(part, instead, asked["upload"]["url"], count=1)
    assert xml_error_of(put(wire, asked, DATA)) == (403, code)
    assert nothing_there(alice, asked, wire)


def test_a_signature_is_for_one_file(
    alice: User, asked: dict[str, Any], wire: httpx.Client
) -> None:
    other = ask(alice, len(DATA))
    signed = asked["upload"]["url"].partition("?")[2]
    other["upload"]["url"] = f"{other['upload']['url'].partition('?')[0]}?{signed}"
    assert xml_error_of(put(wire, other, DATA)) == (403, "SignatureDoesNotMatch")


def test_a_signature_is_for_one_direction(
    alice: User, asked: dict[str, Any], wire: httpx.Client
) -> None:
    assert xml_error_of(wire.get(asked["upload"]["url"])) == (403, "SignatureDoesNotMatch")
    put(wire, asked, DATA)
    link = link_of(alice, asked["attachment"]["id"])
    answer = wire.put(link, content=DATA, headers=asked["upload"]["headers"])
    assert xml_error_of(answer) == (403, "SignatureDoesNotMatch")


def test_an_upload_url_is_good_for_a_quarter_of_an_hour(
    sandbox: Sandbox, alice: User, asked: dict[str, Any], wire: httpx.Client
) -> None:
    sandbox.clock.advance(15 * 60 - 30)
    assert put(wire, asked, DATA).status_code == 200
    sandbox.clock.advance(31)
    answer = put(wire, asked, DATA)
    assert xml_error_of(answer) == (403, "AccessDenied")
    assert "Request has expired" in answer.text


@pytest.mark.parametrize("path", ["", "x", "x/y/z"])
def test_a_path_that_names_no_file(sandbox: Sandbox, wire: httpx.Client, path: str) -> None:
    assert xml_error_of(wire.get(f"{sandbox.url}/storage/{path}")) == (404, "NoSuchKey")


def test_an_unknown_tenant(sandbox: Sandbox, wire: httpx.Client) -> None:
    url = f"{sandbox.url}/storage/x/y?expires=9999999999&signature=00"
    assert xml_error_of(wire.get(url)) == (403, "AccessDenied")


def test_another_method(asked: dict[str, Any], wire: httpx.Client) -> None:
    for method in ("POST", "DELETE"):
        answer = wire.request(method, asked["upload"]["url"])
        assert xml_error_of(answer) == (405, "MethodNotAllowed")
        assert answer.headers["allow"] == "GET, HEAD, PUT"


def test_half_an_upload_is_none(tmp_path: Path) -> None:
    with Sandbox(data=tmp_path / "data.db") as sandbox, users_of(sandbox) as new_user:
        alice = new_user("alice")
        asked = ask(alice, len(DATA))
        path = asked["upload"]["url"].removeprefix(sandbox.url)
        head = (
            f"PUT {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {PNG}\r\ncontent-length: 12\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2]))) as half:
            half.sendall(head.encode() + DATA[:7])
            sandbox.wait_for(lambda: sandbox.requests[-1].method == "PUT")
        sandbox.wait_for(lambda: sandbox.requests[-1].cut)
        with httpx.Client(trust_env=False) as wire:
            assert nothing_there(alice, asked, wire)
            assert list((tmp_path / "data.db.blobs").iterdir()) == []
            assert put(wire, asked, DATA).status_code == 200


def test_the_request_log_has_the_size_and_no_bytes(
    sandbox: Sandbox, alice: User, wire: httpx.Client
) -> None:
    uploaded(alice, wire, b"x" * 100_000)
    request = sandbox.requests[-1]
    assert (request.method, request.status, request.size) == ("PUT", 200, 100_000)
    assert request.body == b""
    assert request.path.startswith("/storage/")
