"""Swagger UI shows both documents, and sends requests to this sandbox only."""

from __future__ import annotations

from playwright.sync_api import expect

from poolse.testing import Sandbox
from tests.browser.visits import Visits


def test_a_request_is_sent_from_it(visits: Visits, sandbox: Sandbox) -> None:
    page = visits.open(f"{sandbox.url}/_sandbox/swagger/")
    page.get_by_role("button", name="POST /v1/users", exact=False).first.click()
    page.get_by_role("button", name="Try it out").click()
    page.locator("textarea").fill('{"external_id": "carol"}')
    page.get_by_role("button", name="Execute").click()
    # With the API key, which was filled in.
    expect(page.locator(".live-responses-table tbody .response-col_status")).to_contain_text("201")
    assert [(one.method, one.path) for one in sandbox.requests] == [("POST", "/v1/users")]

    page.get_by_label("Select a definition").select_option("Control of the sandbox")
    expect(page.get_by_text("/_sandbox/health")).to_be_visible()
