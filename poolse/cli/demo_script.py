"""The script of `poolse demo`: what alice and bob do, and how it is printed."""

from __future__ import annotations

import asyncio
import os
import queue
import textwrap
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from rich.text import Text

from poolse.cli.console import Console
from poolse.cli.failure import Failure
from poolse.cli.sanitize import decoration
from poolse.cli.session import Session
from poolse.cli.transfer_bar import transfer_bar

if TYPE_CHECKING:
    from poolse import AsyncPoolse, Message, MessageNew, Poolse, PresenceDiff
    from poolse.testing import Sandbox

__all__ = ["Alice", "DemoOutput"]

T = TypeVar("T")

TIMEOUT = 20.0
"""Seconds to wait for each step before the demo fails."""

GOODBYE = "That is all. Bye!"

PICTURE = bytes(8_000_000)

COLUMNS = 80
"""Width of the output; the least that terminals have."""

MARGIN = " " * 17
"""Before lines that continue a step."""

CREATE = """\
team = chat.conversations.create(
    type="group", name="Demo", member_external_ids=["bob"]
)
messages = chat.conversations.one(team.id).messages"""

SEND = 'messages.send("…")'

LOSE = """\
sandbox.faults.refuse_handshakes(status=503, times=1000)
sandbox.faults.drop_sockets(external_id="bob")"""

NEXT = (
    ("poolse sandbox -- bash", "a shell with a backend; in it:"),
    ("CONV=$(poolse conversations create bob)", "a conversation of alice and bob"),
    ('poolse send $CONV "Hello"', "a message"),
    ("poolse tail $CONV", "the conversation, live"),
    ("python -c 'import poolse; help(poolse)'", "the library"),
    ("https://github.com/poolse-hq/python-sdk/blob/main/docs/tutorial.md", ""),
)
"""Commands to try, and what they show."""


