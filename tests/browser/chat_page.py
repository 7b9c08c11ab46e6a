"""What a person does in the Chat tab, by roles and labels, and a bot in Python to talk to."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect

from poolse import AsyncPoolse
from poolse.testing import Sandbox

__all__ = ["Pane", "echo_bot"]


class Pane:
    """A pane of the chat, with the user that is chosen in it."""

    def __init__(self, page: Page, user: str) -> None:
        self.page = page
        self.element = page.get_by_role("region", name=user, exact=True)
        self.composer = self.element.get_by_role("textbox", name=re.compile("^(Message|Reply) as"))
        self.messages = self.element.get_by_role("list", name="Messages").get_by_role("listitem")
        self.replies = self.element.get_by_role("list", name="Replies").get_by_role("listitem")
        self.conversations = self.element.get_by_role("list", name="Conversations")

    def conversation(self, name: str) -> Locator:
        """The button of a conversation in the list."""
        return self.conversations.get_by_role("button").filter(has_text=name)

    def open(self, name: str) -> None:
        """Open a conversation."""
        self.conversation(name).click()
        expect(self.composer).to_be_visible()

    def create_conversation(self, name: str, *others: str) -> None:
        """Create a group, also with users who are not there yet."""
        self.element.get_by_role("button", name="New conversation").click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_role("textbox", name=re.compile("Others|Members")).fill(", ".join(others))
        dialog.get_by_role("button", name="Create").click()
        expect(dialog).to_have_count(0)
        expect(self.composer).to_be_visible()

    def say(self, text: str) -> None:
        """Write a message, and send it."""
        self.composer.fill(text)
        self.composer.press("Enter")

    def message(self, text: str) -> Locator:
        """The message with this text."""
        return self.messages.filter(has_text=text)

    def act(self, text: str, action: str) -> None:
        """Use an action of the message with this text."""
        self.message(text).hover()
        actions = self.element.get_by_role("toolbar", name="Message actions")
        actions.get_by_role("button", name=action, exact=True).click()


@contextmanager
def echo_bot(sandbox: Sandbox, user: str) -> Generator[None]:
    """A bot that follows all its conversations, and repeats what it reads.

    In a thread, because Playwright has the event loop of this one.
    """
    ready, done = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    async def run() -> None:
        token = sandbox.token(user)
        async with AsyncPoolse(api_url=sandbox.url, token=token) as chat, chat.follow() as feed:
            await feed.wait_started()
            loop = asyncio.get_running_loop()
            watcher = threading.Thread(
                target=lambda: (done.wait(), loop.call_soon_threadsafe(feed.close))
            )
            watcher.start()
            ready.set()
            async for item in feed:
                await item.reply(f"You said: {item.message.body}")
            await asyncio.to_thread(watcher.join)

    def main() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            failures.append(error)
            ready.set()

    thread = threading.Thread(target=main)
    thread.start()
    try:
        assert ready.wait(30)
        assert failures == []
        yield
    finally:
        done.set()
        thread.join()
    assert failures == []
