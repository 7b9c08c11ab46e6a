"""The tabs of the page, each with something in it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

__all__ = ["TABS", "show"]

TABS = ("Chat", "Traffic", "Faults", "API")


def show(page: Page, tab: str) -> None:
    """Open a tab, and what is in it."""
    page.get_by_role("tab", name=tab).click()
    panel = page.get_by_role("tabpanel", name=tab)
    if tab == "Chat":
        # In the left pane; on a phone there is no other.
        panel.get_by_role("button").filter(has_text="Release 0.6").first.click()
        image = panel.get_by_role("img", name="slope.png").first
        expect(image).to_have_js_property("naturalWidth", 320)
    elif tab == "Traffic":
        expect(panel.get_by_text("/v1/conversations").first).to_be_visible()
    elif tab == "Faults":
        panel.get_by_role("button", name="Lose broadcasts").click()
        panel.get_by_role("button", name="Expired token").click()
        panel.locator("summary", has_text="limit_rate").click()
        expect(panel.get_by_role("listitem").filter(has_text="20 % lost")).to_be_visible()
    else:
        panel.get_by_role("button", name="GET /v1/conversations", exact=True).click()
        panel.get_by_role("button", name="Send").click()
        expect(panel.get_by_text("Status 200")).to_be_visible()
