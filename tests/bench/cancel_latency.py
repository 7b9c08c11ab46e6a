"""How soon a call ends: `python -m tests.bench.cancel_latency`, half a minute.

From `CancelToken.cancel()` in one thread to `Cancelled` in the other, and from the start of a call
to the end of its total, while the server hangs or drips.
"""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Callable

from poolse._rest.http_messages import Request
from poolse.cancel import CancelToken
from poolse.errors import Cancelled, RequestTimeout
from poolse.options import Timeout
from tests.http.raw_server import Connection, RawServer, ReceivedRequest
from tests.http.sync_and_async_senders import FLAVOURS, Once, get, post

CALLS = 30
UNTIL_BLOCKED = 0.05
"""Seconds that a call gets to reach the point where it blocks."""
NO_LIMIT = Timeout.of(None)


def hang(connection: Connection, _: ReceivedRequest) -> None:
    connection.hang()


def drip(connection: Connection, _: ReceivedRequest) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not connection.over.wait(0.05):
        connection.send(b".")


def cancelled(call: Callable[[CancelToken], object]) -> float:
    """Seconds from the cancellation to the end of the call."""
    token = CancelToken()
    ended: list[float] = []

    def run() -> None:
        try:
            call(token)
        except Cancelled:
            ended.append(time.perf_counter())

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(UNTIL_BLOCKED)
    start = time.perf_counter()
    token.cancel()
    thread.join()
    return ended[0] - start


def show(what: str, values: list[float], unit: str, factor: float) -> None:
    median, worst = statistics.median(values) * factor, max(values) * factor
    print(f"{what:<44} median {median:8.3f} {unit}   worst {worst:8.3f} {unit}", flush=True)


def cancellations(send: Once, request: Request) -> list[float]:
    """The first is left out: it may load aiohttp."""
    return [cancelled(lambda token: send(request, NO_LIMIT, token)) for _ in range(CALLS + 1)][1:]


def report(name: str, send: Once) -> None:
    with RawServer(hang) as server:
        values = cancellations(send, get(server.base))
        show(f"{name}: cancelled while the server hangs", values, "ms", 1e3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        plain = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        large = post(plain, b"x" * 30_000_000)
        for what, request in {
            "in the TLS handshake": get(plain.replace("http:", "https:")),
            "while nobody takes the body": large,
        }.items():
            show(f"{name}: cancelled {what}", cancellations(send, request), "ms", 1e3)
    with RawServer(drip) as server:
        values.clear()
        for _ in range(5):
            start = time.perf_counter()
            try:
                send(get(server.base), Timeout(0.5))
            except RequestTimeout:
                values.append(time.perf_counter() - start)
        show(f"{name}: a drip every 50 ms, timeout=0.5", values, "s ", 1.0)


if __name__ == "__main__":
    for flavour in sorted(FLAVOURS):
        report(flavour, FLAVOURS[flavour])
