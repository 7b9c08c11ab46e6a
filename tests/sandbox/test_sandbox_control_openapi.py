"""The documents of control, which is what control does, and of the API that is spoken."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from poolse.sandbox.control_api.routes import ROUTES
from poolse.testing import Sandbox
from tests.architecture.tree import ROOT
from tests.sandbox.control_client import Control, control_of, operations
from tests.sandbox.raw_clients import User

CALLS: tuple[tuple[str, str, dict[str, Any] | None, int], ...] = (
    ("GET", "/", None, 200),
    ("GET", "/_sandbox/page/index.html", None, 200),
    ("GET", "/_sandbox/page/x", None, 404),
    ("GET", "/_sandbox/health", None, 200),
    ("GET", "/_sandbox/environment", None, 200),
    ("POST", "/_sandbox/seed", {"conversations": [{"members": ["a", "b"]}]}, 201),
    ("POST", "/_sandbox/seed", {"conversations": 1}, 422),
    ("GET", "/_sandbox/users", None, 200),
    ("POST", "/_sandbox/users", {"external_id": "x"}, 201),
    ("POST", "/_sandbox/users", {"external_id": "x"}, 200),
    ("POST", "/_sandbox/users", {}, 422),
    ("PATCH", "/_sandbox/users/x", {"blocked": True}, 200),
    ("PATCH", "/_sandbox/users/y", {"blocked": True}, 404),
    ("POST", "/_sandbox/users/y/tokens", None, 201),
    ("GET", "/_sandbox/clock", None, 200),
    ("PATCH", "/_sandbox/clock", {"forward": 1}, 200),
    ("DELETE", "/_sandbox/clock", None, 200),
    ("GET", "/_sandbox/faults/kinds", None, 200),
    ("POST", "/_sandbox/faults", {"kind": "fail", "path": "/x"}, 201),
    ("POST", "/_sandbox/faults", {"kind": "release"}, 204),
    ("POST", "/_sandbox/faults", {"kind": "x"}, 422),
    ("GET", "/_sandbox/faults", None, 200),
    ("DELETE", "/_sandbox/faults/1", None, 204),
    ("DELETE", "/_sandbox/faults/1", None, 404),
    ("DELETE", "/_sandbox/faults", None, 204),
    ("GET", "/_sandbox/traffic", None, 200),
    ("GET", "/_sandbox/traffic?after=x", None, 422),
    ("GET", "/_sandbox/traffic/1", None, 200),
    ("GET", "/_sandbox/traffic/x", None, 404),
    ("GET", "/_sandbox/traffic.har", None, 200),
    ("DELETE", "/_sandbox/traffic", None, 204),
    ("GET", "/_sandbox/openapi.json", None, 200),
    ("GET", "/_sandbox/api.json", None, 200),
    ("GET", "/_sandbox/swagger/", None, 200),
    ("GET", "/_sandbox/swagger/start.js", None, 200),
    ("GET", "/_sandbox/swagger/x", None, 404),
    ("POST", "/_sandbox/reset", None, 204),
)


def test_every_route_responds_as_it_is_documented(control: Control, alice: User) -> None:
    alice.phone()
    for method, path, body, status in CALLS:
        options = {} if body is None else {"json": body}
        assert control.ask(method, path, **options).status_code == status, (method, path)
    # The stream has tests of its own.
    documented = {(one.method, one.path) for one in operations(control.document)}
    assert control.seen | {("GET", "/_sandbox/traffic/events")} == documented


def test_every_route_is_in_the_document(control: Control) -> None:
    documented = {(one.method, one.path) for one in operations(control.document)}
    assert documented == {(route.method, route.path) for route in ROUTES}
    OpenAPIV31SpecValidator(control.document).validate()
    names = [one.node["operationId"] for one in operations(control.document)]
    assert len(set(names)) == len(names)
    for one in operations(control.document):
        assert one.node["summary"]
        assert one.node["description"].endswith(".")
        in_path = set(re.findall(r"{(\w+)}", one.path))
        described = [each for each in one.node.get("parameters", ()) if each["in"] == "path"]
        assert {each["name"] for each in described} == in_path
        assert all(each["description"].endswith(".") for each in one.node.get("parameters", ()))


def test_every_route_is_in_the_docs(control: Control) -> None:
    text = Path(ROOT / "docs/sandbox.md").read_text("utf-8")
    for one in operations(control.document):
        if not one.path.startswith("/_sandbox/page/"):
            assert f"`{one.method} {one.path}`" in text


@pytest.mark.parametrize("api", ["2", "1.1"])
def test_the_document_of_the_api(api: str) -> None:
    with Sandbox(api=api) as sandbox, control_of(sandbox) as control:
        document = control.get("/_sandbox/api.json")
    OpenAPIV31SpecValidator(document).validate()
    assert document["info"]["version"].startswith(api)
    assert ("/v1/ice-servers" in document["paths"]) is (api == "2")
    # It is shown to people.
    summaries = [one.node["summary"] for one in operations_of(document)]
    assert all(summaries) is (api == "2")
    assert json.dumps(document)


def operations_of(document: dict[str, Any]) -> list[Any]:
    methods = {"get", "post", "put", "patch", "delete"}
    paths = {
        path: {method: node for method, node in item.items() if method in methods}
        for path, item in document["paths"].items()
    }
    return operations({"paths": paths})


def test_other_paths_and_methods(control: Control) -> None:
    for path in ("/_sandbox", "/_sandbox/", "/_sandbox/x", "/_sandbox/health/"):
        answer = control.http.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    answer = control.http.put("/_sandbox/users", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    # The API's own paths are its own.
    assert control.http.get("/_sandboxes").json()["error"]["code"] == "not_found"


def test_a_bug_is_reported(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("poolse.sandbox.backend.Backend.users", broken)
    answer = control.http.get("/_sandbox/users")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
