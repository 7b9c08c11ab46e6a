"""Swagger UI is served from its package, and a sandbox without the package says how to get it."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from poolse.sandbox.control_api import state, swagger
from poolse.testing import Sandbox

PATH = "/_sandbox/swagger/"


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if `swagger-ui-bundle-v2` were not installed."""
    monkeypatch.setattr(swagger, "has_swagger", lambda: False)
    monkeypatch.setattr(state, "has_swagger", lambda: False)


def get(sandbox: Sandbox, name: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{sandbox.url}{PATH}{name}", headers=headers)


def test_the_page_names_files_that_are_there(sandbox: Sandbox) -> None:
    page = get(sandbox, "")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    names = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(names) == 5
    for name in names:
        file = get(sandbox, name)
        assert file.status_code == 200
        assert file.content
        assert "default-src 'self'" in file.headers["content-security-policy"]
    # Its own page has an inline script, and shows an example of another host.
    assert get(sandbox, "swagger-initializer.js").status_code == 404


def test_other_files_are_404(sandbox: Sandbox) -> None:
    for name in ("index.html", "..%2Fswagger.py", "swagger-ui-bundle.js.map", "a/b"):
        assert get(sandbox, name).status_code == 404


def test_the_documents_that_it_shows_are_there(sandbox: Sandbox) -> None:
    shown = re.findall(r'url: "([^"]+)"', get(sandbox, "start.js").text)
    for url in shown:
        document = httpx.get(httpx.URL(f"{sandbox.url}{PATH}").join(url))
        assert json.loads(document.text)["openapi"].startswith("3.1")
    assert len(shown) == 2


def test_another_name_of_the_host_is_refused(sandbox: Sandbox) -> None:
    assert get(sandbox, "", host="rebound.example").status_code == 403


@pytest.mark.usefixtures("without_package")
def test_without_its_package(sandbox: Sandbox) -> None:
    refused = get(sandbox, "")
    assert refused.status_code == 404
    assert "pip install 'poolse[sandbox-ui]'" in refused.json()["error"]["message"]
    environment = httpx.get(f"{sandbox.url}/_sandbox/environment").json()
    assert environment["swagger"] is False


def test_the_page_of_the_sandbox_knows_that_it_is_there(sandbox: Sandbox) -> None:
    assert httpx.get(f"{sandbox.url}/_sandbox/environment").json()["swagger"] is True
