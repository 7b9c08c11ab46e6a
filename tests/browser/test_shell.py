"""What all tabs share: keyboard, light and dark, widths, accessibility."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from poolse.testing import Sandbox
from tests.browser.scenes import talk
from tests.browser.tabs import TABS, show
from tests.browser.visits import Visits

AXE = """async () => {
  const { violations } = await axe.run(document)
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])])
}"""


def test_tabs_by_keyboard(page: Page) -> None:
    page.get_by_role("tab", name="Chat").focus()
    for tab in (*TABS[1:], TABS[0]):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=tab)).to_be_focused()
        expect(page.get_by_role("tabpanel", name=tab)).to_be_visible()
        expect(page.get_by_role("tabpanel")).to_have_count(1)
    page.keyboard.press("End")
    expect(page).to_have_url(f"{page.url.partition('#')[0]}#/api")
    page.reload()
    expect(page.get_by_role("tabpanel", name="API")).to_be_visible()


def test_dark_mode_is_chosen_and_kept(page: Page) -> None:
    def ground() -> str:
        color: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return color

    light = ground()
    toggle = page.get_by_role("button", name="Dark mode")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    dark = ground()
    assert dark != light
    page.reload()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    assert ground() == dark


def test_it_follows_the_system(visits: Visits, sandbox: Sandbox) -> None:
    page = visits.open(sandbox.url, dark=True)
    toggle = page.get_by_role("button", name="Dark mode")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    page.emulate_media(color_scheme="light")
    expect(toggle).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(
    visits: Visits, sandbox: Sandbox, modules: Path, tmp_path: Path, dark: bool
) -> None:
    talk(sandbox, tmp_path)
    page = visits.open(sandbox.url, dark=dark)
    page.evaluate((modules / "axe-core/axe.min.js").read_text("utf-8"))
    for tab in TABS:
        show(page, tab)
        found: Any = page.evaluate(AXE)
        assert found == [], tab


@pytest.mark.parametrize("width", [360, 1600])
def test_nothing_is_wider_than_the_window(
    visits: Visits, sandbox: Sandbox, tmp_path: Path, width: int
) -> None:
    talk(sandbox, tmp_path)
    page = visits.open(sandbox.url, width=width)
    for tab in TABS:
        show(page, tab)
        panel = page.get_by_role("tabpanel", name=tab)
        assert panel.evaluate("one => one.scrollWidth <= one.clientWidth"), tab
        assert page.evaluate("document.documentElement.scrollWidth") <= width
