"""`make chaos`: both flavours side by side, round after round, until the time is up.

Each round has a backend of its own behind a faulty proxy, and a certain amount of work; its
setting is the next of plain, TLS, and TLS through a proxy. What must hold is checked at the end of
each round. The exit code is 0 when it held every time.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.chaos.report import Result, report
from tests.chaos.round import play
from tests.chaos.world import SETTINGS, Size

LONG = Size(senders=4, sends=250, others=250, rate=0.12, silence=20.0, stride=1, pause=0.12)
"""About two minutes."""


def rounds(flavour: str, seed: str, minutes: float) -> list[Result]:
    """Play rounds; the last one begins before the time is up."""
    ends = time.monotonic() + 60 * minutes
    results: list[Result] = []
    for number in itertools.count():
        setting = SETTINGS[number % len(SETTINGS)]
        results.append(play(flavour, setting, LONG, f"{seed}.{number}"))
        print(results[-1].line, flush=True)
        if time.monotonic() >= ends:
            return results
    raise AssertionError


def main() -> int:
    """Run it; 0 when it was clean."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (30)")
    parser.add_argument("--seed", default="1", help="another one makes other faults (1)")
    options = parser.parse_args()
    flavours = ("sync", "async")
    print(f"chaos for {options.minutes:g} min in both flavours, seed {options.seed}\n", flush=True)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        runs = [pool.submit(rounds, name, options.seed, options.minutes) for name in flavours]
        results = [result for run in runs for result in run.result()]
    print(report(results, options.seed))
    return 0 if all(result.is_clean for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
