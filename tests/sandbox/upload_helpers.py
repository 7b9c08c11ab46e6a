"""Files that go to the storage and come from it, step by step."""

from __future__ import annotations

import re
from typing import Any

import httpx

from tests.sandbox.raw_clients import User

PNG = "image/png"


def ask(user: User, size: int, content_type: str = PNG, **fields: object) -> dict[str, Any]:
    """Ask where to put a file; attachment and upload."""
    body = {"content_type": content_type, "byte_size": size, **fields}
    answer = user.http.post("/v1/attachments/upload-url", json=body)
    assert answer.status_code == 201, answer.text
    asked: dict[str, Any] = answer.json()
    return asked


def put(wire: httpx.Client, asked: dict[str, Any], data: bytes) -> httpx.Response:
    """Put the bytes where one was told to, as one was told to."""
    upload = asked["upload"]
    return wire.request(upload["method"], upload["url"], headers=upload["headers"], content=data)


def uploaded(user: User, wire: httpx.Client, data: bytes, **fields: Any) -> str:
    """Upload a file and give the id of its attachment."""
    asked = ask(user, len(data), **fields)
    answer = put(wire, asked, data)
    assert answer.status_code == 200, answer.text
    return str(asked["attachment"]["id"])


def link_of(user: User, attachment_id: str) -> str:
    """The URL to download from."""
    answer = user.http.get(f"/v1/attachments/{attachment_id}/download-url")
    assert answer.status_code == 200, answer.text
    assert answer.json()["method"] == "get"
    return str(answer.json()["url"])


def xml_error_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error of the storage."""
    assert answer.headers["content-type"] == "application/xml"
    found = re.search("<Error><Code>(.+)</Code><Message>.+</Message></Error>$", answer.text)
    assert found is not None, answer.text
    return answer.status_code, found[1]
