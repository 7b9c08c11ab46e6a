"""Signed URLs behind the proxies of development servers, which rewrite hosts and paths."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

import httpx
import pytest

from poolse.testing import Sandbox
from tests.handler_server import QuietHandler, served_by
from tests.sandbox.raw_clients import User
from tests.sandbox.upload_helpers import PNG

DATA = b"twelve bytes"

Rewrite = Callable[[dict[str, str], str], str]
"""Changes the headers of a request in place, and returns its path behind the proxy."""


@contextmanager
def proxy(sandbox: Sandbox, rewrite: Rewrite) -> Generator[str]:
    """A reverse proxy in front of a sandbox, and its URL."""

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            url = sandbox.url + rewrite(headers, self.path)
            with httpx.Client(trust_env=False) as client:
                answer = client.request(self.command, url, headers=headers, content=body)
            kind = answer.headers.get("content-type", "")
            self.answer(answer.status_code, kind, answer.content)

        do_GET = do_POST = do_PUT = forward  # noqa: N815

    with served_by(Handler) as url:
        yield url


def transparent(_: dict[str, str], path: str) -> str:
    return path


def strips(headers: dict[str, str], path: str) -> str:
    headers |= {"x-forwarded-prefix": "/api/", "x-forwarded-host": headers.pop("host")}
    assert path.startswith("/api/")
    return path.removeprefix("/api")


def tells_all(headers: dict[str, str], path: str) -> str:
    host = headers.pop("host")
    headers |= {"x-forwarded-host": host, "x-forwarded-proto": "http"}
    headers["x-forwarded-port"] = host.rpartition(":")[2]
    return path


def tells_the_port_apart(headers: dict[str, str], path: str) -> str:
    host, _, port = headers.pop("host").rpartition(":")
    headers |= {"x-forwarded-host": host, "x-forwarded-port": port}
    return path


def is_behind_another(headers: dict[str, str], path: str) -> str:
    headers["x-forwarded-host"] = f"{headers.pop('host')}, inner.example:1, other.example"
    headers["x-forwarded-proto"] = "http, https"
    return path


def rewrites_and_tells_nothing(headers: dict[str, str], path: str) -> str:
    del headers["host"]
    return path


@pytest.mark.parametrize(
    ("rewrite", "prefix", "direct"),
    [
        (transparent, "", False),
        (strips, "/api", False),
        (tells_all, "", False),
        (tells_the_port_apart, "", False),
        (is_behind_another, "", False),
        (rewrites_and_tells_nothing, "", True),
    ],
)
def test_files_go_the_way_that_the_client_knows(
    sandbox: Sandbox, alice: User, wire: httpx.Client, rewrite: Rewrite, prefix: str, direct: bool
) -> None:
    """Where a proxy says nothing, they go to the sandbox itself, which CORS allows."""
    with proxy(sandbox, rewrite) as origin:
        base = origin + prefix
        storage = f"{sandbox.url if direct else base}/storage/"
        api = f"{base}/v1/attachments"
        token = {"authorization": f"Bearer {alice.token}"}
        body = {"content_type": PNG, "byte_size": len(DATA)}
        asked = wire.post(f"{api}/upload-url", json=body, headers=token).json()
        upload = asked["upload"]
        assert upload["url"].startswith(storage)
        done = wire.put(upload["url"], content=DATA, headers=upload["headers"])
        assert done.status_code == 200
        found = wire.get(f"{api}/{asked['attachment']['id']}/download-url", headers=token).json()
        assert found["url"].startswith(storage)
        assert wire.get(found["url"]).content == DATA


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"host": "chat.example:81"}, "http://chat.example:81"),
        ({"x-forwarded-host": "chat.example"}, "http://chat.example"),
        ({"x-forwarded-host": "a.example", "x-forwarded-proto": "https"}, "https://a.example"),
        ({"x-forwarded-host": "a.example", "x-forwarded-port": "80"}, "http://a.example"),
        ({"x-forwarded-host": "a.example", "x-forwarded-port": "443"}, "http://a.example:443"),
        ({"x-forwarded-host": "a.example:1", "x-forwarded-port": "2"}, "http://a.example:1"),
        ({"x-forwarded-host": "[::1]:5173"}, "http://[::1]:5173"),
        ({"x-forwarded-host": "[::1]", "x-forwarded-port": "5173"}, "http://[::1]:5173"),
        ({"x-forwarded-prefix": "/a/b/"}, "{url}/a/b"),
        ({"x-forwarded-proto": "HTTPS"}, "{url}"),
        ({"x-forwarded-host": "a.example/x?"}, "{url}"),
        ({"x-forwarded-host": "user@a.example"}, "{url}"),
        ({"x-forwarded-host": "", "x-forwarded-prefix": "x", "x-forwarded-proto": "ftp"}, "{url}"),
        ({"x-forwarded-port": "81"}, "{url}"),
    ],
)
def test_what_a_proxy_reports(
    sandbox: Sandbox, alice: User, headers: dict[str, str], base: str
) -> None:
    body = {"content_type": PNG, "byte_size": 4}
    answer = alice.http.post("/v1/attachments/upload-url", json=body, headers=headers)
    expected = base.format(url=sandbox.url)
    if headers.get("x-forwarded-proto") == "HTTPS":
        expected = expected.replace("http:", "https:")
    assert answer.json()["upload"]["url"].startswith(f"{expected}/storage/")
