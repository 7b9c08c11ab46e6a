"""How a peer in Python measures: the median seconds of a call, for each line that it reads."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

CALLS = 150


def serve(call: Callable[[], object]) -> None:
    """Measure once for each line of standard input."""
    call()
    for _ in sys.stdin:
        taken: list[float] = []
        for _ in range(CALLS):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
        print(statistics.median(taken), flush=True)
