"""How costs grow: `make growth`, five minutes. Draws docs/growth.png, and prints what it shows.

What is measured is the CPU time of this process, the best of three, so that other programs hardly
matter. A curve is judged by its slope: between two sizes, twice the work may cost at most 2.3 times
as much. `make growth CHECK=1` measures two sizes of the curves that were quadratic once, in half a
minute, and draws nothing.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from poolse import Poolse
from tests.bench.canned import canned_server
from tests.bench.canned_rows import JWT, conversation_of
from tests.bench.events import BURST, BURSTS, asynchronous
from tests.bench.target_follow import followed
from tests.follow.simulated_backend import Service

PICTURE: Final = Path(__file__).parents[2] / "docs" / "growth.png"

STEEPEST: Final = 2.3
"""What twice the work may cost."""

CALLS_EACH: Final = 25
"""Calls of each thread."""


@attrs.frozen
class Panel:
    """One curve: what so many of something cost."""

    title: str
    across: str
    up: str
    sizes: tuple[int, ...]
    cost: Callable[[str, int], float]
    """Of one size, in all."""
    each: bool = False
    """Whether the cost is that of one piece of work, which is to stay the same."""
    checked: tuple[int, ...] = ()
    """The sizes that `--check` measures."""

    def too_steep(self, costs: list[float]) -> Iterator[str]:
        """Say between which sizes the cost grows too fast."""
        limit = STEEPEST / 2 if self.each else STEEPEST
        points = list(zip(self.sizes, costs, strict=True))
        for (size, cost), (larger, higher) in itertools.pairwise(points):
            doublings = math.log2(larger / size)
            slope = (higher / cost) ** (1 / doublings)
            if slope > limit:
                yield f"{self.title}: {size:,} to {larger:,}: {slope:.2f} for twice the work"


def event(base: str, channels: int) -> float:
    """Microseconds of an event while so many channels are joined."""
    with asynchronous(base, channels) as burst:
        burst()

        def work() -> None:
            burst()

        return cpu_of(work) / (BURST * BURSTS) * 1e6


def threaded(base: str, threads: int) -> float:
    """Microseconds of a call while so many threads share the client, the server 20 ms away."""

    def calls() -> None:
        for _ in range(CALLS_EACH):
            chat.rest.request(method="GET", path="/far")

    def work() -> None:
        workers = [threading.Thread(target=calls) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    with Poolse(token=JWT, api_url=base, max_connections=128) as chat:
        work()
        return cpu_of(work) / (CALLS_EACH * threads) * 1e6


def reconnected(_: str, conversations: int) -> float:
    """Milliseconds of following so many conversations over a reconnect without any news."""
    service = Service()
    keys = [f"c{number}" for number in range(conversations)]
    for key in keys:
        service.post(key)
    feed = service.flow(keys)
    assert service.take(feed) == []

    def work() -> None:
        service.drop()
        service.reconnect()
        assert service.take(feed) == []

    lists, pages = service.lists, len(service.pages)
    taken = cpu_of(work)
    # As many requests for five thousand as for ten: the list of all tells that there is no news.
    assert service.lists - lists <= 3 * REPEATS
    assert conversations <= 10 or len(service.pages) == pages
    return taken * 1e3


def handles(base: str, count: int) -> float:
    """Megabytes of so many handles of conversations."""
    with Poolse(token=JWT, api_url=base) as chat:
        tracemalloc.start()
        kept = [chat.conversations.one(conversation_of(number)) for number in range(count)]
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(kept) == count
        return size / 1e6


def paged(base: str, rows: int) -> float:
    """Milliseconds of a page with so many messages."""
    with Poolse(token=JWT, api_url=base) as chat:
        messages = chat.conversations.one(conversation_of(500)).messages

        def work() -> None:
            for _ in range(100):
                messages.list(limit=rows)

        return cpu_of(work) / 100 * 1e3


def backfilled(base: str, count: int) -> float:
    """Seconds of following so many messages that were missed."""
    with Poolse(token=JWT, api_url=base) as chat:
        return cpu_of(lambda: followed(chat, count))


REPEATS: Final = 3


def cpu_of(work: Callable[[], None]) -> float:
    """Seconds of CPU time of this process; the best of three, since others only ever add."""
    taken: list[float] = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


PANELS: Final = (
    Panel(
        "An event",
        "channels joined",
        "µs",
        (1, 10, 100, 1000, 10_000),
        event,
        each=True,
        checked=(10, 1000),
    ),
    Panel(
        "A sync call",
        "threads",
        "µs",
        (1, 2, 4, 8, 16, 32, 64, 128),
        threaded,
        each=True,
        checked=(16, 64),
    ),
    Panel(
        "A reconnect",
        "conversations followed",
        "ms",
        (10, 100, 1000, 5000),
        reconnected,
        checked=(1000, 4000),
    ),
    Panel(
        "follow()",
        "messages missed",
        "s",
        (100, 1000, 10_000, 100_000),
        backfilled,
        checked=(1000, 10_000),
    ),
    Panel("A page", "messages", "ms", (1, 10, 50, 100, 250, 500), paged),
    Panel("Handles", "handles", "MB", (100, 1000, 3000, 10_000), handles),
)


def measured(panel: Panel, base: str) -> list[float]:
    """What each size costs. A curve that looks too steep is measured again, up to three times."""
    costs = [panel.cost(base, size) for size in panel.sizes]
    for _ in range(3):
        if not any(panel.too_steep(costs)):
            break
        again = [panel.cost(base, size) for size in panel.sizes]
        costs = [min(pair) for pair in zip(costs, again, strict=True)]
    return costs


def drawn(curves: dict[str, list[float]]) -> None:
    """Write the picture."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot
    from matplotlib.ticker import EngFormatter

    # Any, because the types of matplotlib are not strict.
    figure: Any
    axes: Any
    figure, axes = pyplot.subplots(2, len(PANELS) // 2, figsize=(13, 7), layout="constrained")
    for axis, panel in zip(axes.flat, PANELS, strict=True):
        axis.plot(panel.sizes, curves[panel.title], marker="o")
        axis.set(title=panel.title, xlabel=panel.across, ylabel=panel.up)
        axis.set_ylim(0, 1.1 * max(curves[panel.title]))
        if panel.each:
            axis.set_xscale("log")
        else:
            axis.locator_params(axis="x", nbins=5)
            axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axis.grid(visible=True, alpha=0.3)
    figure.savefig(PICTURE, dpi=110)


def main() -> int:
    """Measure, print and draw; return 1 if a curve is too steep."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--check", action="store_true", help="half a minute, no picture")
    is_check = parser.parse_args().check
    panels: tuple[Panel, ...] = PANELS
    if is_check:
        panels = tuple(attrs.evolve(one, sizes=one.checked) for one in PANELS if one.checked)
    curves: dict[str, list[float]] = {}
    steep: list[str] = []
    with canned_server() as base:
        for panel in panels:
            curves[panel.title] = costs = measured(panel, base)
            pairs = zip(panel.sizes, costs, strict=True)
            shown = " · ".join(f"{size:,}: {cost:,.3g}" for size, cost in pairs)
            print(f"{panel.title} ({panel.up}, by {panel.across}): {shown}", flush=True)
            steep += panel.too_steep(costs)
    if not is_check:
        drawn(curves)
        print(PICTURE)
    for line in steep:
        print(f"too steep: {line}")
    return int(bool(steep))


if __name__ == "__main__":
    sys.exit(main())
