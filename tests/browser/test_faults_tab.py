"""The Faults tab: what is armed there is seen by a client in Python, and the other way round."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, expect

from poolse import Poolse, errors
from poolse.testing import Sandbox
from tests.browser.visits import Visits


@pytest.fixture
def faults(visits: Visits, sandbox: Sandbox) -> Locator:
    """The tab, opened. The chat is not, so that it does not use up what is meant for others."""
    page = visits.open(f"{sandbox.url}/#/faults")
    panel = page.get_by_role("tabpanel", name="Faults")
    expect(panel.get_by_text("No faults.")).to_be_visible()
    return panel


def in_force(faults: Locator) -> Locator:
    return faults.get_by_role("list", name="Faults in force").get_by_role("listitem")


def client(sandbox: Sandbox) -> Poolse:
    return Poolse(api_url=sandbox.url, token=sandbox.token("alice"), max_retries=0)


def test_a_preset_is_seen_by_a_client_until_it_is_used_up(
    faults: Locator, sandbox: Sandbox
) -> None:
    faults.get_by_role("button", name="Fail 3 requests").click()
    expect(in_force(faults)).to_have_text(re.compile("fail.*status 500.*3 times"))
    with client(sandbox) as alice:
        for left in ("2 times", "once"):
            with pytest.raises(errors.ServerError) as refused:
                alice.conversations.list()
            assert refused.value.status == 500
            expect(in_force(faults)).to_contain_text(left)
        with pytest.raises(errors.ServerError):
            alice.conversations.list()
        expect(faults.get_by_text("No faults.")).to_be_visible()
        assert list(alice.conversations.list()) == []


def test_a_fault_is_removed(faults: Locator, sandbox: Sandbox) -> None:
    for preset in ("Slow responses", "Lose broadcasts", "Small pages", "Mute sockets"):
        faults.get_by_role("button", name=preset).click()
    faults.get_by_role("button", name="Forward 1 hour").click()
    expect(in_force(faults)).to_have_count(5)
    expect(in_force(faults).filter(has_text="disturb_broadcasts")).to_contain_text("20 % lost")
    expect(in_force(faults).filter(has_text="clock")).to_contain_text("1 h ahead")
    assert sandbox.clock.now() - time.time() == pytest.approx(3600, abs=60)

    faults.get_by_role("button", name=re.compile("Remove latency")).click()
    expect(in_force(faults)).to_have_count(4)
    muted = faults.get_by_role("button", name="Mute sockets")
    expect(muted).to_have_attribute("aria-pressed", "true")
    muted.click()
    expect(muted).to_have_attribute("aria-pressed", "false")
    faults.get_by_role("button", name="Clear all").click()
    expect(in_force(faults)).to_have_count(0)
    assert abs(sandbox.clock.now() - time.time()) < 60


def test_faults_of_a_test_in_python_are_shown(faults: Locator, sandbox: Sandbox) -> None:
    sandbox.faults.fail(429, times=None, path="/v1/*/messages", method="POST", retry_after=7)
    row = in_force(faults)
    expect(row).to_contain_text(re.compile("status 429 · retry after 7.* · until removed"))
    expect(row).to_contain_text("POST /v1/*/messages")
    sandbox.faults.clear()
    expect(in_force(faults)).to_have_count(0)


def test_every_kind_has_a_form(faults: Locator, visits: Visits) -> None:
    summaries = faults.locator("details > summary")
    expect(summaries).not_to_have_count(0)
    for summary in summaries.all():
        summary.click()
    form = faults.get_by_role("form", name="fail", exact=True)
    form.get_by_label("status").fill("429")
    form.get_by_label("retry_after").fill("2.5")
    form.get_by_label("path").fill("/v1/me")
    form.get_by_role("button", name="Apply").click()
    expect(in_force(faults)).to_contain_text(
        re.compile("status 429 · retry after 2.5.* · /v1/me · once")
    )

    form.get_by_label("times").fill("")
    form.get_by_role("button", name="Apply").click()
    expect(in_force(faults).last).to_contain_text("until removed")
    visits.expect("status of 422")
    form.get_by_label("times").fill("-1")
    form.get_by_role("button", name="Apply").click()
    expect(form.get_by_role("alert")).to_contain_text("times")
    assert faults.get_by_role("form").count() >= 20


def test_a_token_that_has_expired(faults: Locator, sandbox: Sandbox) -> None:
    expect(faults.get_by_text("There are no users yet.")).to_be_visible()
    sandbox.user_id("alice")
    faults.get_by_role("button", name="Expired token").click()
    token = faults.get_by_role("status").locator("code").inner_text()
    with (
        Poolse(api_url=sandbox.url, token=token) as late,
        pytest.raises(errors.AuthError),
    ):
        late.conversations.list()
    faults.get_by_role("button", name="Copy").click()
    assert faults.page.evaluate("navigator.clipboard.readText()") == token


def test_a_user_is_blocked(faults: Locator, sandbox: Sandbox) -> None:
    sandbox.user_id("alice")
    faults.get_by_role("button", name="Block", exact=True).click()
    unblock = faults.get_by_role("button", name="Unblock")
    expect(unblock).to_be_visible()
    with client(sandbox) as alice:
        with pytest.raises(errors.ForbiddenError):
            alice.conversations.list()
        unblock.click()
        expect(faults.get_by_role("button", name="Block", exact=True)).to_be_visible()
        assert list(alice.conversations.list()) == []
