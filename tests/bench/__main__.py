"""`make bench`: each measurement in a process of its own, one after the other."""

from __future__ import annotations

import subprocess
import sys

MEASUREMENTS = (
    "tests.bench.sandbox_start",
    "tests.bench.cancel_latency",
    "tests.bench.ends",
    "tests.bench.big_files",
    "tests.bench.async_transport",
    "tests.bench.follow_backfill",
)


def main() -> int:
    """Run them all, and return 1 when one of them could not be made."""
    failed = 0
    for module in MEASUREMENTS:
        print(f"\n{module}\n", flush=True)
        failed += subprocess.run([sys.executable, "-m", module], check=False).returncode != 0
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
