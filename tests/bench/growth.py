"""How costs grow: `make growth`, three minutes. Draws docs/growth.png, and prints what it shows.

A line is near-straight where twice the work costs twice as much; the figure beside each panel is
what a unit costs at the right end, compared with the left end.
"""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs

from poolse import Poolse
from tests.bench.backfill import followed
from tests.bench.canned import canned_server
from tests.bench.events import asynchronous
from tests.bench.rows import JWT, conversation_of

PICTURE: Final = Path(__file__).parents[2] / "docs" / "growth.png"
CALLS: Final = 2_000


@attrs.frozen
class Panel:
    """One curve: what so many of something cost."""

    title: str
    across: str
    up: str
    sizes: tuple[int, ...]
    cost: Callable[[str, int], float]
    """Of one size, in all; the best of three."""
    each: bool = False
    """Whether the cost is that of one piece of work, which is to stay the same."""


def event(base: str, channels: int) -> float:
    """Microseconds of an event while so many channels are joined."""
    with asynchronous(base, channels) as rate:
        return 1e6 / max(rate() for _ in range(3))


def threaded(base: str, threads: int) -> float:
    """Microseconds of a call while so many threads share the client."""

    def work() -> None:
        for _ in range(CALLS // threads):
            chat.me.show()

    with Poolse(token=JWT, api_url=base) as chat:
        workers = [threading.Thread(target=work) for _ in range(threads)]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return (time.perf_counter() - start) / CALLS * 1e6


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
        taken: list[float] = []
        for _ in range(100):
            start = time.perf_counter()
            messages.list(limit=rows)
            taken.append(time.perf_counter() - start)
        return min(taken) * 1e3


def backfilled(base: str, count: int) -> float:
    """Seconds of following so many messages."""
    with Poolse(token=JWT, api_url=base) as chat:
        start = time.perf_counter()
        followed(chat, count)
        return time.perf_counter() - start


PANELS: Final = (
    Panel("An event", "channels joined", "µs", (1, 10, 100, 300, 1000), event, each=True),
    Panel("A sync call", "threads", "µs", (1, 2, 4, 8, 16, 32, 64), threaded, each=True),
    Panel("Handles", "handles", "MB", (100, 1000, 3000, 10_000), handles),
    Panel("A page", "messages", "ms", (1, 10, 50, 100, 250, 500), paged),
    Panel("follow()", "messages", "s", (1000, 3000, 10_000, 30_000, 100_000), backfilled),
)


def measured(panel: Panel, base: str) -> list[float]:
    """The cost of each size; the best of three, since a busy machine only ever adds."""
    panel.cost(base, panel.sizes[0])
    return [min(panel.cost(base, size) for _ in range(3)) for size in panel.sizes]


def drawn(curves: dict[str, list[float]]) -> None:
    """Write the picture."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot
    from matplotlib.ticker import EngFormatter

    # Any, because the types of matplotlib are not strict.
    figure: Any
    axes: Any
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(17, 3.6), layout="constrained")
    for axis, panel in zip(axes, PANELS, strict=True):
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


def main() -> None:
    """Measure, print and draw."""
    curves: dict[str, list[float]] = {}
    with canned_server() as base:
        for panel in PANELS:
            curves[panel.title] = costs = measured(panel, base)
            pairs = zip(panel.sizes, costs, strict=True)
            shown = " · ".join(f"{size:,}: {cost:,.3g}" for size, cost in pairs)
            print(f"{panel.title} ({panel.up}, by {panel.across}): {shown}", flush=True)
    drawn(curves)
    print(PICTURE)


if __name__ == "__main__":
    main()
