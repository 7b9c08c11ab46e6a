"""The sandbox and its copy of the spec: one table of routes, requests and answers as it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from poolse.sandbox.errors import STATUS
from poolse.sandbox.routes import ENDPOINTS
from poolse.sandbox.spec import document, operation
from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User

CREDENTIALS = {"userToken": "user", "apiKey": "api key"}

HEADERS = {"content-type": "application/json"}


def test_the_table_of_routes_is_that_of_the_spec() -> None:
    spec = document()
    told = {
        (path, method.upper(), CREDENTIALS[next(iter(node.get("security", spec["security"])[0]))])
        for path, item in spec["paths"].items()
        for method, node in item.items()
        if method != "parameters"
    }
    ours = {(endpoint.path, endpoint.method, endpoint.auth) for endpoint in ENDPOINTS}
    assert ours == told


def test_every_code_has_a_status() -> None:
    codes: set[str] = set(document()["components"]["schemas"]["ErrorCode"]["enum"])
    used = {code for one in ENDPOINTS for code in operation(one.method, one.path).codes}
    assert used <= codes
    assert used | STATUS.keys() <= codes


@pytest.mark.parametrize(
    ("body", "complaints"),
    [
        ({}, {"type": ["can't be blank"]}),
        ({"type": None}, {"type": ["can't be blank"]}),
        ({"type": "channel"}, {"type": ["is invalid"]}),
        (
            {"type": "group", "member_limit": 0},
            {"member_limit": ["must be greater than or equal to 1"]},
        ),
        (
            {"type": "group", "member_limit": 2**31},
            {"member_limit": ["must be less than or equal to 2147483647"]},
        ),
        ({"type": "group", "member_external_ids": [1, 2]}, {"member_external_ids": ["is invalid"]}),
    ],
)
def test_complaints_in_words(alice: User, body: dict[str, Any], complaints: object) -> None:
    answer = alice.ask("POST", "/conversations", **body)
    assert answer.json()["error"]["details"] == complaints


def test_too_many_items(alice: User) -> None:
    ids = [alice.id] * 11
    path = f"/conversations/{alice.conversation()}/messages"
    details = alice.ask("POST", path, attachment_ids=ids).json()["error"]["details"]
    assert details == {"attachment_ids": ["should have at most 10 item(s)"]}


def test_a_whole_number_may_have_a_point(alice: User) -> None:
    body = b'{"type": "group", "member_limit": 3.0}'
    answer = alice.http.post("/v1/conversations", content=body, headers=HEADERS)
    assert answer.status_code == 201
    assert '"member_limit":3,' in answer.text


@pytest.mark.parametrize("digits", ["1" * 40, "1" * 4000, "1e40", "-" + "1" * 40])
def test_huge_numbers_are_kept_or_refused(alice: User, digits: str) -> None:
    body = f'{{"type": "group", "custom_data": {{"number": {digits}}}}}'
    answer = alice.http.post("/v1/conversations", content=body, headers=HEADERS)
    assert answer.status_code == 201
    assert answer.json()["custom_data"]["number"] == json.loads(digits)
    body = f'{{"type": "group", "member_limit": {digits}}}'
    answer = alice.http.post("/v1/conversations", content=body, headers=HEADERS)
    assert set(answer.json()["error"]["details"]) == {"member_limit"}


@pytest.mark.parametrize(("levels", "status"), [(98, 201), (99, 400), (500, 400), (990, 400)])
def test_how_deep_a_body_may_be(alice: User, levels: int, status: int) -> None:
    deep = "[" * levels + "]" * levels
    body = f'{{"type": "group", "custom_data": {{"deep": {deep}}}}}'
    answer = alice.http.post("/v1/conversations", content=body, headers=HEADERS)
    assert answer.status_code == status
    assert alice.http.get("/v1/conversations").status_code == 200


def test_a_body_that_is_wanted_and_missing_is_422(alice: User) -> None:
    for path in ("/v1/conversations", f"/v1/conversations/{alice.conversation()}/messages"):
        assert alice.http.post(path).status_code == 422


def test_a_body_that_is_not_wanted_is_ignored(alice: User) -> None:
    message_id = alice.send(alice.conversation(), body="x")["id"]
    answer = alice.http.request("DELETE", f"/v1/messages/{message_id}", content=b"{nonsense")
    assert answer.status_code == 204


def test_faults_are_exempt(sandbox: Sandbox, alice: User) -> None:
    sandbox.faults.fail(507)
    assert alice.http.get("/v1/me").status_code == 507
