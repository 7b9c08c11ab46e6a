"""Messages at speed, while the bot that follows them meets everything that goes wrong."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from poolse import Poolse
from poolse.testing import Sandbox

__all__ = ["Chaos", "Life"]

LONG = 600.0
PATIENT = 15
"""Turns of the trouble that a bot may be idle, before it is shaken awake: what it waits for may be
a broadcast that was lost."""


class Life:
    """What one process of the bot wrote down."""

    def __init__(self, folder: Path, number: int) -> None:
        self.path = folder / f"life-{number}"

    def numbers(self) -> list[int]:
        """Sequences in the order in which they were handed out; a torn last line is none."""
        text = self.path.read_text("utf-8") if self.path.exists() else ""
        return [int(line.split()[0]) for line in text.splitlines(keepends=True) if line[-1] == "\n"]


class Chaos:
    """A conversation, a bot in processes that follow each other, and a backend that misbehaves."""

    def __init__(self, sandbox: Sandbox, folder: Path, flavour: str, *, answer: bool) -> None:
        self.sandbox = sandbox
        self.lives: list[Life] = []
        self._folder = folder
        self._flavour = flavour
        self._answer = "answer" if answer else "listen"
        sandbox.user_id("bot")
        with self._alice() as chat:
            made = chat.conversations.create(type="group", member_external_ids=["bot"])
        self.talk = made.id
        self._process: subprocess.Popen[str] | None = None

    def _alice(self) -> Poolse:
        return Poolse(api_url=self.sandbox.url, token=self.sandbox.token("alice"))

    def born(self) -> None:
        """Start the bot."""
        self.lives.append(Life(self._folder, len(self.lives)))
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.follow.bot", self._flavour, self.sandbox.url),
                *(self.sandbox.token("bot"), self.talk, self._answer),
                *(str(self.lives[-1].path), str(self._folder / "position.db")),
            ],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "following\n"

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()
        self._process = None

    def post(self, count: int, pause: float = 0.0) -> None:
        """Messages of alice's, one after the other."""
        with self._alice() as chat:
            for number in range(count):
                chat.conversations.one(self.talk).messages.send(body=f"question {number}")
                time.sleep(pause)

    @contextmanager
    def trouble(self, every: float, seed: int) -> Generator[None]:
        """Drop sockets, lose broadcasts, fail requests, all the time."""
        faults = self.sandbox.faults
        faults.disturb_broadcasts(lost=0.1, doubled=0.1, delayed=0.1, seconds=0.3, seed=seed)
        over = threading.Event()
        path = f"/v1/conversations/{self.talk}/messages"

        def answered() -> list[int]:
            """How the requests for pages went."""
            asked = [r for r in self.sandbox.requests if r.method == "GET"]
            return [r.status for r in asked if r.path.startswith(path) and r.status]

        def drop() -> None:
            came, idle, armed = -1, 0, 0
            for turn in itertools.count():
                if over.wait(every):
                    return
                # On a busy machine the bot must come to something before the next blow.
                idle = idle + 1 if came == self.handed_out() else 0
                came = self.handed_out()
                if 0 < idle < PATIENT:
                    continue
                idle = 0
                # Not 1012: a client that is told of a restart stays away for seconds.
                faults.drop_sockets(None if turn % 2 else 1011)
                faults.cap_pages((None, 7)[turn % 2])
                pages = answered()
                # Never two refusals in a row, which would be an outage.
                if pages[-1:] == [200] and armed == len(pages) - pages.count(200):
                    faults.fail((503, 429)[armed % 2], retry_after=0.1, method="GET", path=path)
                    armed += 1

        thread = threading.Thread(target=drop)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            faults.clear()

    def wait(self, holds: Callable[[], bool], patience: float = LONG) -> None:
        """Wait for the bot's notes, which nobody tells us of."""
        deadline = time.monotonic() + patience
        while not holds():
            assert time.monotonic() < deadline, "the bot does not get on"
            time.sleep(0.02)

    def wait_for(self, number: int) -> None:
        """Wait until a message with this number, or a later one, was handed out."""
        self.wait(lambda: self.handed_out() >= number)

    def handed_out(self) -> int:
        """The highest number so far."""
        return max((number for life in self.lives for number in life.numbers()), default=0)

    def rows(self) -> list[tuple[int, str, str | None]]:
        """Sequence, sender and text of all messages, as the list has them."""
        with self._alice() as chat:
            found = list(chat.conversations.one(self.talk).messages.iter(limit=100))
        return [(row.sequence, str(row.sender_id), row.body) for row in reversed(found)]
