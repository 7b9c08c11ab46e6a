"""A program that listens until a signal ends it: run by test_signals, and by itself.

    python listener.py FLAVOUR HANDLER URL TOKEN CONVERSATION

It says when it is ready, and in the end how the loop ended and what is left.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from poolse import AsyncPoolse, Poolse

HANDLERS = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}


def say(*words: object) -> None:
    """One line, at once."""
    print(*words, flush=True)


def on_term(do: Callable[[], object]) -> None:
    """What a user who wants it does about SIGTERM. The library does nothing."""

    def handler(_number: int, _frame: FrameType | None) -> None:
        do()

    HANDLERS[signal.SIGTERM] = handler
    signal.signal(signal.SIGTERM, handler)


def listen(handler: str, url: str, token: str, conversation: str) -> None:
    """With threads."""
    with Poolse(api_url=url, token=token) as chat:
        if handler == "exit":
            on_term(sys.exit)
        if handler == "close":
            on_term(chat.close)
        live = chat.realtime.conversation(conversation)
        live.on_presence_state(lambda _: say("joined"))
        events = live.events()
        say("ready")
        for _ in events:
            pass


async def listen_async(handler: str, url: str, token: str, conversation: str) -> None:
    """With tasks."""
    async with AsyncPoolse(api_url=url, token=token) as chat:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        if handler == "exit":
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
        live = chat.realtime.conversation(conversation)
        closing: list[asyncio.Task[None]] = []
        if handler == "close":
            loop.add_signal_handler(
                signal.SIGTERM, lambda: closing.append(asyncio.create_task(chat.aclose()))
            )
        live.on_presence_state(lambda _: say("joined"))
        events = live.events()
        say("ready")
        async for _ in events:
            pass
        await asyncio.gather(*closing)


def main(flavour: str, *arguments: str) -> None:
    """Listen until the loop ends, however it does."""
    try:
        if flavour == "sync":
            listen(*arguments)
        else:
            asyncio.run(listen_async(*arguments))
        say("the loop ended")
    except BaseException as error:
        say("ended by", type(error).__name__)
    left = [thread.name for thread in threading.enumerate()]
    same = all(signal.getsignal(number) == handler for number, handler in HANDLERS.items())
    say("left", left, "handlers", same)


if __name__ == "__main__":
    main(*sys.argv[1:])
