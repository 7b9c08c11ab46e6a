"""Target 2b: threads that share a client, the server 20 ms away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from tests.bench.canned_rows import JWT
from tests.bench.worker import Measure, Prepared

CALLS: Final = 1280
"""Of one measurement, all threads together."""


def rate(call: Callable[[], object], threads: int) -> float:
    """Calls per second."""

    def calls() -> None:
        for _ in range(CALLS // threads):
            call()

    workers = [threading.Thread(target=calls) for _ in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return CALLS / (time.perf_counter() - start)


@contextmanager
def poolse_threads(base: str, threads: int) -> Generator[Measure]:
    from poolse import Poolse

    with Poolse(token=JWT, api_url=base) as chat:
        yield lambda: rate(lambda: chat.rest.request(method="GET", path="/far"), threads)


def poolse_16(base: str) -> Prepared:
    """Sixteen threads that call any endpoint."""
    return poolse_threads(base, 16)


def poolse_64(base: str) -> Prepared:
    """Sixty-four threads that do."""
    return poolse_threads(base, 64)


@contextmanager
def httpx_64(base: str) -> Generator[Measure]:
    """Sixty-four threads that `get`."""
    import httpx

    # One connection for each thread, as poolse keeps them; httpx keeps 20 unless told otherwise.
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    with httpx.Client(limits=limits, timeout=60.0) as client:
        yield lambda: rate(lambda: client.get(f"{base}/far").json(), 64)
