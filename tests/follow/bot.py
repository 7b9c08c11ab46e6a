"""A bot in a process of its own, which can be killed: `python -m tests.follow.bot`.

It follows one conversation, or all, writes down each message before it acknowledges it, and
answers it if it should.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TextIO

from poolse import AsyncPoolse, Message, Poolse, SQLiteCheckpoint


def note(log: TextIO, message: Message) -> None:
    """One line for each message that was handed out, kept by the system when we are killed."""
    log.write(f"{message.sequence} {message.id}\n")
    log.flush()


def run(url: str, token: str, talk: str, answer: bool, log: TextIO, path: str) -> None:
    with (
        SQLiteCheckpoint(path) as checkpoint,
        Poolse(api_url=url, token=token) as chat,
        chat.follow([talk], checkpoint=checkpoint) as feed,
    ):
        print("following", flush=True)
        for item in feed:
            note(log, item.message)
            if answer:
                item.reply(body=f"answer to {item.message.sequence}")


async def run_async(url: str, token: str, talk: str, answer: bool, log: TextIO, path: str) -> None:
    with SQLiteCheckpoint(path) as checkpoint:
        async with (
            AsyncPoolse(api_url=url, token=token) as chat,
            chat.follow([talk], checkpoint=checkpoint) as feed,
        ):
            print("following", flush=True)
            async for item in feed:
                note(log, item.message)
                if answer:
                    await item.reply(body=f"answer to {item.message.sequence}")


if __name__ == "__main__":
    flavour, url, token, talk, answer, written, path = sys.argv[1:]
    with open(written, "a", encoding="utf-8") as log:  # noqa: PTH123
        if flavour == "sync":
            run(url, token, talk, answer == "answer", log, path)
        else:
            asyncio.run(run_async(url, token, talk, answer == "answer", log, path))