class DemoOutput:
    """Prints the steps of the demo, from any thread, as text or as JSON lines."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._console = Console(highlight=False, quiet=session.json)
        self._shown: set[str] = set()
        self._lock = threading.Lock()
        self._reader_gone = False

    def title(self, text: str, detail: str, page: str) -> None:
        """Print the first lines; `page` is the address of the backend and of its page."""
        self._console.print(f"\n  [bold]{text}[/bold]  [dim]{detail}[/dim]", soft_wrap=True)
        self._console.print(f"  watch both in a browser: [bold]{page}[/bold]", soft_wrap=True)
        legend = "user, client, what happens   [dim]request or event[/dim]   [green]code[/green]"
        self._console.print(f"  {legend}", soft_wrap=True)

    def scene(self, number: int, title: str) -> None:
        """Print the title of a chapter."""
        self._console.print(f"\n  [bold]{number}. {title}[/bold]\n")

    def end(self) -> None:
        """Print the last lines: what to try next."""
        self._console.print("\n  [bold]Nothing was lost. Try next:[/bold]\n")
        for command, what in NEXT:
            line = Text.assemble("    ", f"{command:<41}", (what, "dim"))
            self._console.print(line, soft_wrap=True)
        self._console.print()

    def kept(self, page: str) -> None:
        """Print that the backend stays."""
        if self._session.json:
            self._session.print_json({"page": page})
        self._console.print(
            f"  The page stays open: [bold]{page}[/bold]  [dim]Ctrl-C ends it[/dim]\n",
            soft_wrap=True,
        )

    def alice(self, what: str, detail: str = "", code: str = "") -> None:
        """Print what the sync script does, and the code that does it."""
        self._step("alice", "sync ", "cyan", what, detail, code)

    def bob(self, what: str, detail: str = "", code: str = "") -> None:
        """Print what the async service does, and the code that does it."""
        self._step("bob", "async", "magenta", what, detail, code)

    def backend(self, what: str, code: str = "") -> None:
        """Print what happens to both."""
        self._step("", "     ", "yellow", what, "", code)

    def _step(self, who: str, client: str, colour: str, what: str, detail: str, code: str) -> None:
        with self._lock:
            try:
                if self._reader_gone:
                    raise BrokenPipeError
                if self._session.json:
                    step = {"who": who or "backend", "what": what, "how": detail, "code": code}
                    self._session.print_json(step)
                    return
                # The demo has no users: all of its texts are our own.
                what, detail, code = map(decoration, (what, detail, code))
                for line in self._lines(who, client, colour, what, detail, code):
                    # A line stays whole, however narrow the terminal or the log is.
                    self._console.print(line, soft_wrap=True)
            except BrokenPipeError:
                self._reader_gone = True
                # In a callback the library would log it. The main thread ends the demo.
                if threading.current_thread() is threading.main_thread():
                    raise

    def _lines(
        self, who: str, client: str, colour: str, what: str, detail: str, code: str
    ) -> list[Text]:
        start = Text.assemble("    ", (f"{who:<6}", f"bold {colour}"), (f"{client}  ", "dim"))
        first, *rest = textwrap.wrap(what, COLUMNS - len(start))
        style = "" if who else colour
        fits = not rest and len(start) + len(what) + 3 + len(detail) <= COLUMNS
        lines = [start.append(first, style), *(Text(MARGIN + each, style) for each in rest)]
        if detail and fits:
            start.append(f"   {detail}", "dim")
        elif detail:
            lines.append(Text(MARGIN + detail, "dim"))
        # Each piece of code is shown once, where it is used first.
        if code not in self._shown:
            self._shown.add(code)
            lines += [Text(MARGIN + each, "green") for each in code.splitlines()]
        return lines


class Alice:
    """A sync script, without any event loop."""

    def __init__(self, chat: Poolse, sandbox: Sandbox, output: DemoOutput) -> None:
        self._chat = chat
        self._sandbox = sandbox
        self._output = output
        self._received: queue.Queue[MessageNew] = queue.Queue()
        self._presence: queue.Queue[str] = queue.Queue()
        self._bob = sandbox.user_id("bob")

    def run(self) -> None:
        """Run the demo from start to end."""
        output, chat = self._output, self._chat
        output.scene(1, "REST: two users and a conversation")
        self._me = chat.me.show()
        output.alice(f"signs in as {self._me.external_id}", "GET /v1/me", "me = chat.me.show()")
        group = chat.conversations.create(type="group", name="Demo", member_external_ids=["bob"])
        output.alice("opens a conversation with bob", "POST /v1/conversations", CREATE)
        self._messages = chat.conversations.one(group.id).messages

        output.scene(2, "Live: who is here, who is typing, what is said")
        live = chat.realtime.conversation(group.id)
        live.on_message(self._on_message)
        live.on_typing_start(
            lambda _: output.alice(
                "sees that bob is typing", "typing:start", "live.on_typing_start(print)"
            )
        )
        live.on_presence_diff(self._on_presence)
        live.wait_joined(timeout=TIMEOUT)
        output.alice("joins live", live.topic, "live = chat.realtime.conversation(team.id)")
        with bob_serving(self._sandbox, output, group.id):
            self._wait_for("is here")
            self._ask("Hello bob, this is a plain script.")
            self._send_picture()
            self._lose_bob()
            self._say_goodbye()

    def _send_picture(self) -> None:
        with transfer_bar("        picture.png") as bar:
            picture = self._chat.attachments.upload(
                PICTURE, filename="picture.png", on_progress=bar
            )
        self._output.alice(
            f"uploads {picture.original_filename}, {picture.byte_size:,} bytes",
            "PUT …",
            'picture = chat.attachments.upload(data, filename="picture.png")',
        )
        self._messages.send(body="Look at this!", attachment_ids=[picture.id])
        self._output.alice(
            "says “Look at this!”",
            "POST …/messages",
            'messages.send("Look at this!", attachment_ids=[picture])',
        )
        self._await_answer()

    def _lose_bob(self) -> None:
        self._output.scene(3, "A lost connection, and recovery")
        self._output.backend("bob's connection is killed, and the server takes no new ones", LOSE)
        self._sandbox.faults.refuse_handshakes(status=503, times=1000)
        self._sandbox.faults.drop_sockets(external_id="bob")
        self._wait_for("is gone")
        self._say("You will miss this,")
        self._say("and this.")
        self._output.backend("the server takes connections again", "sandbox.faults.clear()")
        self._sandbox.faults.clear()
        self._wait_for("is here")
        self._ask("Good to have you back!")

    def _say_goodbye(self) -> None:
        self._output.scene(4, "Read back, the newest first")
        # Tests look for it at the end.
        nonce = os.environ.get("POOLSE_DEMO_NONCE")
        if nonce:
            self._say(nonce)
            self._await_answer()
        self._ask(GOODBYE)

    def _say(self, body: str) -> None:
        self._output.alice(f"says “{body}”", "POST …/messages", SEND)
        self._messages.send(body=body)

    def _ask(self, body: str) -> None:
        self._say(body)
        self._await_answer()

    def _await_answer(self) -> None:
        answer = take(self._received, "an answer of bob")
        self._output.alice(
            f"hears “{answer.body}”", f"message:new, #{answer.sequence}", "live.on_message(print)"
        )

    def _on_message(self, event: MessageNew) -> None:
        if event.sender_id == self._bob:
            self._received.put(event)

    def _on_presence(self, diff: PresenceDiff) -> None:
        for users, what in ((diff.joins, "is here"), (diff.leaves, "is gone")):
            if self._bob in users:
                self._presence.put(what)

    def _wait_for(self, what: str) -> None:
        while take(self._presence, f"that bob {what}") != what:
            pass
        self._output.alice(f"sees that bob {what}", "presence", "live.on_presence_diff(print)")


@contextmanager
def bob_serving(sandbox: Sandbox, output: DemoOutput, conversation_id: str) -> Generator[None]:
    """Run the async service in a thread; it ends when alice says goodbye."""
    errors: list[BaseException] = []
    started: list[Callable[[], object]] = []

    async def service() -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        if task is not None:
            started.append(lambda: loop.call_soon_threadsafe(task.cancel))
        await serve(sandbox, output, conversation_id)

    def main() -> None:
        try:
            asyncio.run(service())
        except BaseException as error:  # raised below, in the main thread
            errors.append(error)

    thread = threading.Thread(target=main, name="bob", daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        # The client of bob is closed, too, if the demo ends early.
        for cancel in started:
            with suppress(RuntimeError):  # the loop has ended
                cancel()
        thread.join(TIMEOUT)
        raise
    thread.join(TIMEOUT)
    if errors:
        raise errors[0]


async def serve(sandbox: Sandbox, output: DemoOutput, conversation_id: str) -> None:
    """Reply to each message, and fetch missed messages."""
    from poolse import AsyncPoolse, MessageNew

    async with AsyncPoolse(
        api_url=sandbox.url,
        get_token=lambda: sandbox.token("bob"),
        on_socket_error=lambda error: output.bob(
            f"is notified: {error}", "", "chat = AsyncPoolse(on_socket_error=print)"
        ),
    ) as chat:
        me = await chat.me.show()
        chat.realtime.on_status(
            lambda status: output.bob(f"is {status}", "status", "chat.realtime.on_status(print)")
        )
        live = chat.realtime.conversation(conversation_id)
        # Before it is joined: alice speaks as soon as she sees bob.
        events = live.events()
        async with live:
            last = 0
            async for event in events:
                if not isinstance(event, MessageNew) or event.sender_id == me.id:
                    continue
                output.bob(
                    f"hears “{event.body}”",
                    f"message:new, #{event.sequence}",
                    "async for event in live.events(): ...",
                )
                if last and event.sequence > last + 1:
                    await fetch_missed(chat, output, conversation_id, event.sequence, last)
                if event.body == GOODBYE:
                    await fetch_all(chat, output, conversation_id)
                await live.send_typing()
                answer = await chat.conversations.one(conversation_id).messages.send(
                    body=f"I heard #{event.sequence}.", quoted_message_id=event.id
                )
                last = answer.sequence
                if event.body == GOODBYE:
                    return


async def fetch_missed(
    chat: AsyncPoolse, output: DemoOutput, conversation_id: str, before: int, after: int
) -> None:
    """Fetch the messages that were sent while the connection was lost."""
    missed: list[Message] = []
    async for message in chat.conversations.one(conversation_id).messages.iter(before=before):
        if message.sequence <= after:
            break
        missed.append(message)
    for message in reversed(missed):
        output.bob(
            f"fetches the missed “{message.body}”",
            f"GET …/messages, #{message.sequence}",
            "async for message in messages.iter(before=event.sequence): ...",
        )


async def fetch_all(chat: AsyncPoolse, output: DemoOutput, conversation_id: str) -> None:
    """Fetch the whole conversation, newest first."""
    async for message in chat.conversations.one(conversation_id).messages.iter(limit=4):
        output.bob(
            f"reads back “{message.body}”",
            f"GET …/messages, #{message.sequence}",
            "async for message in messages.iter(): ...",
        )


def take(items: queue.Queue[T], what: str) -> T:
    """Return the next item, or raise an error that names the missing one."""
    try:
        return items.get(timeout=TIMEOUT)
    except queue.Empty:
        raise Failure(f"waited {TIMEOUT:g} s for {what}") from None
