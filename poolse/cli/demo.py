"""`poolse demo`: a sync script and an async service converse through a local backend."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from poolse import AsyncPoolse, Message, MessageNew, Poolse

if TYPE_CHECKING:
    from poolse.testing import Sandbox

__all__ = ["demo"]

PATIENCE = 20.0
"""Seconds to wait for anything, before the demo says that it has failed."""


class Stage:
    """Prints what happens, one line each, from any thread."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)

    def scene(self, title: str) -> None:
        self._console.print(f"\n[bold]{title}[/bold]")

    def alice(self, what: str, detail: str = "") -> None:
        self._line("alice", "sync ", "cyan", what, detail)

    def bob(self, what: str, detail: str = "") -> None:
        self._line("bob", "async", "magenta", what, detail)

    def _line(self, who: str, flavour: str, colour: str, what: str, detail: str) -> None:
        line = Text.assemble(
            ("  "), (f"{who:<6}", f"bold {colour}"), (f"{flavour}  ", "dim"), what
        )
        if detail:
            line.append("  ").append(detail, "dim")
        # soft_wrap keeps a line whole, however narrow the terminal or the log is.
        self._console.print(line, soft_wrap=True)


class Bob:
    """An async service: answers what it hears, and reads up on what it missed."""

    def __init__(self, sandbox: Sandbox, stage: Stage, conversation_id: str) -> None:
        self._sandbox = sandbox
        self._stage = stage
        self._conversation_id = conversation_id
        self._last_sequence = 0
        self.joined = threading.Event()
        self.back = threading.Event()
        self.read_back: queue.Queue[str] = queue.Queue()

    async def serve(self) -> None:
        async with AsyncPoolse(
            api_url=self._sandbox.url, get_token=lambda: self._sandbox.token("bob")
        ) as chat:
            chat.realtime.on_status(self._status)
            me = await chat.me.show()
            async with chat.realtime.conversation(self._conversation_id) as live:
                self._stage.bob("joined the conversation live", live.topic)
                self.joined.set()
                async for event in live.events():
                    if isinstance(event, MessageNew) and event.sender_id != me.id:
                        self._stage.bob(f"hears “{event.body}”", f"message:new #{event.sequence}")
                        await live.send_typing()
                        if await self._answer(chat, event):
                            return

    async def _answer(self, chat: AsyncPoolse, message: Message) -> bool:
        """Answer one message; whether it was the last."""
        messages = chat.conversations.one(self._conversation_id).messages
        missed = message.sequence - self._last_sequence - 1 if self._last_sequence else 0
        if missed:
            self._stage.bob(f"was away for {missed}, and reads it up", "messages.iter()")
            async for row in messages.iter(before=message.sequence, limit=50):
                if row.sequence <= self._last_sequence:
                    break
                self._stage.bob(f"reads “{row.body}”", f"#{row.sequence}")
        last = message.body == "That is all. Bye!"
        reply = "Bye, alice!" if last else f"I hear you: {message.body}"
        sent = await messages.send(body=reply, quoted_message_id=message.id)
        self._last_sequence = sent.sequence
        return last

    def _status(self, status: str) -> None:
        self._stage.bob(f"socket is {status}")
        if status == "connected" and self.joined.is_set():
            self.back.set()


def demo() -> int:
    """Play it. Returns the exit status."""
    from poolse.testing import Sandbox

    return 0
