"""Which async transport: `python -m tests.bench.async_transport`, about four minutes.

Every figure is taken in a process of its own, in three interleaved rounds; the median counts.
docs/async-transport.md says what was chosen by it.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from tests.bench.canned import canned_server
from tests.bench.http_stacks import IMPORTS, STACKS, Stack

ROUNDS = 3
TASKS, CALLS = 100, 8
SIZES = (10, 20, 50, 100)
STORM_SECONDS = 6.0


async def sequential(stack: Stack, url: str) -> float:
    """Median microseconds of a call."""
    for _ in range(50):
        await stack.get(url)
    taken: list[float] = []
    for _ in range(600):
        start = time.perf_counter()
        await stack.get(url)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e6


async def concurrent(stack: Stack, url: str) -> float:
    """Requests per second of a hundred tasks."""

    async def caller() -> None:
        for _ in range(CALLS):
            await stack.get(url)

    await asyncio.gather(*(stack.get(url) for _ in range(TASKS)))
    start = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(TASKS)))
    return TASKS * CALLS / (time.perf_counter() - start)


async def storm(stack: Stack, base: str) -> float:
    """How many of five calls succeed on a pool of five, after many were cancelled."""
    chance = random.Random(1)

    async def cancelled(delay: float) -> None:
        task = asyncio.ensure_future(stack.get(f"{base}/slow"))
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()

    ends = time.monotonic() + STORM_SECONDS
    while time.monotonic() < ends:
        await asyncio.gather(*(cancelled(chance.random() * 0.006) for _ in range(15)))
    good = 0
    for _ in range(5):
        try:
            async with asyncio.timeout(1.0):
                await stack.get(f"{base}/small")
        except Exception:
            continue
        good += 1
    return float(good)


MEASURES: dict[str, Callable[[Stack, str], Awaitable[float]]] = {
    "page, µs": lambda stack, base: sequential(stack, f"{base}/page"),
    "small, µs": lambda stack, base: sequential(stack, f"{base}/small"),
    "100 tasks, 1/s": lambda stack, base: concurrent(stack, f"{base}/small"),
    "100 tasks 20 ms away, 1/s": lambda stack, base: concurrent(stack, f"{base}/far"),
    "storm, of 5": storm,
}


async def measure(name: str, what: str, size: int | None, base: str) -> float:
    stack = STACKS[name](size)
    try:
        return await MEASURES[what](stack, base)
    finally:
        try:
            async with asyncio.timeout(2.0):
                await stack.aclose()
        except Exception as error:
            print(f"{name}: closing: {error!r}", file=sys.stderr)


def apart(name: str, what: str, size: int | None, base: str) -> float:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.async_transport"]
    argument = json.dumps([name, what, size, base])
    done = subprocess.run([*command, argument], capture_output=True, text=True, check=True)
    return float(done.stdout)


def importing(modules: str) -> float:
    """Milliseconds that an import adds to a bare interpreter."""

    def run(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    pairs = [(run("pass"), run(f"import {modules}")) for _ in range(7)]
    return statistics.median(after - before for before, after in pairs) * 1e3


def table(title: str, columns: list[str], rows: dict[str, list[float]]) -> None:
    print(f"\n| {title} | {' | '.join(columns)} |\n|{' --- |' * (len(columns) + 1)}")
    for name, values in rows.items():
        print(f"| {name} | {' | '.join(f'{value:,.0f}' for value in values)} |", flush=True)


def main() -> None:
    """Print both tables."""
    with canned_server() as base:
        rows: dict[str, list[float]] = {name: [] for name in STACKS}
        for what in MEASURES:
            size = 5 if what.startswith("storm") else None
            rounds = [
                {name: apart(name, what, size, base) for name in STACKS}
                for _ in range(1 if size else ROUNDS)
            ]
            for name in STACKS:
                rows[name].append(statistics.median(one[name] for one in rounds))
        for name in STACKS:
            rows[name].append(importing(IMPORTS[name]))
        table("stack", [*MEASURES, "import, ms"], rows)

        kinds = ["100 tasks, 1/s", "100 tasks 20 ms away, 1/s"]
        sizes = {
            str(size): [
                statistics.median(
                    apart("ours over aiohttp", kind, size, base) for _ in range(ROUNDS)
                )
                for kind in kinds
            ]
            for size in SIZES
        }
        table("max_connections of ours", kinds, sizes)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        stack_name, measure_name, pool_size, base_url = json.loads(sys.argv[1])
        print(asyncio.run(measure(stack_name, measure_name, pool_size, base_url)))
    else:
        main()
