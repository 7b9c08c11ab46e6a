"""The API tab: every operation, sent as a user or with the API key."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, expect

from poolse.sandbox.spec import OPENAPI, document
from poolse.testing import Sandbox
from tests.architecture.tree import ROOT
from tests.browser.visits import Visits

MAX_BYTES = 15_000


@pytest.fixture
def api(visits: Visits, sandbox: Sandbox) -> Locator:
    """The tab, opened, with two users."""
    for user in ("alice", "bob"):
        sandbox.user_id(user)
    return visits.open(f"{sandbox.url}/#/api").get_by_role("tabpanel", name="API")


def choose(api: Locator, operation: str) -> Locator:
    api.get_by_role("navigation").get_by_role("button", name=operation, exact=True).click()
    return api.get_by_role("region", name="Operation")


def send(form: Locator, status: int) -> Locator:
    form.get_by_role("button", name="Send").click()
    response = form.page.get_by_role("region", name="Response")
    expect(response).to_contain_text(f"Status {status}")
    return response


def test_every_operation_is_there_and_can_be_found(api: Locator) -> None:
    buttons = api.get_by_role("navigation").get_by_role("button")
    paths = document(OPENAPI)["paths"].values()
    operations = [method for item in paths for method in item if method != "parameters"]
    expect(buttons).to_have_count(len(operations))
    api.get_by_label("Filter").fill("post react")
    expect(buttons).to_have_text("POST /v1/messages/{message_id}/reactions")
    api.get_by_label("Filter").fill("nothing like that")
    expect(api.get_by_text("No operation matches.")).to_be_visible()


def test_a_conversation_and_a_message(api: Locator, sandbox: Sandbox) -> None:
    form = choose(api, "POST /v1/conversations")
    form.get_by_label("Send as").select_option("alice")
    body = json.loads(form.get_by_label("Body (JSON)").input_value())
    assert body == {"type": "group", "name": "Team", "member_external_ids": ["bob"]}
    response = send(form, 201)
    conversation = json.loads(response.get_by_label("Body of the response").inner_text())
    expect(response.get_by_text(re.compile(r"\d+ ms · \d+"))).to_be_visible()

    # The ID that came is proposed to the next one.
    form = choose(api, "POST /v1/conversations/{conversation_id}/messages")
    expect(form.get_by_label("conversation_id")).to_have_value(conversation["id"])
    form.get_by_label("Send as").select_option("bob")
    form.get_by_label("Body (JSON)").fill('{"body": "Hello from the page"}')
    send(form, 201)
    form = choose(api, "GET /v1/conversations/{conversation_id}/messages")
    expect(form.get_by_label("Send as")).to_have_value("bob")  # as before
    form.get_by_label("limit").fill("1")
    response = send(form, 200)
    (message,) = json.loads(response.get_by_label("Body of the response").inner_text())["data"]
    assert message["body"] == "Hello from the page"
    assert sandbox.requests[-1].path.endswith("/messages?limit=1")
    response.get_by_text("Headers").click()
    expect(response.get_by_text("x-request-id")).to_be_visible()


def test_a_user_who_comes_later(api: Locator, sandbox: Sandbox) -> None:
    form = choose(api, "GET /v1/me")
    sandbox.user_id("carol")
    form.get_by_label("Send as").select_option("carol")
    response = send(form, 200)
    assert (
        json.loads(response.get_by_label("Body of the response").inner_text())["external_id"]
        == "carol"
    )


def test_the_api_key_and_an_empty_response(api: Locator) -> None:
    form = choose(api, "POST /v1/users")
    expect(form.get_by_label("Send as").locator("option:checked")).to_have_text("API key")
    send(form, 201)
    form = choose(api, "POST /v1/devices")
    send(form, 201)
    form = choose(api, "DELETE /v1/devices/{token}")
    response = send(form, 204)
    expect(response.get_by_text("No content")).to_be_visible()


def test_what_is_refused(api: Locator, visits: Visits) -> None:
    form = choose(api, "POST /v1/conversations")
    form.get_by_label("Body (JSON)").fill("{")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("alert")).to_contain_text("not JSON")
    visits.expect("status of 422")
    form.get_by_label("Body (JSON)").fill("{}")
    response = send(form, 422)
    expect(response).to_contain_text("validation_failed")


def test_its_script_is_small() -> None:
    folder = ROOT / "poolse/sandbox/page"
    assert sum((folder / name).stat().st_size for name in ("api.js", "forms.js")) <= MAX_BYTES
