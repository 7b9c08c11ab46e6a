"""A page in a real browser, from another origin than the sandbox: REST, files, realtime."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest

from poolse.testing import Sandbox
from tests.interop.browser import chromium, development_server, find_chromium

pytestmark = pytest.mark.usefixtures("packages")


def test_a_page_of_another_origin(sandbox: Sandbox, tmp_path: Path) -> None:
    command = find_chromium()
    if command is None:
        pytest.skip("Chromium is not installed (on Debian: apt install chromium)")
    sandbox.faults.fail(503, retry_after=7, path="/v1/me")
    query = {"api": sandbox.url, "ws": sandbox.ws_url, "token": sandbox.token("alice")}
    with development_server() as server:
        url = f"{server.url}/?{urlencode(query)}"
        with chromium(command, url, tmp_path / "profile"):
            found = server.report()
    assert found == {
        "rest": {
            "refused": [503, "7", "service_unavailable"],
            "requestId": True,
            "me": "alice",
            "missing": 404,
        },
        "files": {
            "stored": [200, True],
            "whole": ["twelve bytes", "bytes"],
            "part": [206, "bytes 7-11/12", "bytes"],
        },
        "realtime": ["hello 😀", 1],
    }
    assert "OPTIONS" not in {request.method for request in sandbox.requests}
