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

        def refused() -> int:
            return sum(request.status in (429, 503) for request in self.sandbox.requests)

        def drop() -> None:
            armed = 0
            for turn in itertools.count():
                if over.wait(every):
                    return
                # Not 1012: a client that is told of a restart stays away for seconds.
                faults.drop_sockets(None if turn % 2 else 1011)
                faults.cap_pages((None, 7)[turn % 2])
                # One at a time, and not all the time: that would be an outage.
                if turn % 4 == 0 and refused() == armed:
                    status = (503, 429)[armed % 2]
                    faults.fail(status, retry_after=0.1, method="GET", path=path)
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
