"""`make chaos`: both flavours side by side, round after round, until the time is up.

Each round has a backend of its own behind a faulty proxy, and a certain amount of work; its
setting is the next of plain, TLS, and TLS through a proxy. What must hold is checked at the end of
each round. The exit code is 0 when it held every time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.chaos.campaign import rounds
from tests.chaos.report import report


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
