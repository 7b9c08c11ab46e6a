"""A program that is interrupted again and again while events come: run by test_signals.

python interrupted.py URL TOKEN CONVERSATION
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

from poolse import Poolse, SlowConsumer

TIMES = 1000


class Interrupter:
    """Sends SIGINT at some point of each round, whatever the main thread does just then."""

    def __init__(self) -> None:
        self.armed = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._run, name="interrupter")

    def _run(self) -> None:
        for number in range(TIMES):
            self.armed.acquire()
            time.sleep(number % 20 * 0.00002)
            os.kill(os.getpid(), signal.SIGINT)


def taken(events: Iterator[object]) -> int:
    """Take one event. On a busy machine they come faster than they are taken, which is told."""
    try:
        next(events)
    except SlowConsumer:
        return 0
    return 1


def main(url: str, token: str, conversation: str) -> None:
    """Go on after each interrupt, then close."""
    interrupter = Interrupter()
    heard, interrupts = 0, 0
    with Poolse(api_url=url, token=token) as chat:
        live = chat.realtime.conversation(conversation)
        live.wait_joined()
        events = live.events()
        print("ready", flush=True)
        interrupter.thread.start()
        while interrupts < TIMES:
            try:
                interrupter.armed.release()
                while True:
                    heard += taken(events)
            except KeyboardInterrupt:
                interrupts += 1
    interrupter.thread.join()
    left = [thread.name for thread in threading.enumerate()]
    print(interrupts, heard > 0, left, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
