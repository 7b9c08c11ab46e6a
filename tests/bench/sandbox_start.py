"""How soon `poolse sandbox` answers: `python -m tests.bench.sandbox_start`, ten seconds.

From the start of the process to the end of its first answer, to a client that is there already.
The aim is under half a second.
"""

from __future__ import annotations

import http.client
import statistics
import time

from tests.sandbox.sandbox_process import Running, running

STARTS = 15
AIM = 0.5


def first_answer(told: Running) -> None:
    """Ask who alice is."""
    connection = http.client.HTTPConnection(told.url.removeprefix("http://"))
    headers = {"authorization": f"Bearer {told.exported['POOLSE_TOKEN'][0]}"}
    connection.request("GET", "/v1/me", headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"the first answer was {answer.status}")


def start() -> tuple[float, float]:
    """Seconds until it has said everything, and until it has answered."""
    began = time.perf_counter()
    with running("--port", "0") as told:
        up = time.perf_counter()
        first_answer(told)
        answered = time.perf_counter()
    return up - began, answered - began


def main() -> None:
    """Print both."""
    start()
    starts = [start() for _ in range(STARTS)]
    for what, seconds in zip(("greeting", "first answer"), zip(*starts, strict=True), strict=True):
        median, worst = statistics.median(seconds) * 1e3, max(seconds) * 1e3
        print(
            f"{what:<14} median {median:4.0f} ms   worst {worst:4.0f} ms   aim {AIM * 1e3:.0f} ms"
        )


if __name__ == "__main__":
    main()
