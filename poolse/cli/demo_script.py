"""What alice and bob do in `poolse demo`."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from poolse.cli.failure import Failure

if TYPE_CHECKING:
    from poolse import AsyncPoolse, Message, MessageNew, Poolse, PresenceDiff
    from poolse.cli.demo_output import DemoOutput
    from poolse.testing import Sandbox

__all__ = ["Alice"]

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds to wait for anything before the demo says that it failed."""

GOODBYE = "That is all. Bye!"

PICTURE = bytes(8_000_000)


class Alice:
    """A sync script: not an event loop in sight."""

    def __init__(self, chat: Poolse, sandbox: Sandbox, stage: DemoOutput) -> None:
        self._chat = chat
        self._sandbox = sandbox
        self._stage = stage
        self._heard: queue.Queue[MessageNew] = queue.Queue()
        self._seen: queue.Queue[str] = queue.Queue()
        self._bob = sandbox.user_id("bob")

    def play(self) -> None:
        """From start to end."""
        stage, chat = self._stage, self._chat
        stage.scene(1, "REST: two users and a conversation")
        self._me = chat.me.show()
        stage.alice(f"signs in as {self._me.external_id}", "GET /v1/me")
        group = chat.conversations.create(type="group", name="Demo", member_external_ids=["bob"])
        stage.alice("opens a conversation with bob", "POST /v1/conversations")
        self._messages = chat.conversations.one(group.id).messages

        stage.scene(2, "Live: who is here, who is typing, what is said")
        live = chat.realtime.conversation(group.id)
        live.on_message(self._hear)
        live.on_typing_start(lambda _: stage.alice("sees that bob is typing", "typing:start"))
        live.on_presence_diff(self._notice)
        live.wait_joined(timeout=PATIENCE)
        stage.alice("joins live", live.topic)
        with bob_serving(self._sandbox, stage, group.id):
            self._wait_for("is here")
            self._ask("Hello bob, this is a plain script.")
            self._send_picture()
            self._lose_bob()
            self._say_goodbye()

    def _send_picture(self) -> None:
        from poolse import progress_bar

        with progress_bar("        picture.png") as bar:
            row = self._chat.attachments.upload(PICTURE, filename="picture.png", on_progress=bar)
        self._stage.alice(f"uploads {row.original_filename}, {row.byte_size:,} bytes", "PUT …")
        self._messages.send(body="Look at this!", attachment_ids=[row.id])
        self._stage.alice("says “Look at this!”", "POST …/messages")
        self._answer()

    def _lose_bob(self) -> None:
        self._stage.scene(3, "A killed connection, and the way back")
        self._stage.backend("bob's connection is killed, and the server takes no new ones")
        self._sandbox.faults.refuse_handshakes(status=503, times=1000)
        self._sandbox.faults.drop_sockets(external_id="bob")
        self._wait_for("is gone")
        self._say("You will miss this,")
        self._say("and this.")
        self._stage.backend("the server takes connections again")
        self._sandbox.faults.clear()
        self._wait_for("is here")
        self._ask("Good to have you back!")

    def _say_goodbye(self) -> None:
        self._stage.scene(4, "Read back, the newest first")
        nonce = os.environ.get("POOLSE_DEMO_NONCE")
        if nonce:
            self._say(nonce)
            self._answer()
        self._ask(GOODBYE)

    def _say(self, body: str) -> None:
        self._stage.alice(f"says “{body}”", "POST …/messages")
        self._messages.send(body=body)

    def _ask(self, body: str) -> None:
        self._say(body)
        self._answer()

    def _answer(self) -> None:
        answer = take(self._heard, "an answer of bob")
        self._stage.alice(f"hears “{answer.body}”", f"message:new, #{answer.sequence}")

    def _hear(self, event: MessageNew) -> None:
        if event.sender_id == self._bob:
            self._heard.put(event)

    def _notice(self, diff: PresenceDiff) -> None:
        for users, what in ((diff.joins, "is here"), (diff.leaves, "is gone")):
            if self._bob in users:
                self._seen.put(what)

    def _wait_for(self, what: str) -> None:
        while take(self._seen, f"that bob {what}") != what:
            pass
        self._stage.alice(f"sees that bob {what}", "presence")


@contextmanager
def bob_serving(sandbox: Sandbox, stage: DemoOutput, conversation_id: str) -> Generator[None]:
    """An async service in a thread of its own, which ends when it is told goodbye."""
    problems: list[BaseException] = []

    def main() -> None:
        try:
            asyncio.run(serve(sandbox, stage, conversation_id))
        except BaseException as problem:  # raised below, in the main thread
            problems.append(problem)

    thread = threading.Thread(target=main, name="bob", daemon=True)
    thread.start()
    yield
    thread.join(PATIENCE)
    if problems:
        raise problems[0]


async def serve(sandbox: Sandbox, stage: DemoOutput, conversation_id: str) -> None:
    """Answer what is heard, and read up on what was missed."""
    from poolse import AsyncPoolse, MessageNew

    async with AsyncPoolse(
        api_url=sandbox.url,
        get_token=lambda: sandbox.token("bob"),
        on_socket_error=lambda error: stage.bob(f"is told: {error}", "on_socket_error"),
    ) as chat:
        me = await chat.me.show()
        chat.realtime.on_status(lambda status: stage.bob(f"is {status}", "status"))
        live = chat.realtime.conversation(conversation_id)
        # Before it is joined: alice speaks as soon as she sees bob.
        events = live.events()
        async with live:
            last = 0
            async for event in events:
                if not isinstance(event, MessageNew) or event.sender_id == me.id:
                    continue
                stage.bob(f"hears “{event.body}”", f"message:new, #{event.sequence}")
                if last and event.sequence > last + 1:
                    await read_up(chat, stage, conversation_id, event.sequence, last)
                if event.body == GOODBYE:
                    await read_back(chat, stage, conversation_id)
                await live.send_typing()
                answer = await chat.conversations.one(conversation_id).messages.send(
                    body=f"I heard #{event.sequence}.", quoted_message_id=event.id
                )
                last = answer.sequence
                if event.body == GOODBYE:
                    return


async def read_up(
    chat: AsyncPoolse, stage: DemoOutput, conversation_id: str, before: int, after: int
) -> None:
    """Fetch what was said while the connection was lost."""
    missed: list[Message] = []
    async for message in chat.conversations.one(conversation_id).messages.iter(before=before):
        if message.sequence <= after:
            break
        missed.append(message)
    for message in reversed(missed):
        stage.bob(f"reads up on “{message.body}”", f"GET …/messages, #{message.sequence}")


async def read_back(chat: AsyncPoolse, stage: DemoOutput, conversation_id: str) -> None:
    """Fetch the whole conversation, newest first."""
    async for message in chat.conversations.one(conversation_id).messages.iter(limit=4):
        stage.bob(f"reads back “{message.body}”", f"GET …/messages, #{message.sequence}")


def take(things: queue.Queue[T], what: str) -> T:
    """The next one, or a failure that says what was waited for."""
    try:
        return things.get(timeout=PATIENCE)
    except queue.Empty:
        raise Failure(f"waited {PATIENCE:g} s for {what}") from None
