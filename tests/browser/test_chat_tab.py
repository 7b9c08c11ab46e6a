"""The Chat tab, beside users in Python: each end sees what the other one does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from poolse import ConversationMessages, Poolse, TypingStart, TypingStop
from poolse.testing import Sandbox
from tests.browser.chat_page import Pane, echo_bot
from tests.browser.scenes import picture
from tests.browser.visits import Visits


class Talk:
    """Alice in the page, and bob in Python, in one conversation."""

    def __init__(self, page: Page, bob: Poolse, conversation: str) -> None:
        self.alice = Pane(page, "alice")
        self.bob = bob
        self.id = conversation

    @property
    def messages(self) -> ConversationMessages:
        """Those of the conversation, as bob reads and writes them."""
        return self.bob.conversations.one(self.id).messages


@pytest.fixture
def talk(visits: Visits, sandbox: Sandbox) -> Iterator[Talk]:
    """A conversation that alice has opened."""
    sandbox.user_id("alice")
    with Poolse(api_url=sandbox.url, token=sandbox.token("bob")) as bob:
        room = bob.conversations.create(type="group", name="Team", member_external_ids=["alice"])
        talk = Talk(visits.open(sandbox.url), bob, room.id)
        talk.alice.open("Team")
        yield talk


def test_from_an_empty_page_to_a_chat_with_a_bot(page: Page, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="Create user").click()
    dialog = page.get_by_role("dialog", name="Create user")
    dialog.get_by_label("External ID").fill("alice")
    dialog.get_by_role("button", name="Create").click()
    alice = Pane(page, "alice")
    expect(alice.element.get_by_text("Connected")).to_be_visible()

    with echo_bot(sandbox, "bot"):
        alice.create_conversation("Bots", "bot")
        alice.say("ping")
        expect(alice.message("You said: ping")).to_be_visible()
        alice.say("Is it <b>raw</b>?")
        expect(alice.message("You said: Is it <b>raw</b>?")).to_be_visible()
    expect(alice.messages).to_have_count(4)


def test_messages_come_and_go(talk: Talk) -> None:
    talk.alice.say("Hello from the page")
    expect(talk.alice.message("Hello from the page")).to_be_visible()
    talk.messages.send("Hello from Python")
    expect(talk.alice.message("Hello from Python")).to_be_visible()
    newest, oldest = talk.messages.list()
    assert (oldest.body, oldest.sender_external_id) == ("Hello from the page", "alice")

    talk.bob.messages.one(newest.id).update(body="Edited in Python")
    expect(talk.alice.message("Edited in Python")).to_be_visible()
    talk.bob.messages.one(newest.id).delete()
    expect(talk.alice.message("Message deleted")).to_be_visible()
    talk.alice.act("Hello from the page", "Delete")
    expect(talk.alice.message("Message deleted")).to_have_count(2)
    assert talk.messages.list()[1].deleted_at is not None


def test_reactions(talk: Talk) -> None:
    message = talk.messages.send("Who is in?")
    talk.alice.act("Who is in?", "React")
    talk.alice.element.get_by_role("button", name="React with 👍").click()
    mine = talk.alice.message("Who is in?").get_by_role("button", name="👍 1, by alice")
    expect(mine).to_have_attribute("aria-pressed", "true")
    assert list(talk.messages.list()[0].reactions) == ["👍"]

    talk.bob.messages.one(message.id).add_reaction("🎉")
    expect(talk.alice.element.get_by_role("button", name="🎉 1, by bob")).to_be_visible()
    mine.click()
    expect(mine).to_have_count(0)
    assert list(talk.messages.list()[0].reactions) == ["🎉"]


def test_a_thread(talk: Talk) -> None:
    root = talk.messages.send("Lunch?")
    talk.alice.act("Lunch?", "Reply in thread")
    talk.alice.say("At noon")
    expect(talk.alice.replies.filter(has_text="At noon")).to_be_visible()
    (reply,) = talk.bob.messages.one(root.id).replies()
    assert (reply.body, reply.reply_to_id) == ("At noon", root.id)

    talk.messages.send("Fine with me", reply_to_id=root.id)
    expect(talk.alice.replies.filter(has_text="Fine with me")).to_be_visible()
    talk.alice.element.get_by_role("button", name="Back to Team").click()
    expect(talk.alice.message("Lunch?").get_by_role("button", name="2 replies")).to_be_visible()
    expect(talk.alice.messages).to_have_count(1)


def test_a_quote(talk: Talk) -> None:
    quoted = talk.messages.send("Ship it on Monday?")
    talk.alice.act("Ship it on Monday?", "Quote")
    talk.alice.say("Yes")
    shown = talk.alice.message("Yes").get_by_role("button", name="Quoted message of bob")
    expect(shown).to_contain_text("Ship it on Monday?")
    assert talk.messages.list()[0].quoted_message_id == quoted.id


def test_an_upload_with_its_preview(talk: Talk, sandbox: Sandbox, tmp_path: Path) -> None:
    file = picture(tmp_path)
    talk.alice.element.get_by_label("Files to attach").set_input_files(file)
    drafts = talk.alice.element.get_by_role("list", name="Files to send")
    expect(drafts.get_by_text("slope.png")).to_be_visible()
    talk.alice.say("Look")
    image = talk.alice.message("Look").get_by_role("img", name="slope.png")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", 320)
    expect(drafts).to_be_hidden()

    (attachment,) = talk.messages.list()[0].attachments or []
    assert talk.bob.attachments.one(attachment.id).download() == file.read_bytes()


def test_typing(talk: Talk) -> None:
    with talk.bob.realtime.conversation(talk.id) as live:
        live.wait_joined()
        with live.typing():
            expect(talk.alice.element.get_by_text("bob is typing")).to_be_visible()
        expect(talk.alice.element.get_by_text("bob is typing")).to_have_count(0)
        events = live.events(timeout=20)
        talk.alice.composer.press_sequentially("Hm")
        kinds = (event for event in events if isinstance(event, TypingStart | TypingStop))
        started = next(kinds)
        assert isinstance(started, TypingStart)
        assert started.external_id == "alice"


def test_two_panes_show_both_ends(page: Page) -> None:
    page.get_by_role("button", name="Create alice and bob").click()
    alice, bob = Pane(page, "alice"), Pane(page, "bob")
    alice.open("Team")
    alice.say("Can you see me?")
    expect(bob.conversation("Team")).to_contain_text("1 unread")
    expect(bob.conversation("Team")).to_contain_text("Can you see me?")
    bob.open("Team")
    expect(bob.message("Can you see me?")).to_be_visible()
    expect(bob.conversation("Team")).not_to_contain_text("unread")
    expect(alice.element.get_by_text("Read by bob")).to_be_attached()
    bob.composer.press_sequentially("Y")
    expect(alice.element.get_by_text("bob is typing")).to_be_visible()
    bob.say("Yes")
    expect(alice.message("Yes")).to_be_visible()
    expect(alice.element.get_by_text("2 members, 2 online")).to_be_visible()


def test_token_and_environment_are_copied(talk: Talk, sandbox: Sandbox) -> None:
    page = talk.alice.page
    talk.alice.element.get_by_role("button", name="Copy token").click()
    expect(page.get_by_text("Token of alice copied")).to_be_visible()
    token = page.evaluate("navigator.clipboard.readText()")
    with Poolse(api_url=sandbox.url, token=token) as alice:
        assert [one.name for one in alice.conversations.list()] == ["Team"]

    talk.alice.element.get_by_role("button", name="Copy environment").click()
    expect(page.get_by_text("Environment of alice copied")).to_be_visible()
    lines = page.evaluate("navigator.clipboard.readText()")
    variables = dict(re.findall(r"^export (\w+)=(\S+)$", lines, re.MULTILINE))
    assert variables.keys() == {"POOLSE_API_URL", "POOLSE_API_KEY", "POOLSE_TOKEN"}
    assert variables["POOLSE_API_URL"] == sandbox.url
    assert variables["POOLSE_API_KEY"] == sandbox.api_key


def test_ten_thousand_messages_are_few_nodes(visits: Visits, sandbox: Sandbox) -> None:
    messages = [{"from": "alice", "body": f"number {index}"} for index in range(10_000)]
    room = {"name": "Long", "members": ["alice", "bob"], "messages": messages}
    seed = httpx.post(f"{sandbox.url}/_sandbox/seed", json={"conversations": [room]}, timeout=60)
    assert seed.status_code == 201
    page = visits.open(sandbox.url)
    alice = Pane(page, "alice")
    alice.open("Long")
    expect(alice.message("number 9999")).to_be_visible()

    # Up, through the pages of the history, and down again.
    nodes = page.locator(".messages > li")
    first = page.locator(".messages > li .body").first
    for _ in range(8):
        top = first.inner_text()
        alice.element.locator(".scroller").evaluate("one => { one.scrollTop = 0 }")
        expect(first).not_to_have_text(top)
        assert nodes.count() <= 300
    alice.element.get_by_role("button", name="Newest messages").click()
    expect(alice.message("number 9999")).to_be_in_viewport()
    assert nodes.count() <= 300


def test_a_reset_is_a_new_beginning(talk: Talk, sandbox: Sandbox, visits: Visits) -> None:
    visits.expect("WebSocket connection|status of 40[134]")
    with ExitStack() as opened:
        sandbox.reset()
        expect(talk.alice.conversation("Team")).to_have_count(0)
        bob = opened.enter_context(Poolse(api_url=sandbox.url, token=sandbox.token("bob")))
        room = bob.conversations.create(type="group", name="Anew", member_external_ids=["alice"])
        talk.alice.open("Anew")
        talk.alice.say("Here again")
        expect(talk.alice.message("Here again")).to_be_visible()
        assert bob.conversations.one(room.id).messages.list()[0].body == "Here again"


def test_the_sandbox_is_started_again(visits: Visits, tmp_path: Path, unused_port: int) -> None:
    visits.expect("WebSocket connection|ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY")
    sandbox = Sandbox(data=tmp_path / "data", port=unused_port)
    with sandbox:
        with Poolse(api_url=sandbox.url, token=sandbox.token("bob")) as bob:
            room = bob.conversations.create(
                type="group", name="Team", member_external_ids=["alice"]
            )
        page = visits.open(sandbox.url)
        alice = Pane(page, "alice")
        alice.open("Team")
        alice.say("Before")
        expect(alice.message("Before")).to_be_visible()
        sandbox.stop()
        expect(page.get_by_text("Not reachable")).to_be_visible()
        expect(alice.element.get_by_text("Reconnecting")).to_be_visible()

        sandbox.start()
        expect(page.get_by_text("Running")).to_be_visible()
        expect(alice.element.get_by_text("Connected")).to_be_visible()
        with Poolse(api_url=sandbox.url, token=sandbox.token("bob")) as bob:
            bob.conversations.one(room.id).messages.send("After")
            expect(alice.message("After")).to_be_visible()
        alice.say("Still here")
        expect(alice.message("Still here")).to_be_visible()
        expect(alice.messages).to_have_count(3)
