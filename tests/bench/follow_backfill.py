"""What follow() costs over a long gap: `python -m tests.bench.follow_backfill`, three minutes.

100,000 messages, from the first to the last, beside the bare loop of list calls over the same ones.
The sandbox is a process of its own, the two take turns, and medians are told: of the CPU time of
this process, which is what following adds, and of the time on the clock. The aim is 1.15.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

import attrs

from poolse import UNSET, Poolse
from poolse.sandbox.request_arguments import NewMessage
from poolse.testing import Sandbox
from poolse.types import Unset

__all__ = ["AIM", "Figures", "figures"]

AIM: Final = 1.15
COUNT: Final = 100_000
SMALL: Final = 10_000
PAGE: Final = 100


@attrs.frozen
class Figures:
    """Medians over all rounds."""

    list_cpu: float
    follow_cpu: float
    list_wall: float
    follow_wall: float
    list_peak: int
    """Bytes held at most, over all messages."""
    follow_peak: int
    follow_peak_small: int
    """The same over a tenth of them."""

    @property
    def cpu_ratio(self) -> float:
        """Of following to listing."""
        return self.follow_cpu / self.list_cpu

    @property
    def wall_ratio(self) -> float:
        """Of following to listing."""
        return self.follow_wall / self.list_wall


def fill(sandbox: Sandbox, count: int) -> str:
    """A conversation with so many messages, put where the sandbox keeps them; its id."""
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        talk = chat.conversations.create(type="group").id
    new = NewMessage(None, "text", "Hello. " * 20, None, None, [], [])
    alice = sandbox.user_id("alice")

    def write(backend: Any) -> None:
        store = backend._store
        row = store.conversation(backend._tenant["id"], talk)
        with store.transaction():
            for _ in range(count):
                store.add_message(row, alice, None, new)

    inner: Any = sandbox
    inner._call(write)
    return talk


def serve() -> None:
    """The sandbox's process: it says what is where, and ends with its input."""
    with Sandbox() as sandbox:
        print(sandbox.url, sandbox.token("alice"), fill(sandbox, SMALL), fill(sandbox, COUNT))
        sys.stdout.flush()
        sys.stdin.read()


@contextmanager
def backend() -> Generator[list[str]]:
    """What `serve` said, while it runs."""
    command = [sys.executable, "-m", __spec__.name, "serve"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()
        finally:
            process.stdin.close()


def listed(chat: Poolse, talk: str, count: int) -> None:
    """The bare loop."""
    messages = chat.conversations.one(talk).messages
    seen = 0
    before: int | Unset = UNSET
    while rows := messages.list(limit=PAGE, before=before).data:
        seen += sum(1 for _ in rows)
        before = rows[-1].sequence
    assert seen == count


def followed(chat: Poolse, talk: str, count: int) -> None:
    """The feed."""
    messages = chat.conversations.one(talk).messages
    with messages.follow(after="beginning") as feed:
        assert sum(1 for _ in itertools.islice(feed, count)) == count


def timed(run: Callable[[], None]) -> tuple[float, float]:
    """Seconds of this process's CPU, and of the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def peak(run: Callable[[], None]) -> int:
    """Bytes held at most."""
    tracemalloc.start()
    run()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def figures(rounds: int = 5) -> Figures:
    """Measure it."""
    with backend() as (url, token, small, large), Poolse(api_url=url, token=token) as chat:
        for read in (listed, followed):
            read(chat, small, SMALL)
        taken: list[tuple[float, ...]] = []
        for _ in range(rounds):
            one = timed(lambda: listed(chat, large, COUNT))
            taken.append(one + timed(lambda: followed(chat, large, COUNT)))
        list_cpu, list_wall, follow_cpu, follow_wall = map(
            statistics.median, zip(*taken, strict=True)
        )
        return Figures(
            list_cpu,
            follow_cpu,
            list_wall,
            follow_wall,
            peak(lambda: listed(chat, large, COUNT)),
            peak(lambda: followed(chat, large, COUNT)),
            peak(lambda: followed(chat, small, SMALL)),
        )


def main() -> None:
    """Print it."""
    found = figures()
    for what, listing, following in (
        ("CPU", found.list_cpu, found.follow_cpu),
        ("wall", found.list_wall, found.follow_wall),
    ):
        ratio = following / listing
        print(f"{what:<5} list {listing:6.2f} s   follow {following:6.2f} s   ratio {ratio:5.3f}")
    print(f"aim {AIM} of CPU time")
    peaks = (found.list_peak, found.follow_peak, found.follow_peak_small)
    one, other, small = (f"{size / 1e6:.1f} MB" for size in peaks)
    print(f"held at most: list {one}, follow {other}; over {SMALL:,} messages {small}")


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
