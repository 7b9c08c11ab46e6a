"""The Traffic tab: requests and frames as they pass, filtered, looked at, copied, exported."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from poolse import Poolse, errors
from poolse.testing import Sandbox
from tests.browser.visits import Visits

PLAIN = {"PATH": os.environ["PATH"]}


@pytest.fixture
def bob(sandbox: Sandbox) -> Iterator[Poolse]:
    """A client in Python."""
    with Poolse(api_url=sandbox.url, token=sandbox.token("bob"), max_retries=0) as client:
        yield client


@pytest.fixture
def traffic(visits: Visits, sandbox: Sandbox) -> Locator:
    """The tab, opened alone."""
    return visits.open(f"{sandbox.url}/#/traffic").get_by_role("tabpanel", name="Traffic")


def rows(traffic: Locator) -> Locator:
    return traffic.get_by_role("list", name="Traffic").get_by_role("listitem")


def test_requests_and_frames_pass_and_are_filtered(traffic: Locator, bob: Poolse) -> None:
    expect(traffic.get_by_text("Nothing has passed yet.")).to_be_visible()
    room = bob.conversations.create(type="group", name="Team")
    with bob.realtime.conversation(room.id) as live:
        live.wait_joined()
        bob.conversations.one(room.id).messages.send("Hello")
    shown = rows(traffic)
    expect(shown.filter(has_text="POST /v1/conversations/").filter(has_text="201")).to_be_visible()
    expect(shown.filter(has_text="phx_join").filter(has_text="bob")).to_be_visible()
    expect(shown.filter(has_text="message:new")).to_be_visible()

    kinds = traffic.get_by_label("Kind")
    kinds.select_option(label="Requests")
    expect(shown.filter(has_text="phx_join")).to_have_count(0)
    search = traffic.get_by_label("Filter traffic")
    search.fill("post messages")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("201")
    expect(traffic.get_by_text(re.compile(r"^1 of \d+ entries$"))).to_be_visible()
    search.fill("nothing like this")
    expect(traffic.get_by_text("Nothing matches the filter.")).to_be_visible()
    search.fill("")
    traffic.get_by_label("Status").select_option(label="4xx")
    expect(shown).to_have_count(0)
    with pytest.raises(errors.NotFoundError):
        bob.conversations.one("00000000-0000-4000-8000-000000000000").show()
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("404")


def test_details_and_code_without_secrets(
    traffic: Locator, sandbox: Sandbox, bob: Poolse, tmp_path: Path
) -> None:
    room = bob.conversations.create(type="group", name="Team")
    message = bob.conversations.one(room.id).messages.send("Hello 👋")
    rows(traffic).filter(has_text="/messages").get_by_role("button").click()
    details = traffic.get_by_role("complementary", name="Details")
    expect(details.get_by_label("Request body")).to_contain_text("Hello 👋")
    expect(details.get_by_label("Response body")).to_contain_text('"sequence": 1')
    assert sandbox.token("bob") not in details.inner_text()

    # What is copied works. The message has its ID, so that it is not sent twice.
    copied: dict[str, str] = {}
    for name in ("Python", "curl"):
        details.get_by_role("button", name=f"Copy as {name}").click()
        expect(traffic.page.get_by_text(f"Copied as {name}")).to_be_visible()
        copied[name] = traffic.page.evaluate("navigator.clipboard.readText()")
        assert sandbox.token("bob") not in copied[name]
    (tmp_path / "again.py").write_text(copied["Python"], "utf-8")
    environ = {"POOLSE_API_URL": sandbox.url, "POOLSE_TOKEN": sandbox.token("bob"), **PLAIN}
    for command in ([sys.executable, "again.py"], ["bash", "-c", copied["curl"]]):
        done = subprocess.run(command, cwd=tmp_path, env=environ, check=True, capture_output=True)
        assert message.id in done.stdout.decode()
    assert len(bob.conversations.one(room.id).messages.list()) == 1
    details.get_by_role("button", name="Close details").click()
    expect(details).to_be_hidden()


def test_it_is_exported_as_har(traffic: Locator, sandbox: Sandbox, bob: Poolse) -> None:
    room = bob.conversations.create(type="group", name="Team")
    with bob.realtime.conversation(room.id) as live:
        live.wait_joined()
    expect(rows(traffic).filter(has_text="phx_join")).to_be_visible()
    with traffic.page.expect_download() as download:
        traffic.get_by_role("link", name="Export HAR").click()
    assert download.value.suggested_filename == "sandbox.har"
    text = Path(download.value.path()).read_text("utf-8")
    assert sandbox.token("bob") not in text
    log: dict[str, Any] = json.loads(text)["log"]
    assert log["version"] == "1.2"
    posted, *_ = (one for one in log["entries"] if one["request"]["method"] == "POST")
    assert posted["request"]["url"] == f"{sandbox.url}/v1/conversations"
    assert json.loads(posted["response"]["content"]["text"])["id"] == room.id
    (handshake,) = (one for one in log["entries"] if one["response"]["status"] == 101)
    frames = [json.loads(one["data"]) for one in handshake["_webSocketMessages"]]
    assert [topic for _, _, topic, event, _ in frames if event == "phx_join"]


def test_pause_and_clear(traffic: Locator, bob: Poolse) -> None:
    list(bob.conversations.list())
    expect(rows(traffic)).to_have_count(1)
    traffic.get_by_role("button", name="Pause").click()
    list(bob.conversations.list())
    expect(traffic.get_by_text("1 new")).to_be_visible()
    expect(rows(traffic)).to_have_count(1)
    traffic.get_by_role("button", name="Resume").click()
    expect(rows(traffic)).to_have_count(2)
    traffic.get_by_role("button", name="Clear").click()
    expect(traffic.get_by_text("Nothing has passed yet.")).to_be_visible()


def test_thousands_of_entries_are_few_nodes(traffic: Locator, bob: Poolse) -> None:
    for _ in range(300):
        bob.me.show()
    expect(traffic.get_by_text("300 entries")).to_be_visible()
    assert traffic.locator("*").count() < 1000
